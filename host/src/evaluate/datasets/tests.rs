//! Datasets of good and broken files; which kinds of files can be read is tested in `knowhost-columns`.

use super::*;
use tempfile::TempDir;

const FILES: [&str; 5] = ["queries.parquet", "corpus.parquet", "answers.parquet", "qrels.parquet", "qas.parquet"];

/// A folder with the dataset `small`, which is a copy of the shipped one.
fn a_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("small")).expect("made");
    for name in FILES {
        write(&folder, name, built_in(name).expect("shipped"));
    }
    folder
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) {
    std::fs::write(folder.path().join("small").join(name), bytes).expect("written");
}

async fn load(folder: &TempDir) -> Result<Dataset> {
    Datasets::in_folder(folder.path()).load("small").await
}

#[tokio::test]
async fn the_shipped_dataset_is_whole_and_gives_way_to_one_in_the_folder() {
    let folder = a_folder();
    let datasets = Datasets::in_folder(folder.path());
    let shipped = datasets.load(DEFAULT).await.expect("read");
    assert_eq!((shipped.questions.len(), shipped.passages.len()), (12, 20));
    assert!(shipped.questions.iter().all(|question| !question.answer.is_empty() && !question.relevant.is_empty()));
    let ids: BTreeSet<i64> = shipped.passages.iter().map(|passage| passage.id).collect();
    assert!(shipped.questions.iter().all(|question| question.relevant.is_subset(&ids)));
    let fourth = &shipped.questions[3];
    assert_eq!((fourth.id, fourth.relevant.iter().copied().collect::<Vec<_>>()), (4, vec![5, 6]));
    assert!(fourth.text.contains("Anholm") && fourth.answer.starts_with("Twice a day"), "{fourth:?}");
    assert_eq!(load(&folder).await.expect("read"), shipped);
    std::fs::create_dir(folder.path().join(DEFAULT_FOLDER)).expect("made");
    assert!(datasets.load(DEFAULT).await.is_err(), "the folder is asked first");
}

#[tokio::test]
async fn names_that_are_no_folder_below_it_are_no_datasets() {
    let folder = a_folder();
    assert!(Datasets::in_folder(folder.path()).check("small").await.is_ok());
    let below = Datasets::in_folder(folder.path().join("small"));
    for id in ["", ".", "..", "../small", "small/../small", "/tmp", "other", "small\0", "queries.parquet", &"x".repeat(65)] {
        for datasets in [&below, &Datasets::in_folder(folder.path())] {
            let error = datasets.check(id).await.expect_err(id);
            assert!(error.to_string().starts_with("there is no dataset"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_broken_file_is_named_with_what_is_wrong() {
    let corpus = built_in("corpus.parquet").expect("shipped");
    let mut damaged = corpus.to_vec();
    damaged[4..60].fill(0xff);
    for (name, bytes, wanted) in [
        ("corpus.parquet", &b"id,text\n1,a\n"[..], "it is no parquet file"),
        ("corpus.parquet", b"", "it is no parquet file"),
        ("corpus.parquet", &corpus[..corpus.len() - 20], "it is no parquet file"),
        ("corpus.parquet", &damaged, "it is damaged"),
        ("queries.parquet", built_in("qas.parquet").expect("shipped"), "there is no column id; its columns are qid, aid"),
        ("qrels.parquet", built_in("qas.parquet").expect("shipped"), "there is no column pid"),
    ] {
        let folder = a_folder();
        write(&folder, name, bytes);
        let text = load(&folder).await.expect_err(wanted).to_string();
        assert!(text.starts_with(&format!("The dataset small can not be read: {name}: ")) && text.contains(wanted), "{text}");
    }
    for name in FILES {
        let folder = a_folder();
        std::fs::remove_file(folder.path().join("small").join(name)).expect("removed");
        assert_eq!(
            load(&folder).await.expect_err("missing").to_string(),
            format!("The dataset small can not be read: {name}: entity not found.")
        );
    }
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_not_read() {
    let folder = a_folder();
    let file = std::fs::File::create(folder.path().join("small/corpus.parquet")).expect("made");
    file.set_len(limits::DATASET_FILE_BYTES_MAX + 1).expect("grown");
    assert!(load(&folder).await.expect_err("too large").to_string().contains("corpus.parquet: it has more than 67108864 bytes"));
}

fn rows(texts: &[(i64, &str)]) -> Vec<(i64, String)> {
    texts.iter().map(|(id, text)| (*id, (*text).to_owned())).collect()
}

#[test]
fn questions_get_their_passages_and_answers() {
    let queries = by_id(rows(&[(2, "哪一天？"), (1, "Which light?"), (3, "Nothing?")])).expect("good");
    let answers = by_id(rows(&[(5, "Green."), (6, "Red.")])).expect("good");
    let joined = join(queries, &answers, vec![(1, 0), (2, 7), (2, 99), (2, 7), (8, 1)], vec![(1, 6), (1, 5), (2, 4)]);
    let shown: Vec<(i64, &str, Vec<i64>, &str)> = joined
        .iter()
        .map(|question| (question.id, question.text.as_str(), question.relevant.iter().copied().collect(), question.answer.as_str()))
        .collect();
    assert_eq!(shown, [(1, "Which light?", vec![0], "Green."), (2, "哪一天？", vec![7, 99], ""), (3, "Nothing?", vec![], "")]);
}

#[test]
fn questions_that_the_chat_would_refuse_and_doubled_ids_are_told() {
    let many: Vec<(i64, &str)> = (0..10_001).map(|id| (id, "q")).collect();
    let long = "x".repeat(10_001);
    for (asked, wanted) in [
        (vec![], "there are no questions"),
        (vec![(1, "  ")], "question 1 is empty"),
        (vec![(1, "bell\u{7}")], "question 1 is empty"),
        (vec![(7, long.as_str())], "question 7 is empty, longer than 10000 bytes"),
        (vec![(4, "a"), (4, "b")], "the id 4 stands there twice"),
        (many, "there are 10001 questions"),
    ] {
        let error = questions(rows(&asked)).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
