//! Hybrid search over a real store, with an engine and models played by the test.
//!
//! Not here: whether an engine finds the right chunks.

use super::{Candidate, FusionOrder, HybridQuery, Paths, Search, SearchFilter};
use crate::domain::{Chunk, ChunkType, KnowledgeBase, MatchType, TenantId, TenantScope};
use crate::error::{Error, Result};
use crate::provider::testing::PlayedModels;
use crate::provider::{
    BUILTIN_EMBED, BoxFuture, CallContext, EmbedPurpose, IndexedChunk, ProviderResult, RetrieveRequest, Retrieved, Retriever, ScoreMap,
    ScoredChunk, TokenizeMode,
};
use crate::store::testing::{TestStore, a_kb, a_knowledge, a_tenant, open, some_chunks};
use crate::store::{ChunkPatch, Completion, EmbeddedBy, KnowledgePatch};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An embedder that sees the same in every text.
fn models() -> PlayedModels {
    PlayedModels { digest: "now".into(), vector: Some(vec![1.0, 0.0]), ..PlayedModels::default() }
}

/// Answers what the test says and remembers what it was asked.
#[derive(Default)]
struct Engine {
    answer: Mutex<Retrieved>,
    asked: Mutex<Vec<(TenantId, RetrieveRequest)>>,
}

impl Retriever for Engine {
    fn name(&self) -> &str {
        "played-engine"
    }
    fn retrieve<'a>(&'a self, scope: &'a TenantScope, request: &'a RetrieveRequest) -> BoxFuture<'a, ProviderResult<Retrieved>> {
        self.asked.lock().unwrap().push((scope.tenant_id(), request.clone()));
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async move { Ok(answer) })
    }
    fn upsert<'a>(&'a self, _: &'a TenantScope, _: Vec<IndexedChunk>) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async { Ok(()) })
    }
    fn delete<'a>(&'a self, _: &'a TenantScope, _: &'a str, _: &'a [String]) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async { Ok(()) })
    }
    fn commit<'a>(&'a self, _: i64) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async { Ok(()) })
    }
    fn committed_sequence(&self) -> i64 {
        0
    }
    fn count<'a>(&'a self, _: &'a TenantScope, _: &'a str) -> BoxFuture<'a, ProviderResult<u64>> {
        Box::pin(async { Ok(0) })
    }
}

struct Scene {
    test: TestStore,
    scope: TenantScope,
    kb: KnowledgeBase,
    knowledge_id: String,
    /// Ids of a document of five linked chunks.
    ids: Vec<String>,
    models: Arc<PlayedModels>,
    engine: Arc<Engine>,
    search: Search,
}

async fn scene_with(order: FusionOrder, models: PlayedModels, shape: impl FnOnce(&mut Vec<Chunk>)) -> Scene {
    let test = open().await;
    let scope = a_tenant(&test.store, "one").await;
    let kb = a_kb(&test.store, &scope).await;
    let knowledge = a_knowledge(&test.store, &scope, &kb, "h1").await;
    let mut chunks = some_chunks(&knowledge, &["zero", "one", "two", "three", "four"]);
    shape(&mut chunks);
    test.store.save_chunks(&scope, &knowledge.id, &chunks).await.unwrap();
    test.store.publish_chunks(&scope, &knowledge.id).await.unwrap();
    test.store.complete_knowledge(&scope, &knowledge.id, &Completion::default()).await.unwrap();
    let (models, engine) = (Arc::new(models), Arc::new(Engine::default()));
    let search = Search::new(test.store.clone(), models.registry(), engine.clone(), order);
    let ids = chunks.into_iter().map(|chunk| chunk.id).collect();
    Scene { test, scope, kb, knowledge_id: knowledge.id, ids, models, engine, search }
}

async fn scene() -> Scene {
    scene_with(FusionOrder::default(), models(), |_| {}).await
}

impl Scene {
    fn query(&self) -> HybridQuery {
        HybridQuery { knowledge_base_id: self.kb.id.clone(), text: " two words ".into(), ..HybridQuery::default() }
    }

    /// Places in the document with scores.
    fn engine_says(&self, vector: &[(usize, f32)], keywords: &[(usize, f32)]) {
        let list = |hits: &[(usize, f32)]| {
            hits.iter().map(|&(place, score)| ScoredChunk { chunk_id: self.ids[place].clone(), score }).collect::<Vec<_>>()
        };
        *self.engine.answer.lock().unwrap() = Retrieved { vector: list(vector), keywords: list(keywords), ..Retrieved::default() };
    }

    async fn ask(&self, query: &HybridQuery) -> Result<Vec<Candidate>> {
        let context = CallContext::interactive(self.scope.tenant_id(), "r", Duration::from_secs(10));
        self.search.hybrid_search(&context, &self.scope, query).await
    }

    /// (place in the document, match type, shown score), best first.
    async fn found(&self, query: &HybridQuery) -> Vec<(usize, MatchType, f64)> {
        let place = |id: &str| self.ids.iter().position(|known| known == id).unwrap();
        self.ask(query).await.unwrap().iter().map(|hit| (place(&hit.result.id), hit.result.match_type, hit.result.score)).collect()
    }

    fn asked(&self) -> RetrieveRequest {
        self.engine.asked.lock().unwrap().last().expect("asked").1.clone()
    }
}

#[tokio::test]
async fn direct_hits_come_first_and_keep_their_type_although_they_are_neighbours() {
    let scene = scene().await;
    scene.engine_says(&[(1, 0.9), (2, 0.8)], &[(2, 8.0), (4, 8.0)]);
    let found = scene.found(&scene.query()).await;
    let expected = [
        (2, MatchType::Vector, 0.8),
        (1, MatchType::Vector, 0.9),
        (4, MatchType::Keywords, 0.5),
        (3, MatchType::Neighbour, 0.0),
        (0, MatchType::Neighbour, 0.0),
    ];
    assert_eq!(found, expected);
    let candidates = scene.ask(&scene.query()).await.unwrap();
    assert!(candidates.windows(2).all(|pair| pair[0].rank_score >= pair[1].rank_score));
    assert!(candidates.iter().all(|hit| (0.0..=1.0).contains(&hit.result.score) && hit.explain.is_none()));
    assert_eq!(candidates[0].result.metadata, Some(BTreeMap::new()));
    assert_eq!((candidates[0].result.knowledge_title.as_str(), candidates[0].result.seq), ("h1.txt", 2));
}

#[tokio::test]
async fn a_tie_goes_by_place_in_the_document_whatever_the_ids_are() {
    for (first, second) in [(1, 3), (3, 1)] {
        let scene = scene().await;
        scene.engine_says(&[(first, 0.9)], &[(second, 3.0)]);
        let found = scene.found(&scene.query()).await;
        assert_eq!(found.iter().take(2).map(|(place, ..)| *place).collect::<Vec<_>>(), [1, 3]);
    }
}

#[tokio::test]
async fn the_reference_order_lists_the_vector_hits_and_then_the_words() {
    let scene = scene_with(FusionOrder::Reference, models(), |_| {}).await;
    scene.engine_says(&[(1, 0.9), (2, 0.8)], &[(4, 9.0), (2, 8.0)]);
    let places: Vec<usize> = scene.found(&scene.query()).await.iter().map(|hit| hit.0).take(3).collect();
    assert_eq!(places, [1, 2, 4]);
}

#[tokio::test]
async fn the_vector_threshold_applies_to_the_shown_score_and_words_filter_nothing_by_default() {
    let map = ScoreMap { points: vec![(0.0, 0.0), (0.4, 0.9), (1.0, 1.0)] };
    let scene = scene_with(FusionOrder::default(), PlayedModels { map, ..models() }, |_| {}).await;
    scene.engine_says(&[(0, 0.4), (4, 0.1)], &[(2, 0.5)]);
    let query = HybridQuery { vector_threshold: 0.5, ..scene.query() };
    let found = scene.found(&query).await;
    assert_eq!(found[..2].iter().map(|hit| (hit.0, hit.1)).collect::<Vec<_>>(), [(0, MatchType::Vector), (2, MatchType::Keywords)]);
    assert!((found[0].2 - 0.9).abs() < 1e-6);
    assert!(found.iter().all(|hit| hit.0 != 4));
    let query = HybridQuery { keyword_threshold: Some(0.5), ..query };
    assert!(scene.found(&query).await.iter().all(|hit| hit.1 != MatchType::Keywords), "unless somebody asks for it");
    scene.engine_says(&[(0, 0.0), (1, -0.5)], &[]);
    assert!(scene.found(&scene.query()).await.is_empty(), "a threshold of zero wants more than zero");
}

#[tokio::test]
async fn pictures_give_their_place_to_the_text_they_belong_to_and_relations_follow() {
    let scene = scene_with(FusionOrder::default(), models(), |chunks| {
        let parent = chunks[0].id.clone();
        let related = chunks[4].id.clone();
        chunks[3].chunk_type = ChunkType::ImageCaption;
        chunks[3].parent_chunk_id = parent;
        chunks[1].relation_chunks = Some(vec![related]);
        chunks[1].chunk_type = ChunkType::Summary;
    })
    .await;
    scene.engine_says(&[(3, 0.9), (1, 0.8)], &[]);
    let found = scene.found(&scene.query()).await;
    assert_eq!(found, [(0, MatchType::Parent, 0.9), (1, MatchType::Vector, 0.8), (4, MatchType::Relation, 0.0)]);
}

#[tokio::test]
async fn what_is_disabled_or_deleted_or_elsewhere_is_not_shown() {
    let scene = scene().await;
    let off = ChunkPatch { is_enabled: Some(false), ..ChunkPatch::default() };
    scene.test.store.update_chunk(&scene.scope, &scene.ids[1], &off).await.unwrap();
    scene.engine_says(&[(1, 0.9), (2, 0.8)], &[]);
    scene.engine.answer.lock().unwrap().vector.push(ScoredChunk { chunk_id: "ghost".into(), score: 0.7 });
    let places: Vec<usize> = scene.found(&scene.query()).await.iter().map(|hit| hit.0).collect();
    assert_eq!(places, [2, 3], "neither as a hit nor as a neighbour");

    let other_kb = a_kb(&scene.test.store, &scene.scope).await;
    let query = HybridQuery { knowledge_base_id: other_kb.id, ..scene.query() };
    assert!(scene.ask(&query).await.unwrap().is_empty(), "an engine that mixes up bases shows nothing of another");

    scene.test.store.delete_knowledge(&scene.scope, &scene.knowledge_id).await.unwrap();
    assert!(scene.ask(&scene.query()).await.unwrap().is_empty());
}

#[tokio::test]
async fn another_tenants_base_does_not_exist_and_costs_nothing() {
    let scene = scene().await;
    let stranger = a_tenant(&scene.test.store, "two").await;
    let context = CallContext::interactive(stranger.tenant_id(), "r", Duration::from_secs(10));
    let error = scene.search.hybrid_search(&context, &stranger, &scene.query()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    assert_eq!((scene.models.embedded.load(Ordering::SeqCst), scene.engine.asked.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn illegal_queries_are_refused_before_any_work_and_empty_ones_find_nothing() {
    let scene = scene().await;
    for text in ["a\u{0}b".to_owned(), "\u{1b}[0m".into(), "x".repeat(10_001)] {
        let error = scene.ask(&HybridQuery { text, ..scene.query() }).await.unwrap_err();
        assert!(matches!(error, Error::BadRequest(message) if message == "用户查询包含非法内容"));
    }
    for text in ["", " \t\n"] {
        assert!(scene.ask(&HybridQuery { text: text.into(), ..scene.query() }).await.unwrap().is_empty());
    }
    assert_eq!((scene.models.embedded.load(Ordering::SeqCst), scene.engine.asked.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn the_engine_is_asked_for_what_the_query_says_and_a_text_is_embedded_once() {
    let scene = scene().await;
    for (match_count, expected) in [(0, 10), (3, 3), (100_000, 200), (-1, 200)] {
        scene.ask(&HybridQuery { match_count, ..scene.query() }).await.unwrap();
        assert_eq!(scene.asked().top_k, expected);
    }
    assert_eq!(scene.asked().tokens, ["two", "words"]);
    assert_eq!((scene.asked().vector, scene.models.embedded.load(Ordering::SeqCst)), (Some(vec![1.0, 0.0]), 1));
    scene.ask(&HybridQuery { text: "other".into(), ..scene.query() }).await.unwrap();
    assert_eq!(scene.models.embedded.load(Ordering::SeqCst), 2);
    assert_eq!(*scene.models.purposes.lock().unwrap(), [EmbedPurpose::Query; 2]);
    assert!(scene.models.modes.lock().unwrap().iter().all(|mode| *mode == TokenizeMode::Query));
    scene.ask(&HybridQuery { paths: Paths { vector: false, keywords: true }, ..scene.query() }).await.unwrap();
    assert_eq!((scene.asked().vector, scene.asked().tokens.len()), (None, 2));
    scene.ask(&HybridQuery { paths: Paths { vector: true, keywords: false }, ..scene.query() }).await.unwrap();
    assert_eq!((scene.asked().vector.is_some(), scene.asked().tokens.len()), (true, 0));
}

#[tokio::test]
async fn a_filter_becomes_document_ids_and_one_that_fits_nothing_asks_nobody() {
    let scene = scene().await;
    let metadata = BTreeMap::from([("lang".to_owned(), "zh".to_owned())]);
    let patch = KnowledgePatch { metadata: Some(metadata.clone()), ..KnowledgePatch::default() };
    scene.test.store.update_knowledge(&scene.scope, &scene.knowledge_id, &patch).await.unwrap();
    let with = |filter| HybridQuery { filter, ..scene.query() };
    let fits = SearchFilter { file_types: vec!["TXT".into(), "pdf".into()], metadata: metadata.clone(), ..SearchFilter::default() };
    scene.ask(&with(fits)).await.unwrap();
    assert_eq!(scene.asked().filter.knowledge_ids, std::slice::from_ref(&scene.knowledge_id));
    scene.ask(&with(SearchFilter { knowledge_ids: vec!["k".into()], ..SearchFilter::default() })).await.unwrap();
    assert_eq!(scene.asked().filter.knowledge_ids, ["k"]);
    let asked = scene.engine.asked.lock().unwrap().len();
    let wrong = BTreeMap::from([("lang".to_owned(), "en".to_owned())]);
    for filter in [
        SearchFilter { file_types: vec!["pdf".into()], ..SearchFilter::default() },
        SearchFilter { metadata: wrong, ..SearchFilter::default() },
        SearchFilter { metadata, knowledge_ids: vec!["k".into()], ..SearchFilter::default() },
    ] {
        assert!(scene.ask(&with(filter)).await.unwrap().is_empty());
    }
    assert_eq!(scene.engine.asked.lock().unwrap().len(), asked);
    let many = SearchFilter { knowledge_ids: vec!["k".into(); 1_001], ..SearchFilter::default() };
    assert!(matches!(scene.ask(&with(many)).await.unwrap_err(), Error::BadRequest(_)));
}

#[tokio::test]
async fn explain_tells_ranks_scores_and_who_gave_them() {
    let scene = scene().await;
    scene.engine_says(&[(1, 0.9), (2, 0.8)], &[(2, 8.0)]);
    let found = scene.ask(&HybridQuery { explain: true, ..scene.query() }).await.unwrap();
    let explain = found[0].explain.clone().expect("asked for");
    assert_eq!((explain.vector_rank, explain.vector_similarity), (Some(2), Some(0.8)));
    assert_eq!((explain.keyword_rank, explain.keyword_score), (Some(1), Some(8.0)));
    assert!((explain.fused_score - (1.0 / 7.0 + 1.0 / 6.0)).abs() < 1e-9);
    assert_eq!((explain.retriever.as_str(), explain.embedder.as_deref()), ("played-engine", Some("played 1.0.0")));
    let neighbour = found.iter().find(|hit| hit.result.match_type == MatchType::Neighbour).expect("one");
    assert!(neighbour.explain.as_ref().is_some_and(|explain| explain.beside.is_some()));
    let text = serde_json::to_string(&found[1].explain).unwrap();
    assert!(!text.contains("keyword_rank") && !text.contains("notes"), "{text}");
}

#[tokio::test]
async fn vectors_of_another_state_of_the_model_are_not_compared() {
    let scene = scene().await;
    let before = EmbeddedBy { model_id: BUILTIN_EMBED.into(), dimension: 2, digest: "before".into() };
    scene.test.store.fix_embedding(&scene.scope, &scene.kb.id, &before).await.unwrap();
    scene.engine_says(&[], &[(0, 3.0)]);
    let found = scene.ask(&HybridQuery { explain: true, ..scene.query() }).await.unwrap();
    assert_eq!((scene.asked().vector, scene.models.embedded.load(Ordering::SeqCst)), (None, 0));
    assert!(found[0].explain.as_ref().unwrap().notes[0].contains("do not compare"));
    let now = EmbeddedBy { digest: "now".into(), ..before };
    scene.test.store.replace_fixed_embedding(&scene.scope, &scene.kb.id, &now).await.unwrap();
    scene.ask(&scene.query()).await.unwrap();
    assert!(scene.asked().vector.is_some());
}

#[tokio::test]
async fn an_embedder_that_answers_nonsense_is_named() {
    let scene = scene_with(FusionOrder::default(), PlayedModels { vector: Some(vec![f32::NAN, 0.0]), ..models() }, |_| {}).await;
    for _ in 0..2 {
        let error = scene.ask(&scene.query()).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { reason } if reason.contains("played 1.0.0")));
    }
    assert_eq!(scene.models.embedded.load(Ordering::SeqCst), 2, "a failure is not kept");
}
