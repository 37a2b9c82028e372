//! The sockets: traits behind which every model, tokenizer and retriever stands.
//!
//! Not here: who answers. Work rooms see `dyn Embedder` and can not tell WASM from HTTP.

mod call;
mod catalogue;
mod chat_model;
mod embedder;
mod error;
mod followers;
mod pages;
mod plugin_desk;
mod registry;
mod reranker;
mod retriever;
#[cfg(test)]
pub(crate) mod testing;
mod tokenizer;

pub use call::{CallContext, PluginIdentity, Usage};
pub use catalogue::{Catalogue, CatalogueEntry, PullProgress};
pub use chat_model::{
    ChatDelta, ChatFinish, ChatMessage, ChatModel, ChatOptions, ChatPart, ChatRequest, ChatRole, ChatSource, ChatStream, ChatTask,
    ChatTool, ChatToolCall, ChatToolDelta, Said, gather,
};
pub use embedder::{EmbedPurpose, Embedder, Embeddings, ScoreMap};
pub use error::{ProviderError, ProviderErrorKind};
pub use followers::Followers;
pub use pages::{Page, Pages};
pub use plugin_desk::{LoadedFrom, PluginDesk, PluginForm, PluginGrants, PluginGrantsChange, PluginListing, PluginState, PluginVersion};
pub use registry::{BUILTIN_CHAT, BUILTIN_EMBED, BUILTIN_EMBED_FULL, BUILTIN_RERANK, ModelRows, PluginSource, Registry};
pub use reranker::{RerankHit, Reranker};
pub use retriever::{IndexedChunk, RetrieveFilter, RetrieveRequest, Retrieved, Retriever, ScoredChunk};
pub use tokenizer::{Span, TokenizeMode, Tokenizer};

/// The future that a socket answers with.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;
pub type ProviderResult<T> = Result<T, ProviderError>;
