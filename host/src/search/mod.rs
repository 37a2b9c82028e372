//! Hybrid search in a knowledge base: query embedding, retrieval, thresholds, fusion, expansion.
//!
//! Not here: which engine or model answers, and what becomes of the candidates (`chat`).

mod embedding;
mod expand;
mod explain;
mod filter;
mod fusion;
#[cfg(test)]
mod tests;

pub use expand::Candidate;
pub use explain::Explain;
pub use filter::SearchFilter;
pub use fusion::FusionOrder;

use crate::domain::{KnowledgeBase, MatchType, TenantScope};
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{
    CallContext, Embedder, Registry, RetrieveFilter, RetrieveRequest, Retrieved, Retriever, ScoreMap, ScoredChunk, TokenizeMode,
};
use crate::store::Store;
use embedding::QueryEmbeddings;
use expand::Hit;
use fusion::{Fused, fuse, shown_keyword_score};
use std::sync::Arc;

/// Which ways of finding are used; all, unless somebody measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paths {
    pub vector: bool,
    pub keywords: bool,
}

impl Default for Paths {
    fn default() -> Self {
        Self { vector: true, keywords: true }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HybridQuery {
    pub knowledge_base_id: String,
    pub text: String,
    /// A vector hit's shown score must be greater.
    pub vector_threshold: f64,
    /// A keyword hit's shown score must be greater; `None`: words filter nothing, as the contract has it.
    pub keyword_threshold: Option<f64>,
    /// For each path; 0 means the contract's default, more than the maximum is the maximum.
    pub match_count: i64,
    pub filter: SearchFilter,
    pub paths: Paths,
    pub explain: bool,
}

impl HybridQuery {
    fn top_k(&self) -> usize {
        match usize::try_from(self.match_count) {
            Ok(0) => limits::MATCH_COUNT_DEFAULT,
            Ok(count) => count.min(limits::MATCH_COUNT_MAX),
            // The reference's engine takes a negative number for no limit.
            Err(_) => limits::MATCH_COUNT_MAX,
        }
    }
}

/// Clones share everything.
#[derive(Clone)]
pub struct Search {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    registry: Registry,
    retriever: Arc<dyn Retriever>,
    order: FusionOrder,
    embeddings: QueryEmbeddings,
}

/// The vector path of one query.
struct Meaning {
    embedder: Arc<dyn Embedder>,
    vector: Vec<f32>,
}

impl Search {
    pub fn new(store: Store, registry: Registry, retriever: Arc<dyn Retriever>, order: FusionOrder) -> Self {
        Self { inner: Arc::new(Inner { store, registry, retriever, order, embeddings: QueryEmbeddings::default() }) }
    }

    /// Best first: by rank score, ties by chunk id. Nothing found is an empty list; another tenant's base does not exist.
    pub async fn hybrid_search(&self, context: &CallContext, scope: &TenantScope, query: &HybridQuery) -> Result<Vec<Candidate>> {
        check_text(&query.text)?;
        query.filter.check()?;
        let inner = &self.inner;
        let kb = inner.store.get_knowledge_base(scope, &query.knowledge_base_id).await?;
        let text = query.text.trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let knowledge_ids = query.filter.knowledge_ids(&inner.store, scope, &kb.id).await?;
        if knowledge_ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let mut notes = Vec::new();
        let (meaning, tokens) = tokio::try_join!(self.meaning(context, scope, &kb, query.paths, text), self.words(query.paths, text))?;
        let meaning = match meaning {
            Ok(meaning) => meaning,
            Err(note) => {
                tracing::warn!(request_id = %context.request_id, knowledge_base_id = %kb.id, %note, "the search goes by words alone");
                notes.push(note);
                None
            }
        };
        let request = RetrieveRequest {
            knowledge_base_id: kb.id.clone(),
            vector: meaning.as_ref().map(|meaning| meaning.vector.clone()),
            tokens,
            filter: RetrieveFilter { knowledge_ids: knowledge_ids.unwrap_or_default() },
            top_k: query.top_k(),
        };
        let mut retrieved = inner.retriever.retrieve(scope, &request).await?;
        let map = meaning.as_ref().map(|meaning| meaning.embedder.score_map().clone()).unwrap_or_default();
        apply_thresholds(&mut retrieved, query, &map);
        let about = query.explain.then(|| self.about(meaning.as_ref(), query.paths, notes));
        let hits = fuse(&retrieved, inner.order).into_iter().map(|fused| hit(fused, &map, about.as_ref())).collect();
        expand::expand(&inner.store, scope, &kb.id, hits).await
    }

    /// The inner error is the reason why vectors can not be used here.
    async fn meaning(
        &self,
        context: &CallContext,
        scope: &TenantScope,
        kb: &KnowledgeBase,
        paths: Paths,
        text: &str,
    ) -> Result<std::result::Result<Option<Meaning>, String>> {
        if !paths.vector {
            return Ok(Ok(None));
        }
        let embedder = self.inner.registry.embedder(scope, &kb.embedding_model_id).await?;
        if let Some(fixed) = self.inner.store.find_fixed_embedding(scope, &kb.id).await?
            && (fixed.model_id != embedder.model_id() || fixed.digest != embedder.digest())
        {
            return Ok(Err(format!("the chunks were embedded by another state of model {}, so vectors do not compare", fixed.model_id)));
        }
        let vector = self.inner.embeddings.embed(context, &*embedder, text).await?.to_vec();
        Ok(Ok(Some(Meaning { embedder, vector })))
    }

    async fn words(&self, paths: Paths, text: &str) -> Result<Vec<String>> {
        if !paths.keywords {
            return Ok(Vec::new());
        }
        let spans = self.inner.registry.tokenizer().tokenize(&[text.to_owned()], TokenizeMode::Query).await?;
        let words = spans.into_iter().flatten().filter_map(|span| text.get(span.start..span.end));
        Ok(words.map(str::to_owned).collect())
    }

    /// What all hits of a query share.
    fn about(&self, meaning: Option<&Meaning>, paths: Paths, notes: Vec<String>) -> Explain {
        Explain {
            retriever: self.inner.retriever.name().to_owned(),
            embedder: meaning.map(|meaning| meaning.embedder.plugin().to_string()),
            tokenizer: paths.keywords.then(|| self.inner.registry.tokenizer().plugin().to_string()),
            notes,
            ..Explain::default()
        }
    }
}

/// A query that is too long or holds control characters is refused before anything is done for it.
fn check_text(text: &str) -> Result<()> {
    let illegal = text.len() > limits::QUERY_BYTES_MAX || text.chars().any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r'));
    if illegal { Err(Error::bad_request("用户查询包含非法内容")) } else { Ok(()) }
}

fn shown_similarity(map: &ScoreMap, similarity: f32) -> f64 {
    f64::from(map.apply(similarity)).clamp(0.0, 1.0)
}

fn apply_thresholds(retrieved: &mut Retrieved, query: &HybridQuery, map: &ScoreMap) {
    let passes = |hit: &ScoredChunk| shown_similarity(map, hit.score) > query.vector_threshold;
    retrieved.vector.retain(passes);
    if let Some(threshold) = query.keyword_threshold {
        // The list is in falling order, so what passes is its start.
        let passing = retrieved.keywords.iter().take_while(|hit| shown_keyword_score(hit.score) > threshold).count();
        retrieved.keywords.truncate(passing);
        retrieved.keyword_coverage.truncate(passing);
    }
}

fn hit(fused: Fused, map: &ScoreMap, about: Option<&Explain>) -> Hit {
    let (match_type, score) = match (fused.vector, fused.keywords) {
        (Some((_, similarity)), _) => (MatchType::Vector, shown_similarity(map, similarity)),
        (None, Some((_, score))) => (MatchType::Keywords, shown_keyword_score(score)),
        (None, None) => (MatchType::Keywords, 0.0),
    };
    let explain = about.map(|about| Explain {
        vector_rank: fused.vector.map(|(rank, _)| rank),
        vector_similarity: fused.vector.map(|(_, score)| score),
        keyword_rank: fused.keywords.map(|(rank, _)| rank),
        keyword_score: fused.keywords.map(|(_, score)| score),
        keyword_coverage: fused.keyword_coverage,
        fused_score: fused.score,
        ..about.clone()
    });
    // Six digits are more than a score means, and keep float noise out of answers.
    let score = (score * 1e6).round() / 1e6;
    Hit { chunk_id: fused.chunk_id, score, match_type, rank_score: fused.score, explain }
}
