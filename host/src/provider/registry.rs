//! Finds the provider behind a model id.

use super::{BoxFuture, Catalogue, ChatModel, Embedder, ProviderError, Reranker, Tokenizer};
use crate::domain::{Model, ModelStatus, ModelType, TenantScope};
use crate::error::{Error, Result};
use std::sync::Arc;

/// Ids of the built-in models: the same on every server, readable by everybody, editable by nobody.
pub const BUILTIN_EMBED: &str = "knowhost-embed";
/// Optional: its files are fetched by `knowhost models get`.
pub const BUILTIN_EMBED_FULL: &str = "knowhost-embed-full";
pub const BUILTIN_RERANK: &str = "knowhost-rerank";
pub const BUILTIN_CHAT: &str = "knowhost-extract";

/// Where model rows come from; `app` puts the store behind it.
pub trait ModelRows: Send + Sync {
    /// The row of the tenant or a built-in one; `None` for others' rows too.
    fn find_model<'a>(&'a self, scope: &'a TenantScope, id: &'a str) -> BoxFuture<'a, Result<Option<Model>>>;
    /// The tenant's default row of a kind.
    fn find_default_model<'a>(&'a self, scope: &'a TenantScope, model_type: ModelType) -> BoxFuture<'a, Result<Option<Model>>>;
}

/// Who answers for a model row; the plugin room stands behind it.
pub trait PluginSource: Send + Sync {
    fn embedder(&self, model: &Model) -> Result<Arc<dyn Embedder>, ProviderError>;
    fn reranker(&self, model: &Model) -> Result<Arc<dyn Reranker>, ProviderError>;
    fn chat_model(&self, model: &Model) -> Result<Arc<dyn ChatModel>, ProviderError>;
    fn tokenizer(&self) -> Arc<dyn Tokenizer>;
    /// `base_url` empty: the provider's own address from the settings.
    fn catalogue(&self, plugin: &str, base_url: &str) -> Result<Arc<dyn Catalogue>, ProviderError>;
    /// Values of `models.source` that resolve; for error texts.
    fn sources(&self) -> Vec<String>;
    /// Whether a row of a plugin's own holds the settings that the plugin's JSON Schema asks for; the error names each that it does not.
    fn check_settings(&self, model: &Model) -> Result<(), ProviderError>;
}

/// Resolution per kind: an id names its row; an empty id means the tenant's default row of that kind, else the built-in; an unknown id is an error.
#[derive(Clone)]
pub struct Registry {
    rows: Arc<dyn ModelRows>,
    plugins: Arc<dyn PluginSource>,
}

impl Registry {
    pub fn new(rows: Arc<dyn ModelRows>, plugins: Arc<dyn PluginSource>) -> Self {
        Self { rows, plugins }
    }

    pub async fn embedder(&self, scope: &TenantScope, id: &str) -> Result<Arc<dyn Embedder>> {
        let model = self.model(scope, id, ModelType::Embedding, BUILTIN_EMBED).await?;
        Ok(self.plugins.embedder(&model)?)
    }

    pub async fn chat_model(&self, scope: &TenantScope, id: &str) -> Result<Arc<dyn ChatModel>> {
        let model = self.model(scope, id, ModelType::KnowledgeQA, BUILTIN_CHAT).await?;
        Ok(self.plugins.chat_model(&model)?)
    }

    /// For rerank an empty id means none.
    pub async fn reranker(&self, scope: &TenantScope, id: &str) -> Result<Option<Arc<dyn Reranker>>> {
        if id.is_empty() {
            return Ok(None);
        }
        let model = self.model(scope, id, ModelType::Rerank, BUILTIN_RERANK).await?;
        Ok(Some(self.plugins.reranker(&model)?))
    }

    /// For callers that want one in any case: an empty id means the tenant's default row, else the built-in one.
    pub async fn some_reranker(&self, scope: &TenantScope, id: &str) -> Result<Arc<dyn Reranker>> {
        let model = self.model(scope, id, ModelType::Rerank, BUILTIN_RERANK).await?;
        Ok(self.plugins.reranker(&model)?)
    }

    pub fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        self.plugins.tokenizer()
    }

    pub fn plugins(&self) -> &Arc<dyn PluginSource> {
        &self.plugins
    }

    async fn model(&self, scope: &TenantScope, id: &str, model_type: ModelType, builtin: &str) -> Result<Model> {
        let found = if id.is_empty() {
            match self.rows.find_default_model(scope, model_type).await? {
                Some(model) => Some(model),
                None => self.rows.find_model(scope, builtin).await?,
            }
        } else {
            self.rows.find_model(scope, id).await?
        };
        let model = found.ok_or_else(|| Error::not_found("model not found"))?;
        if model.model_type != model_type {
            return Err(Error::BadRequest(format!(
                "model {} is of type {}, but {} is needed here",
                model.id,
                model.model_type.as_str(),
                model_type.as_str()
            )));
        }
        match model.status {
            ModelStatus::Active => Ok(model),
            ModelStatus::Downloading => Err(Error::Unavailable { reason: "model is currently downloading".into() }),
            ModelStatus::DownloadFailed => Err(Error::Unavailable { reason: "model download failed".into() }),
        }
    }
}
