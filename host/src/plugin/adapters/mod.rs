//! The sockets of `provider`, each over the calls of one plugin; every result is checked here.
//!
//! Not here: which plugin answers (`plugins`), and how a call runs (`calls`).

mod catalogue;
mod chat_model;
mod embedder;
mod reranker;
mod row;
mod tokenizer;

pub(super) use chat_model::to_wit as chat_to_wit;
pub(super) use row::Row;

use super::loaded::Plugin;
use crate::domain::Model;
use crate::provider::{Catalogue, ChatModel, Embedder, PluginIdentity, ProviderError, Reranker, Tokenizer};
use knowhost_plugin_sdk::manifest::ModelKind;
use std::sync::Arc;

pub(super) fn embedder(plugin: Arc<Plugin>, model: &Model, base_url_default: &str) -> Result<Arc<dyn Embedder>, ProviderError> {
    let row = Row::bind(plugin, model, ModelKind::Embedder, base_url_default)?;
    Ok(Arc::new(embedder::PluginEmbedder::new(row, model.parameters.embedding_parameters.dimension)))
}

pub(super) fn reranker(plugin: Arc<Plugin>, model: &Model, base_url_default: &str) -> Result<Arc<dyn Reranker>, ProviderError> {
    let row = Row::bind(plugin, model, ModelKind::Reranker, base_url_default)?;
    Ok(Arc::new(reranker::PluginReranker::new(row)))
}

pub(super) fn chat_model(plugin: Arc<Plugin>, model: &Model, base_url_default: &str) -> Result<Arc<dyn ChatModel>, ProviderError> {
    let row = Row::bind(plugin, model, ModelKind::ChatModel, base_url_default)?;
    Ok(Arc::new(chat_model::PluginChatModel::new(row)))
}

pub(super) fn tokenizer(plugin: Arc<Plugin>) -> Arc<dyn Tokenizer> {
    Arc::new(tokenizer::PluginTokenizer { plugin })
}

/// Stands where no tokenizer is loaded.
pub(super) fn missing_tokenizer(name: &str) -> Arc<dyn Tokenizer> {
    let identity = PluginIdentity { name: name.to_owned(), version: String::new(), digest: String::new() };
    Arc::new(tokenizer::MissingTokenizer(identity))
}

pub(super) fn catalogue(plugin: Arc<Plugin>, base_url: &str) -> Arc<dyn Catalogue> {
    Arc::new(catalogue::PluginCatalogue { plugin, base_url: base_url.to_owned() })
}
