//! Scores texts by how well they answer a query.

use super::{BoxFuture, CallContext, PluginIdentity, ProviderResult};

/// `index` is the place in the texts; `relevance_score` lies in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RerankHit {
    pub index: usize,
    pub relevance_score: f32,
}

pub trait Reranker: Send + Sync {
    /// Best first, each index at most once, indices and scores already checked.
    fn rerank<'a>(
        &'a self,
        context: &'a CallContext,
        query: &'a str,
        texts: &'a [String],
        top: Option<usize>,
    ) -> BoxFuture<'a, ProviderResult<Vec<RerankHit>>>;

    fn plugin(&self) -> &PluginIdentity;

    fn model_id(&self) -> &str;
}
