//! The models that a provider has, and how to get more.

use super::{BoxFuture, CallContext, ProviderResult};
use futures_util::stream::BoxStream;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    pub name: String,
    pub size_bytes: u64,
    pub digest: String,
    pub modified_at: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullProgress {
    pub status: String,
    pub completed_bytes: u64,
    /// 0: unknown.
    pub total_bytes: u64,
}

pub trait Catalogue: Send + Sync {
    /// Version of the provider that answers.
    fn status<'a>(&'a self, context: &'a CallContext) -> BoxFuture<'a, ProviderResult<String>>;
    fn models<'a>(&'a self, context: &'a CallContext) -> BoxFuture<'a, ProviderResult<Vec<CatalogueEntry>>>;
    fn check<'a>(&'a self, context: &'a CallContext, name: &'a str) -> BoxFuture<'a, ProviderResult<bool>>;
    /// Progress until it ends; an error ends it.
    fn pull<'a>(
        &'a self,
        context: &'a CallContext,
        name: &'a str,
    ) -> BoxFuture<'a, ProviderResult<BoxStream<'static, ProviderResult<PullProgress>>>>;
    fn remove<'a>(&'a self, context: &'a CallContext, name: &'a str) -> BoxFuture<'a, ProviderResult<()>>;
}
