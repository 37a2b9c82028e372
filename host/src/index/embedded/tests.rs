//! The embedded index against plain comparison, against cut files, and between tenants.
//!
//! Not here: the follower's tests.

use super::generation::Generation;
use super::quantise::exact_dot;
use super::scan::Asked;
use super::simd::Kernel;
use super::vectors::Vectors;
use super::{EmbeddedIndex, IndexKey, lock, scan};
use crate::domain::{TenantId, TenantScope};
use crate::provider::{IndexedChunk, RetrieveFilter, RetrieveRequest, Retriever, ScoredChunk};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

fn key() -> IndexKey {
    IndexKey::new("database", "tokenizer")
}

/// Nobody else knows the folder of a test.
fn no_lock() -> super::Lock {
    std::sync::Arc::new(tempfile::tempfile().unwrap())
}

fn scope(tenant_id: i64) -> TenantScope {
    TenantScope::mint(TenantId(tenant_id))
}

fn chunk(id: &str, base: &str, words: &str, vector: Option<Vec<f32>>) -> IndexedChunk {
    IndexedChunk {
        chunk_id: id.into(),
        knowledge_id: format!("k-{}", &id[..1]),
        knowledge_base_id: base.into(),
        tokens: words.split_whitespace().map(str::to_owned).collect(),
        vector,
    }
}

fn request(base: &str, words: &str, vector: Option<Vec<f32>>, top_k: usize) -> RetrieveRequest {
    let tokens = words.split_whitespace().map(str::to_owned).collect();
    RetrieveRequest { knowledge_base_id: base.into(), vector, tokens, filter: RetrieveFilter::default(), top_k }
}

fn ids(hits: &[ScoredChunk]) -> Vec<&str> {
    hits.iter().map(|hit| hit.chunk_id.as_str()).collect()
}

// ---- exactness ---------------------------------------------------------

fn by_comparison(rows: &BTreeMap<String, (String, Vec<f32>)>, query: &[f32], knowledge_ids: &[String], top_k: usize) -> Vec<ScoredChunk> {
    let wanted = rows.iter().filter(|(_, (knowledge, _))| knowledge_ids.is_empty() || knowledge_ids.contains(knowledge));
    let mut all: Vec<_> =
        wanted.map(|(id, (_, vector))| ScoredChunk { chunk_id: id.clone(), score: exact_dot(query, vector) + 0.0 }).collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.chunk_id.cmp(&b.chunk_id)));
    all.truncate(top_k);
    all
}

/// Few different values, so that equal scores are common; zero vectors; close neighbours that only full precision tells apart.
fn vector(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
    prop_oneof![
        3 => prop::collection::vec(-1f32..1f32, dimension),
        3 => prop::collection::vec(prop_oneof![Just(0f32), Just(0.5), Just(-0.5)], dimension),
        1 => Just(vec![0f32; dimension]),
        2 => prop::collection::vec(0.1f32..0.100_001f32, dimension),
    ]
}

/// Rows that are put and rows that are taken out.
type Step = (Vec<(u8, Vec<f32>)>, Vec<u8>);

#[derive(Debug, Clone)]
struct Case {
    steps: Vec<Step>,
    query: Vec<f32>,
    filter: Vec<u8>,
    top_k: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    (1usize..=600).prop_flat_map(|dimension| {
        let adds = prop::collection::vec((any::<u8>(), vector(dimension)), 0..120);
        let steps = prop::collection::vec((adds, prop::collection::vec(any::<u8>(), 0..20)), 1..4);
        (steps, vector(dimension), prop::collection::vec(0u8..8, 0..4), 0usize..40).prop_map(|(steps, query, filter, top_k)| Case {
            steps,
            query,
            filter,
            top_k,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn the_scan_finds_what_comparing_with_every_row_finds(case in cases()) {
        let folder = tempfile::tempdir().unwrap();
        let mut vectors = Vectors::create(folder.path(), &key()).unwrap();
        let mut expected = BTreeMap::new();
        for (sequence, (adds, deletes)) in case.steps.iter().enumerate() {
            let chunks: Vec<_> = adds.iter().map(|(id, vector)| IndexedChunk {
                knowledge_id: format!("k{}", id % 8),
                ..chunk(&format!("c{id}"), "kb", "", Some(vector.clone()))
            }).collect();
            vectors.upsert(1, &chunks).unwrap();
            for chunk in chunks {
                expected.insert(chunk.chunk_id, (chunk.knowledge_id, chunk.vector.unwrap()));
            }
            let deletes: Vec<String> = deletes.iter().map(|id| format!("c{id}")).collect();
            vectors.delete(1, "kb", &deletes);
            for id in deletes {
                expected.remove(&id);
            }
            vectors.commit(sequence as i64 + 1).unwrap();
        }
        let filter: Vec<String> = case.filter.iter().map(|id| format!("k{id}")).collect();
        let other: Vec<f32> = case.query.iter().map(|value| -value).collect();
        let asked = |vector: &[f32], filter: &[String], top_k| Asked { vector: vector.to_vec(), knowledge_ids: filter.to_vec(), top_k };
        let together = [asked(&case.query, &filter, case.top_k), asked(&other, &[], 3), asked(&case.query, &[], case.top_k + 1)];
        let expected: Vec<_> =
            together.iter().map(|asked| by_comparison(&expected, &asked.vector, &asked.knowledge_ids, asked.top_k)).collect();
        for reopened in [false, true] {
            if reopened {
                drop(vectors);
                vectors = Vectors::open(folder.path(), &key()).unwrap().unwrap();
            }
            let view = vectors.view();
            for kernel in Kernel::available() {
                let found = view.values().find(|space| space.map.layout().dimension == case.query.len());
                let all = found.map_or_else(|| vec![Vec::new(); 3], |space| scan::search_all(space, &together, kernel));
                prop_assert_eq!(&all, &expected);
                let alone = found.map_or_else(Vec::new, |space| scan::search(space, together[0].clone(), kernel));
                prop_assert_eq!(&alone, &expected[0]);
            }
        }
    }
}

#[test]
fn growth_and_compaction_keep_rows_and_readers_keep_their_view() {
    let folder = tempfile::tempdir().unwrap();
    let mut vectors = Vectors::create(folder.path(), &key()).unwrap();
    let make = |range: std::ops::Range<i32>| -> Vec<IndexedChunk> {
        range.map(|n| chunk(&format!("c{n}"), "kb", "", Some(vec![n as f32, 1.0]))).collect()
    };
    vectors.upsert(1, &make(0..200)).unwrap();
    vectors.commit(1).unwrap();
    let old = vectors.view();
    let best = |view: &super::vectors::VectorView| {
        let space = view.values().next().unwrap();
        (space.live(), {
            let asked = Asked { vector: vec![1.0, 0.0], knowledge_ids: Vec::new(), top_k: 1 };
            scan::search(space, asked, Kernel::detect())[0].chunk_id.clone()
        })
    };
    vectors.upsert(1, &make(200..3000)).unwrap();
    assert_eq!(best(&vectors.view()), (200, "c199".into()), "nothing is seen before the commit");
    vectors.commit(2).unwrap();
    assert_eq!(best(&vectors.view()), (3000, "c2999".into()));
    let gone: Vec<String> = (500..3000).map(|n| format!("c{n}")).collect();
    vectors.delete(1, "kb", &gone);
    vectors.commit(3).unwrap();
    assert_eq!(best(&vectors.view()), (500, "c499".into()));
    assert_eq!(vectors.view().values().next().unwrap().rows, 500, "compacted");
    assert_eq!(best(&old), (200, "c199".into()), "a reader of before");
    drop(vectors);
    let mut vectors = Vectors::open(folder.path(), &key()).unwrap().unwrap();
    assert_eq!((best(&vectors.view()), vectors.sequence()), ((500, "c499".into()), 3));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "one log and one file of rows");
    vectors.delete(1, "kb", &(0..500).map(|n| format!("c{n}")).collect::<Vec<_>>());
    vectors.commit(4).unwrap();
    assert!(vectors.view().is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "an empty space has no file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_that_share_a_pass_find_what_each_finds_alone() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    // Large enough not to be scanned in the caller's task.
    let vector = |n: usize| -> Vec<f32> { (0..512).map(|place| ((n * 31 + place * 17) % 101) as f32 - 50.0).collect() };
    let chunks = |base: &str| (0..4_200).map(|n| chunk(&format!("c{n}"), base, "", Some(vector(n)))).collect::<Vec<_>>();
    for base in ["a", "b"] {
        index.upsert(&scope(1), chunks(base)).await.unwrap();
    }
    index.commit(1).await.unwrap();
    let asked = |n: usize| request(if n.is_multiple_of(3) { "a" } else { "b" }, "", Some(vector(n * 7)), 5);
    let mut alone = Vec::new();
    for n in 0..40 {
        alone.push(index.retrieve(&scope(1), &asked(n)).await.unwrap().vector);
    }
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let (index, request) = (index.clone(), asked(n));
            // Some leave before they are answered.
            let leaves = n % 10 == 9;
            tokio::spawn(async move {
                let (scope, wait) = (scope(1), std::time::Duration::from_secs(if leaves { 0 } else { 600 }));
                tokio::time::timeout(wait, index.retrieve(&scope, &request)).await.ok().map(|found| found.unwrap().vector)
            })
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let found = task.await.unwrap();
        assert!(found.is_some() || n % 10 == 9);
        assert!(found.is_none_or(|found| found == alone[n] && found.len() == 5), "search {n}");
    }
}

// ---- keywords ----------------------------------------------------------

#[tokio::test]
async fn words_find_chunks_whatever_their_case_and_width() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    let chunks = vec![chunk("a", "kb", "Panther 知识 库", None), chunk("b", "kb", "ＡＢＣ other", None), chunk("c", "kb", "", None)];
    index.upsert(&scope(1), chunks).await.unwrap();
    index.commit(1).await.unwrap();
    for (words, expected) in [("PANTHER", vec!["a"]), ("abc", vec!["b"]), ("知识", vec!["a"]), ("nothing", vec![]), ("", vec![])] {
        let found = index.retrieve(&scope(1), &request("kb", words, None, 10)).await.unwrap();
        assert_eq!(ids(&found.keywords), expected, "{words}");
    }
    assert_eq!(index.count(&scope(1), "kb").await.unwrap(), 3, "a chunk without words counts");
}

#[tokio::test]
async fn equal_texts_come_in_the_order_of_their_ids_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    for (sequence, digit) in [(1, 3), (2, 1), (3, 2)] {
        let chunks = (0..50).rev().map(|n| chunk(&format!("c{n:02}-{digit}"), "kb", "same words here", None)).collect();
        index.upsert(&scope(1), chunks).await.unwrap();
        index.commit(sequence).await.unwrap();
    }
    let found = index.retrieve(&scope(1), &request("kb", "words", None, 7)).await.unwrap();
    assert_eq!(ids(&found.keywords), ["c00-1", "c00-2", "c00-3", "c01-1", "c01-2", "c01-3", "c02-1"]);
}

#[tokio::test]
async fn another_tenants_base_moves_no_score_and_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    let mine = || vec![chunk("a", "kb", "red apple tree", Some(vec![1.0, 0.0])), chunk("b", "kb", "green pear", Some(vec![0.0, 1.0]))];
    index.upsert(&scope(1), mine()).await.unwrap();
    index.commit(1).await.unwrap();
    let ask = request("kb", "apple pear", Some(vec![1.0, 0.0]), 10);
    let alone = index.retrieve(&scope(1), &ask).await.unwrap();
    assert_eq!((ids(&alone.keywords).len(), ids(&alone.vector)), (2, vec!["a", "b"]));

    // The same knowledge base id and the same chunk ids under another tenant, and another base of the same tenant.
    let noise = |base: &str| (0..300).map(|n| chunk(&format!("x{n}"), base, "apple apple pie", Some(vec![1.0, 0.0]))).collect::<Vec<_>>();
    index.upsert(&scope(2), noise("kb")).await.unwrap();
    index.upsert(&scope(1), noise("other")).await.unwrap();
    index.upsert(&scope(2), mine()).await.unwrap();
    index.commit(2).await.unwrap();
    assert_eq!(index.retrieve(&scope(1), &ask).await.unwrap(), alone);

    index.delete(&scope(2), "kb", &["a".into(), "b".into()]).await.unwrap();
    index.delete(&scope(1), "other", &["a".into()]).await.unwrap();
    index.commit(3).await.unwrap();
    assert_eq!(index.retrieve(&scope(1), &ask).await.unwrap(), alone, "nobody deletes in another's base");
    assert_eq!(index.count(&scope(1), "kb").await.unwrap(), 2);
    assert_eq!(index.retrieve(&scope(3), &ask).await.unwrap(), Default::default());
    let (mut in_keywords, mut in_vectors) = index.chunk_ids(&scope(1), "kb").await.unwrap();
    in_keywords.sort();
    in_vectors.sort();
    assert_eq!((in_keywords, in_vectors), (vec!["a".to_owned(), "b".into()], vec!["a".to_owned(), "b".into()]));
}

#[tokio::test]
async fn coverage_is_the_share_of_the_query_that_a_hit_holds() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    for (sequence, id, words) in [(1, "a", "common rare"), (2, "b", "common"), (3, "c", "common other")] {
        index.upsert(&scope(1), vec![chunk(id, "kb", words, None)]).await.unwrap();
        index.commit(sequence).await.unwrap();
    }
    let found = index.retrieve(&scope(1), &request("kb", "common rare", None, 10)).await.unwrap();
    assert_eq!(ids(&found.keywords), ["a", "b", "c"]);
    let coverage = found.keyword_coverage;
    assert!(coverage[0] == 1.0 && coverage[1] < 0.2 && coverage[1] == coverage[2], "{coverage:?}");
    let found = index.retrieve(&scope(1), &request("kb", "common unknown unheard", None, 10)).await.unwrap();
    assert!(found.keyword_coverage.iter().all(|&share| share > 0.0 && share < 0.1), "{:?}", found.keyword_coverage);
}

#[tokio::test]
async fn a_filter_keeps_both_paths_to_its_knowledge() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    let chunks = ["a1", "b1", "a2", "c1"].map(|id| chunk(id, "kb", "word", Some(vec![1.0])));
    index.upsert(&scope(1), chunks.to_vec()).await.unwrap();
    index.commit(1).await.unwrap();
    let mut ask = request("kb", "word", Some(vec![1.0]), 10);
    ask.filter.knowledge_ids = vec!["k-a".into(), "k-c".into(), "k-unknown".into(), "k-a".into()];
    let found = index.retrieve(&scope(1), &ask).await.unwrap();
    assert_eq!((ids(&found.vector), ids(&found.keywords)), (vec!["a1", "a2", "c1"], vec!["a1", "a2", "c1"]));
}

#[tokio::test]
async fn a_chunk_that_changes_its_words_and_dimension_is_found_by_the_new_ones_alone() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    index.upsert(&scope(1), vec![chunk("a", "kb", "old", Some(vec![1.0, 0.0]))]).await.unwrap();
    index.commit(1).await.unwrap();
    let twice = vec![chunk("a", "kb", "between", None), chunk("a", "kb", "new", Some(vec![1.0]))];
    index.upsert(&scope(1), twice).await.unwrap();
    index.commit(2).await.unwrap();
    let found = index.retrieve(&scope(1), &request("kb", "old between", Some(vec![1.0, 0.0]), 10)).await.unwrap();
    assert_eq!(found, Default::default());
    let found = index.retrieve(&scope(1), &request("kb", "new", Some(vec![1.0]), 10)).await.unwrap();
    assert_eq!((ids(&found.vector), ids(&found.keywords)), (vec!["a"], vec!["a"]));
    assert_eq!(index.count(&scope(1), "kb").await.unwrap(), 1);
}

#[tokio::test]
async fn what_can_not_be_stored_is_refused_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    index.upsert(&scope(1), vec![chunk("a", "kb", "word", None)]).await.unwrap();
    for bad in [vec![f32::NAN], vec![f32::INFINITY], vec![], vec![1e9], vec![0.0; 16_001]] {
        assert!(index.upsert(&scope(1), vec![chunk("b", "kb", "word", Some(bad.clone()))]).await.is_err());
        assert!(index.retrieve(&scope(1), &request("kb", "", Some(bad), 1)).await.is_err());
    }
    let long = "x".repeat(40);
    assert!(index.upsert(&scope(1), vec![chunk(&long, "kb", "", None)]).await.is_err());
    index.commit(1).await.unwrap();
    assert_eq!(index.count(&scope(1), "kb").await.unwrap(), 1);
}

// ---- crashes -----------------------------------------------------------

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { std::fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

async fn first_change(index: &dyn Retriever) {
    let chunks = ["a", "b"].map(|id| chunk(id, "kb", "first", Some(vec![1.0, 0.5]))).to_vec();
    index.upsert(&scope(1), chunks).await.unwrap();
}

async fn second_change(index: &dyn Retriever) {
    index.upsert(&scope(1), vec![chunk("a", "kb", "second", Some(vec![0.5, 1.0])), chunk("c", "kb", "second", None)]).await.unwrap();
    index.delete(&scope(1), "kb", &["b".into()]).await.unwrap();
}

async fn check_second(index: &dyn Retriever, note: &str) {
    let found = index.retrieve(&scope(1), &request("kb", "first second", Some(vec![1.0, 0.0]), 10)).await.unwrap();
    assert_eq!((ids(&found.vector), ids(&found.keywords)), (vec!["a"], vec!["a", "c"]), "{note}");
    assert_eq!((index.count(&scope(1), "kb").await.unwrap(), index.committed_sequence()), (2, 8), "{note}");
}

/// A generation with commits 5 and 8 in `folder`; the length of its vector log after commit 5 is the answer.
async fn two_commits(folder: &Path) -> u64 {
    let generation = Generation::create(folder, &key(), &no_lock()).unwrap();
    first_change(&generation).await;
    generation.commit(5).await.unwrap();
    let log_bytes = std::fs::metadata(folder.join("vectors/commits")).unwrap().len();
    second_change(&generation).await;
    generation.commit(8).await.unwrap();
    check_second(&generation, "before").await;
    log_bytes
}

#[tokio::test]
async fn a_vector_commit_cut_at_any_byte_is_made_good_by_applying_the_changes_again() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    let first = two_commits(&whole).await;
    let log = std::fs::read(whole.join("vectors/commits")).unwrap();
    for len in first..log.len() as u64 {
        copy(&whole, &cut);
        std::fs::write(cut.join("vectors/commits"), &log[..len as usize]).unwrap();
        let generation = Generation::open(&cut, &key(), &no_lock()).unwrap().unwrap();
        assert_eq!(generation.committed_sequence(), 5, "cut at {len}");
        second_change(&generation).await;
        generation.commit(8).await.unwrap();
        check_second(&generation, &format!("cut at {len}")).await;
        drop(generation);
        std::fs::remove_dir_all(&cut).unwrap();
    }
}

#[tokio::test]
async fn a_kill_between_the_two_halves_shows_nothing_by_halves_after_replay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("index");
    let generation = Generation::create(&folder, &key(), &no_lock()).unwrap();
    first_change(&generation).await;
    generation.commit(5).await.unwrap();
    second_change(&generation).await;
    generation.commit_vectors_alone(8).await.unwrap();
    let found = generation.retrieve(&scope(1), &request("kb", "first", Some(vec![1.0, 0.0]), 10)).await.unwrap();
    assert_eq!((ids(&found.vector), ids(&found.keywords)), (vec!["a", "b"], vec!["a", "b"]), "readers still see the commit before");
    drop(generation);
    let generation = Generation::open(&folder, &key(), &no_lock()).unwrap().unwrap();
    assert_eq!(generation.committed_sequence(), 5);
    second_change(&generation).await;
    generation.commit(8).await.unwrap();
    check_second(&generation, "after").await;
    // Once more, as a follower does that lost its answer.
    second_change(&generation).await;
    generation.commit(8).await.unwrap();
    check_second(&generation, "twice").await;
}

#[tokio::test]
async fn changes_without_a_commit_are_gone_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("index");
    let generation = Generation::create(&folder, &key(), &no_lock()).unwrap();
    first_change(&generation).await;
    generation.commit(5).await.unwrap();
    second_change(&generation).await;
    drop(generation);
    let generation = Generation::open(&folder, &key(), &no_lock()).unwrap().unwrap();
    let found = generation.retrieve(&scope(1), &request("kb", "first second", Some(vec![1.0, 0.0]), 10)).await.unwrap();
    assert_eq!((ids(&found.vector), ids(&found.keywords)), (vec!["a", "b"], vec!["a", "b"]));
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[tokio::test]
async fn any_file_that_is_missing_or_cut_costs_a_rebuild_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    let index = EmbeddedIndex::open(&whole, key()).await.unwrap();
    index.accept_as_built();
    first_change(&index).await;
    index.commit(5).await.unwrap();
    second_change(&index).await;
    index.commit(8).await.unwrap();
    drop(index);
    let mut rebuilds = 0;
    for file in files(&whole) {
        let name = file.strip_prefix(&whole).unwrap().to_owned();
        if name.to_string_lossy().contains("lock") {
            continue;
        }
        let len = std::fs::metadata(&file).unwrap().len();
        for keep in [None, Some(0), Some(1), Some(len / 2), Some(len.saturating_sub(1))] {
            copy(&whole, &cut);
            match keep {
                None => std::fs::remove_file(cut.join(&name)).unwrap(),
                Some(keep) => std::fs::OpenOptions::new().write(true).open(cut.join(&name)).unwrap().set_len(keep).unwrap(),
            }
            let index = EmbeddedIndex::open(&cut, key()).await.unwrap_or_else(|error| panic!("{name:?} {keep:?}: {error:#}"));
            let sequence = index.committed_sequence();
            assert!(if index.wants_rebuild().is_some() { sequence == 0 } else { sequence == 5 || sequence == 8 }, "{name:?} {keep:?}");
            rebuilds += usize::from(index.wants_rebuild().is_some());
            second_change(&index).await;
            index.commit(8).await.unwrap();
            check_second(&index, &format!("{name:?} {keep:?}")).await;
            drop(index);
            std::fs::remove_dir_all(&cut).unwrap();
        }
    }
    assert!(rebuilds > 10, "{rebuilds}");
}

#[tokio::test]
async fn an_index_of_another_database_shows_nothing_and_one_of_another_tokenizer_answers_until_it_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    assert!(index.wants_rebuild().unwrap().contains("no index yet"));
    index.accept_as_built();
    first_change(&index).await;
    index.commit(5).await.unwrap();
    drop(index);

    let index = EmbeddedIndex::open(folder.path(), IndexKey::new("database", "newer")).await.unwrap();
    assert!(index.wants_rebuild().unwrap().contains("another tokenizer"));
    assert_eq!((index.count(&scope(1), "kb").await.unwrap(), index.committed_sequence()), (2, 5));
    let fresh = index.begin_rebuild().await.unwrap();
    second_change(&fresh).await;
    fresh.commit(8).await.unwrap();
    assert_eq!(index.count(&scope(1), "kb").await.unwrap(), 2, "the old one still answers");
    assert_eq!(index.committed_sequence(), 5);
    index.finish_rebuild(fresh).await.unwrap();
    assert_eq!((index.wants_rebuild(), index.committed_sequence()), (None, 8));
    drop(index);
    let index = EmbeddedIndex::open(folder.path(), IndexKey::new("database", "newer")).await.unwrap();
    assert_eq!((index.wants_rebuild(), index.committed_sequence()), (None, 8));
    drop(index);

    let index = EmbeddedIndex::open(folder.path(), IndexKey::new("another", "newer")).await.unwrap();
    assert!(index.wants_rebuild().unwrap().contains("another database"));
    assert_eq!((index.count(&scope(1), "kb").await.unwrap(), index.committed_sequence()), (0, 0));
}

#[tokio::test]
async fn a_folder_that_is_in_use_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let index = EmbeddedIndex::open(folder.path(), key()).await.unwrap();
    first_change(&index).await;
    index.commit(5).await.unwrap();
    let other = folder.path().to_owned();
    let error = tokio::task::spawn_blocking(move || lock(&other).unwrap_err()).await.unwrap();
    assert!(error.to_string().contains("in use"));
    assert_eq!(index.count(&scope(1), "kb").await.unwrap(), 2);
}
