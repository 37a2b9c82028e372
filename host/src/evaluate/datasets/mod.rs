//! Datasets: questions with the passages and answers that belong to them, from five parquet files in a folder.
//!
//! Not here: asking the questions (`runs`).

mod table;
#[cfg(test)]
mod tests;

use crate::chat::text::validate;
use crate::error::{Error, Result};
use crate::limits;
use anyhow::{Context, ensure};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is asked when nobody names a dataset.
pub const DEFAULT: &str = "default";
/// Where the reference keeps its only one, below the folder of datasets.
const DEFAULT_FOLDER: &str = "samples";

#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    pub passages: Vec<Passage>,
    pub questions: Vec<Question>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    pub id: i64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub id: i64,
    pub text: String,
    /// Ids of the passages that answer it; one that is not in the corpus is relevant and never found.
    pub relevant: BTreeSet<i64>,
    /// Empty when the dataset has none.
    pub answer: String,
}

/// The datasets of this server: folders below one folder, and a small built-in one under the name `default` unless the folder
/// has its own.
#[derive(Clone, Debug)]
pub struct Datasets {
    folder: PathBuf,
}

enum Source {
    BuiltIn,
    Folder(PathBuf),
}

impl Datasets {
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Whether there is such a dataset; whether it can be read shows when it is.
    pub async fn check(&self, id: &str) -> Result<()> {
        let (datasets, id) = (self.clone(), id.to_owned());
        tokio::task::spawn_blocking(move || datasets.source(&id).map(|_| ())).await.map_err(Error::internal)?
    }

    pub async fn load(&self, id: &str) -> Result<Dataset> {
        let (datasets, id) = (self.clone(), id.to_owned());
        let work = move || {
            let source = datasets.source(&id)?;
            read(&source).map_err(|error| Error::bad_request(format!("The dataset {id} can not be read: {error:#}.")))
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }

    fn source(&self, id: &str) -> Result<Source> {
        let folder = self.folder.join(if id == DEFAULT { DEFAULT_FOLDER } else { id });
        if is_name(id) && folder.is_dir() {
            return Ok(Source::Folder(folder));
        }
        if id == DEFAULT {
            return Ok(Source::BuiltIn);
        }
        let shown: String = id.chars().take(limits::DATASET_ID_CHARS_MAX).collect();
        Err(Error::bad_request(format!("there is no dataset {shown:?}")))
    }
}

/// The name of a folder below the folder of datasets, and of nothing else.
fn is_name(id: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    (1..=limits::DATASET_ID_CHARS_MAX).contains(&id.len()) && id.chars().all(plain) && !id.starts_with('.')
}

macro_rules! built_in {
    ($($name:literal),+) => {
        fn built_in(name: &str) -> Option<&'static [u8]> {
            match name {
                $($name => Some(include_bytes!(concat!("../../../../examples/dataset/", $name))),)+
                _ => None,
            }
        }
    };
}
built_in!("queries.parquet", "corpus.parquet", "answers.parquet", "qrels.parquet", "qas.parquet");

impl Source {
    /// Reads one file and names it in whatever goes wrong.
    fn file<T>(&self, name: &str, read: impl FnOnce(&[u8]) -> anyhow::Result<T>) -> anyhow::Result<T> {
        match self {
            Self::BuiltIn => built_in(name).context("no such file").and_then(read),
            Self::Folder(folder) => read_file(&folder.join(name)).and_then(|bytes| read(&bytes)),
        }
        .with_context(|| name.to_owned())
    }

    fn texts(&self, name: &str) -> anyhow::Result<BTreeMap<i64, String>> {
        self.file(name, |bytes| by_id(table::numbered_texts(bytes, ["id", "text"])?))
    }
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    // The path stays out of the text, which tenants read.
    let fault = |error: std::io::Error| anyhow::anyhow!("{}", error.kind());
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(fault)?.take(limits::DATASET_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(fault)?;
    ensure!(bytes.len() as u64 <= limits::DATASET_FILE_BYTES_MAX, "it has more than {} bytes", limits::DATASET_FILE_BYTES_MAX);
    Ok(bytes)
}

fn read(source: &Source) -> anyhow::Result<Dataset> {
    let queries = source.file("queries.parquet", |bytes| questions(table::numbered_texts(bytes, ["id", "text"])?))?;
    let corpus = source.texts("corpus.parquet")?;
    let answers = source.texts("answers.parquet")?;
    let qrels = source.file("qrels.parquet", |bytes| table::number_pairs(bytes, ["qid", "pid"]))?;
    let qas = source.file("qas.parquet", |bytes| table::number_pairs(bytes, ["qid", "aid"]))?;
    Ok(Dataset {
        questions: join(queries, &answers, qrels, qas),
        passages: corpus.into_iter().map(|(id, text)| Passage { id, text }).collect(),
    })
}

fn join(queries: BTreeMap<i64, String>, answers: &BTreeMap<i64, String>, qrels: Vec<(i64, i64)>, qas: Vec<(i64, i64)>) -> Vec<Question> {
    let mut relevant: HashMap<i64, BTreeSet<i64>> = HashMap::new();
    for (question, passage) in qrels {
        relevant.entry(question).or_default().insert(passage);
    }
    // Of two answers to one question the last counts, as in the reference.
    let answer_of: HashMap<i64, i64> = qas.into_iter().collect();
    let question = |(id, text): (i64, String)| Question {
        id,
        text,
        relevant: relevant.remove(&id).unwrap_or_default(),
        answer: answer_of.get(&id).and_then(|answer| answers.get(answer)).cloned().unwrap_or_default(),
    };
    queries.into_iter().map(question).collect()
}

fn by_id(rows: Vec<(i64, String)>) -> anyhow::Result<BTreeMap<i64, String>> {
    let mut texts = BTreeMap::new();
    for (id, text) in rows {
        ensure!(texts.insert(id, text).is_none(), "the id {id} stands there twice");
    }
    Ok(texts)
}

/// Every question must be one that the chat takes, so that a run does not fail at its last one.
fn questions(rows: Vec<(i64, String)>) -> anyhow::Result<BTreeMap<i64, String>> {
    let most = limits::DATASET_QUESTIONS_MAX;
    ensure!(!rows.is_empty(), "there are no questions");
    ensure!(rows.len() <= most, "there are {} questions; at most {most} are asked", rows.len());
    for (id, text) in &rows {
        let can_be_asked = validate::question(text).is_ok_and(|text| !text.is_empty());
        ensure!(can_be_asked, "question {id} is empty, longer than {} bytes or no plain text", limits::QUERY_BYTES_MAX);
    }
    by_id(rows)
}
