//! Finds candidates by vector and by words.

use super::{BoxFuture, ProviderResult};
use crate::domain::TenantScope;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetrieveFilter {
    /// Empty: all.
    pub knowledge_ids: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct RetrieveRequest {
    pub knowledge_base_id: String,
    /// Unit length; `None`: no vector search.
    pub vector: Option<Vec<f32>>,
    /// Words of the query; empty: no keyword search.
    pub tokens: Vec<String>,
    pub filter: RetrieveFilter,
    /// For each path.
    pub top_k: usize,
}

/// `score`: cosine in [-1, 1] on the vector path, BM25 (any positive number) on the keyword path.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredChunk {
    pub chunk_id: String,
    pub score: f32,
}

/// Best first on each path; ties by chunk id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retrieved {
    pub vector: Vec<ScoredChunk>,
    pub keywords: Vec<ScoredChunk>,
    /// For each keyword hit the share of the query, in [0, 1], that its words make up, rare words counting more (by their inverse document
    /// frequency); it says how much a good place in the list means. Empty: the engine can not tell.
    pub keyword_coverage: Vec<f32>,
}

/// A chunk as the follower hands it to an engine.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedChunk {
    pub chunk_id: String,
    pub knowledge_id: String,
    pub knowledge_base_id: String,
    pub tokens: Vec<String>,
    /// `None`: keywords alone.
    pub vector: Option<Vec<f32>>,
}

pub trait Retriever: Send + Sync {
    fn name(&self) -> &str;

    fn retrieve<'a>(&'a self, scope: &'a TenantScope, request: &'a RetrieveRequest) -> BoxFuture<'a, ProviderResult<Retrieved>>;

    /// Adds or replaces; visible to `retrieve` after [`Retriever::commit`].
    fn upsert<'a>(&'a self, scope: &'a TenantScope, chunks: Vec<IndexedChunk>) -> BoxFuture<'a, ProviderResult<()>>;

    fn delete<'a>(
        &'a self,
        scope: &'a TenantScope,
        knowledge_base_id: &'a str,
        chunk_ids: &'a [String],
    ) -> BoxFuture<'a, ProviderResult<()>>;

    /// Makes everything so far durable and visible, together with the sequence number of the last change in it.
    fn commit<'a>(&'a self, sequence: i64) -> BoxFuture<'a, ProviderResult<()>>;

    /// The sequence number of the last commit, 0 when there is none.
    fn committed_sequence(&self) -> i64;

    fn count<'a>(&'a self, scope: &'a TenantScope, knowledge_base_id: &'a str) -> BoxFuture<'a, ProviderResult<u64>>;
}
