//! The follower on a real database with a plain tokenizer.
//!
//! Not here: the engine's own tests.

use super::{Follower, FollowerState};
use crate::domain::{KnowledgeBase, TenantId, TenantScope};
use crate::error::Error;
use crate::limits;
use crate::provider::{
    BoxFuture, PluginIdentity, ProviderError, ProviderErrorKind, ProviderResult, RetrieveFilter, RetrieveRequest, Retriever, Span,
    TokenizeMode, Tokenizer,
};
use crate::store::testing::{TestStore, a_kb, a_knowledge, a_tenant, open, some_chunks};
use crate::store::{ChunkEmbedding, ChunkPatch, EmbeddedBy, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(30);

/// Words between spaces. Fails on texts with `poison` in them, and on everything while it is out of order.
struct Spaces {
    identity: PluginIdentity,
    out_of_order: AtomicBool,
}

impl Spaces {
    fn new(digest: &str) -> Arc<Self> {
        let identity = PluginIdentity { name: "spaces".into(), version: "1".into(), digest: digest.into() };
        Arc::new(Self { identity, out_of_order: AtomicBool::new(false) })
    }
}

impl Tokenizer for Spaces {
    fn tokenize<'a>(&'a self, texts: &'a [String], _: TokenizeMode) -> BoxFuture<'a, ProviderResult<Vec<Vec<Span>>>> {
        Box::pin(async move {
            if self.out_of_order.load(Ordering::SeqCst) || texts.iter().any(|text| text.contains("poison")) {
                return Err(ProviderError::new(ProviderErrorKind::PluginFault, "spaces 1", "it trapped"));
            }
            let spans = |text: &String| {
                let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
                text.split(' ').map(|word| Span { start: start(word), end: start(word) + word.len() }).collect()
            };
            Ok(texts.iter().map(spans).collect())
        })
    }

    fn plugin(&self) -> &PluginIdentity {
        &self.identity
    }
}

struct Running {
    follower: Follower,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(test: &TestStore, tokenizer: Arc<dyn Tokenizer>) -> Self {
        let follower =
            Follower::open(&index_folder(test), test.store.clone(), tokenizer, std::sync::Arc::new(TenantScope::mint)).await.unwrap();
        let (runner, stop) = (follower.clone(), CancellationToken::new());
        let until = stop.clone();
        let task = tokio::spawn(async move { runner.run(until).await });
        Self { follower, stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    async fn wait(&self, sequence: i64) {
        self.follower.wait_until(sequence, Instant::now() + LONG).await.unwrap();
    }

    async fn find(&self, scope: &TenantScope, kb: &KnowledgeBase, word: &str) -> Vec<String> {
        let request = RetrieveRequest {
            knowledge_base_id: kb.id.clone(),
            vector: None,
            tokens: vec![word.into()],
            filter: RetrieveFilter::default(),
            top_k: 100,
        };
        let mut ids: Vec<_> =
            self.follower.index().retrieve(scope, &request).await.unwrap().keywords.into_iter().map(|hit| hit.chunk_id).collect();
        ids.sort();
        ids
    }
}

fn index_folder(test: &TestStore) -> PathBuf {
    test.folder.path().join("index")
}

/// A published document; (knowledge id, chunk ids, sequence).
async fn publish(store: &Store, scope: &TenantScope, kb: &KnowledgeBase, name: &str, texts: &[&str]) -> (String, Vec<String>, i64) {
    let knowledge = a_knowledge(store, scope, kb, name).await;
    let chunks = some_chunks(&knowledge, texts);
    store.save_chunks(scope, &knowledge.id, &chunks).await.unwrap();
    let ids: Vec<String> = chunks.into_iter().map(|chunk| chunk.id).collect();
    let by = EmbeddedBy { model_id: "m".into(), dimension: 2, digest: "d".into() };
    let embeddings: Vec<_> = ids.iter().map(|id| ChunkEmbedding { chunk_id: id.clone(), vector: vec![1.0, 0.0] }).collect();
    store.save_embeddings(scope, &knowledge.id, &by, &embeddings).await.unwrap();
    let sequence = store.publish_chunks(scope, &knowledge.id).await.unwrap();
    (knowledge.id, ids, sequence)
}

#[tokio::test]
async fn what_is_published_is_found_and_what_is_deleted_is_not() {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let kb = a_kb(&test.store, &scope).await;
    let running = Running::start(&test, Spaces::new("a")).await;
    let (knowledge, ids, sequence) = publish(&test.store, &scope, &kb, "h1", &["red apple", "green apple"]).await;
    running.wait(sequence).await;
    assert_eq!(running.find(&scope, &kb, "apple").await, ids);

    let patch = ChunkPatch { is_enabled: Some(false), ..ChunkPatch::default() };
    test.store.update_chunk(&scope, &ids[0], &patch).await.unwrap();
    running.wait(test.store.max_sequence().await.unwrap()).await;
    assert_eq!(running.find(&scope, &kb, "apple").await, ids[1..], "a disabled chunk takes no place");

    let deleted = test.store.delete_knowledge(&scope, &knowledge).await.unwrap();
    running.wait(deleted.sequence).await;
    assert!(running.find(&scope, &kb, "apple").await.is_empty());
    assert!(running.follower.verify(LONG).await.unwrap().is_good());
    assert_eq!(running.follower.status().state, FollowerState::Following);
    running.stop().await;
}

#[tokio::test]
async fn a_start_with_less_than_sql_says_catches_up_and_one_with_more_is_rebuilt() {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let kb = a_kb(&test.store, &scope).await;
    let running = Running::start(&test, Spaces::new("a")).await;
    let (_, mut ids, sequence) = publish(&test.store, &scope, &kb, "h1", &["apple"]).await;
    running.wait(sequence).await;
    running.stop().await;

    let (_, more, sequence) = publish(&test.store, &scope, &kb, "h2", &["apple pie"]).await;
    ids.extend(more);
    ids.sort();
    let running = Running::start(&test, Spaces::new("a")).await;
    running.wait(sequence).await;
    assert_eq!(running.find(&scope, &kb, "apple").await, ids);

    // The index keeps a future that SQL lost.
    let index = running.follower.index().clone();
    running.stop().await;
    let ghost = crate::provider::IndexedChunk {
        chunk_id: "ghost".into(),
        knowledge_id: "k".into(),
        knowledge_base_id: kb.id.clone(),
        tokens: vec!["apple".into()],
        vector: None,
    };
    index.upsert(&scope, vec![ghost]).await.unwrap();
    index.commit(sequence + 5).await.unwrap();
    drop(index);
    let running = Running::start(&test, Spaces::new("a")).await;
    assert!(running.follower.status().sequence <= sequence, "a number from the lost future is not promised");
    running.wait(sequence).await;
    assert_eq!(running.find(&scope, &kb, "apple").await, ids);
    assert!(running.follower.verify(LONG).await.unwrap().is_good());
    running.stop().await;
}

#[tokio::test]
async fn another_tokenizer_or_a_lost_folder_means_a_rebuild_with_the_same_result() {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let other = a_tenant(&test.store, "two").await;
    let (kb, other_kb) = (a_kb(&test.store, &scope).await, a_kb(&test.store, &other).await);
    let running = Running::start(&test, Spaces::new("a")).await;
    let (_, ids, _) = publish(&test.store, &scope, &kb, "h1", &["apple", "apple tart"]).await;
    let (_, others, sequence) = publish(&test.store, &other, &other_kb, "h1", &["apple"]).await;
    running.wait(sequence).await;
    running.stop().await;
    test.store.prune_index_changes(sequence).await.unwrap();

    for round in ["another tokenizer", "lost", "damaged", "asked for"] {
        let tokenizer = Spaces::new(if round == "another tokenizer" { "a" } else { "b" });
        match round {
            "lost" => std::fs::remove_dir_all(index_folder(&test)).unwrap(),
            "damaged" => std::fs::write(index_folder(&test).join("current.json"), "{").unwrap(),
            _ => {}
        }
        let running = Running::start(&test, tokenizer).await;
        if round == "asked for" {
            running.follower.rebuild("asked for", LONG).await.unwrap();
        }
        running.wait(sequence).await;
        let result = running.follower.verify(LONG).await.unwrap();
        assert_eq!((result.chunks_in_database, result.chunks_in_index, result.is_good()), (3, 3, true), "{round}: {result:?}");
        assert_eq!(running.find(&scope, &kb, "apple").await, ids, "{round}");
        assert_eq!(running.find(&other, &other_kb, "apple").await, others, "{round}");
        assert!(running.find(&scope, &other_kb, "apple").await.is_empty());
        running.stop().await;
    }
}

#[tokio::test]
async fn changes_that_are_no_longer_kept_mean_a_rebuild() {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let kb = a_kb(&test.store, &scope).await;
    let running = Running::start(&test, Spaces::new("a")).await;
    let (_, _, first) = publish(&test.store, &scope, &kb, "h1", &["apple"]).await;
    running.wait(first).await;
    running.stop().await;
    let (_, _, lost) = publish(&test.store, &scope, &kb, "h2", &["apple two"]).await;
    let (_, _, last) = publish(&test.store, &scope, &kb, "h3", &["apple three"]).await;
    test.store.prune_index_changes(lost).await.unwrap();
    let running = Running::start(&test, Spaces::new("a")).await;
    running.wait(last).await;
    assert_eq!(running.find(&scope, &kb, "apple").await.len(), 3);
    running.stop().await;
}

#[tokio::test]
async fn a_text_that_the_tokenizer_fails_on_holds_nothing_up_and_is_found() {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let kb = a_kb(&test.store, &scope).await;
    let running = Running::start(&test, Spaces::new("a")).await;
    let (_, ids, sequence) = publish(&test.store, &scope, &kb, "h1", &["good apple", "poison apple", "fine"]).await;
    running.wait(sequence).await;
    assert_eq!(running.find(&scope, &kb, "apple").await, ids[..2]);
    running.stop().await;
}

#[tokio::test]
async fn a_wait_that_is_too_short_says_why() {
    let test = open().await;
    let follower =
        Follower::open(&index_folder(&test), test.store.clone(), Spaces::new("a"), std::sync::Arc::new(TenantScope::mint)).await.unwrap();
    let error = follower.wait_until(1, Instant::now()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(reason) if reason.contains("did not catch up")));
    follower.wait_until(0, Instant::now() + LONG).await.unwrap();
}

#[tokio::test]
async fn many_documents_from_two_writers_are_all_found() {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let kb = a_kb(&test.store, &scope).await;
    let running = Running::start(&test, Spaces::new("a")).await;
    let write = |prefix: &'static str| {
        let (store, scope, kb) = (test.store.clone(), scope, kb.clone());
        async move {
            let mut last = 0;
            for n in 0..20 {
                last = publish(&store, &scope, &kb, &format!("{prefix}{n}"), &["apple", "pear"]).await.2;
            }
            last
        }
    };
    let (a, b) = tokio::join!(write("a"), write("b"));
    running.wait(a.max(b)).await;
    assert_eq!(running.find(&scope, &kb, "apple").await.len(), 40);
    assert!(running.follower.verify(LONG).await.unwrap().is_good());
    assert!(limits::INDEX_POLL < LONG);
    running.stop().await;
}

#[tokio::test]
async fn an_engine_that_is_wiped_under_the_follower_is_seen_by_verify_and_made_good_by_rebuild() {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let kb = a_kb(&test.store, &scope).await;
    let running = Running::start(&test, Spaces::new("a")).await;
    let (_, ids, sequence) = publish(&test.store, &scope, &kb, "h1", &["apple", "pear"]).await;
    running.wait(sequence).await;
    let index = running.follower.index().clone();
    index.delete(&scope, &kb.id, &ids[..1]).await.unwrap();
    index.commit(sequence).await.unwrap();
    let result = running.follower.verify(LONG).await.unwrap();
    assert_eq!((result.missing_count, result.surplus_count), (2, 0), "by words and by meaning");
    assert_eq!(result.examples, [ids[0].clone()]);
    running.follower.rebuild("it lacks chunks", LONG).await.unwrap();
    assert!(running.follower.verify(LONG).await.unwrap().is_good());
    assert_eq!(TenantId(scope.tenant_id().0), scope.tenant_id());
    running.stop().await;
}
