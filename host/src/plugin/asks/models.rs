//! Calls from a plugin to another model of the caller's tenant.
//!
//! Not here: how a model is found; `app` hands in a [`ModelCalls`] that asks the registry.

use super::env::CallEnv;
use super::http::{Failure, denied, failure};
use crate::limits;
use crate::plugin::wasm::wit::io;
use crate::provider::{BoxFuture, CallContext, ProviderError, ProviderErrorKind};
use std::sync::Weak;

/// What a plugin asks of another model.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelRequest {
    /// Role (`system`, `user`, `assistant`) and text of each turn.
    Chat(Vec<(String, String)>),
    Embed(Vec<String>),
    Rerank {
        query: String,
        texts: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModelAnswer {
    Text(String),
    Vectors {
        dimension: u32,
        data: Vec<f32>,
    },
    /// One for each text, in order.
    Scores(Vec<f32>),
}

/// Stands before the registry, so that this room does not need to know it.
pub trait ModelCalls: Send + Sync {
    /// `model`: `chat`, `embed`, `rerank` or the id of a model row. `context` names the plugins that stand above the call, the caller last.
    fn call<'a>(
        &'a self,
        context: &'a CallContext,
        model: &'a str,
        request: ModelRequest,
        max_output_tokens: Option<u32>,
    ) -> BoxFuture<'a, Result<ModelAnswer, ProviderError>>;
}

/// A granted request goes to the models of the caller's tenant.
pub(super) async fn answer(env: &CallEnv, call: io::ModelCall) -> Result<io::ModelAnswer, Failure> {
    let request = match call.request {
        io::ModelRequest::Chat(turns) => ModelRequest::Chat(turns.into_iter().map(|turn| (turn.role, turn.text)).collect()),
        io::ModelRequest::Embed(texts) => ModelRequest::Embed(texts),
        io::ModelRequest::Rerank(rerank) => ModelRequest::Rerank { query: rerank.query, texts: rerank.texts },
    };
    check(env, &call.model, &request)?;
    let models = env.room.models.get().and_then(Weak::upgrade);
    let models = models.ok_or_else(|| failure(io::Fault::Unsupported, "this server does not let plugins call other models"))?;
    let mut context = env.context.clone();
    context.callers.push(env.plugin.name.clone());
    match models.call(&context, &call.model, request, call.max_output_tokens).await.map_err(|error| told(&error))? {
        ModelAnswer::Text(text) => Ok(io::ModelAnswer::Text(text)),
        ModelAnswer::Vectors { dimension, data } => Ok(io::ModelAnswer::Vectors(io::Vectors { dimension, data })),
        ModelAnswer::Scores(scores) => Ok(io::ModelAnswer::Scores(scores)),
    }
}

/// The kind must be granted, whatever row is named; then depth and size.
fn check(env: &CallEnv, model: &str, request: &ModelRequest) -> Result<(), Failure> {
    let (kind, texts, bytes) = match request {
        ModelRequest::Chat(turns) => ("chat", turns.len(), turns.iter().map(|(_, text)| text.len()).sum::<usize>()),
        ModelRequest::Embed(texts) => ("embed", texts.len(), texts.iter().map(String::len).sum()),
        ModelRequest::Rerank { query, texts } => ("rerank", texts.len(), query.len() + texts.iter().map(String::len).sum::<usize>()),
    };
    if !env.grants.allowed_models.iter().any(|allowed| allowed == kind) {
        return Err(denied(format!(
            "calls of other models of the kind {kind:?} are not granted: it would need allowed_models = [\"{kind}\"] in plugin.toml \
             and then `knowhost plugin allow {}`",
            env.plugin.name
        )));
    }
    if model != kind && ["chat", "embed", "rerank"].contains(&model) {
        return Err(denied(format!("the model {model:?} can not be asked to {kind}: name {kind:?} or the id of a model")));
    }
    if env.context.callers.len() >= usize::from(limits::PLUGIN_MODEL_DEPTH_MAX) {
        let text = format!("models call each other more than {} deep", limits::PLUGIN_MODEL_DEPTH_MAX);
        return Err(failure(io::Fault::TooLarge, text));
    }
    if texts > limits::PLUGIN_MODEL_TEXTS_MAX || bytes > limits::PLUGIN_MODEL_BYTES_MAX {
        let (texts_max, mib) = (limits::PLUGIN_MODEL_TEXTS_MAX, limits::PLUGIN_MODEL_BYTES_MAX >> 20);
        let text = format!("{texts} texts of {bytes} bytes for another model; the limits are {texts_max} texts and {mib} MiB");
        return Err(failure(io::Fault::TooLarge, text));
    }
    Ok(())
}

fn told(error: &ProviderError) -> Failure {
    let fault = match error.kind {
        ProviderErrorKind::Denied | ProviderErrorKind::NotFound => io::Fault::Denied,
        ProviderErrorKind::Timeout | ProviderErrorKind::Cancelled => io::Fault::Timeout,
        ProviderErrorKind::TooLong => io::Fault::TooLarge,
        ProviderErrorKind::Unsupported => io::Fault::Unsupported,
        ProviderErrorKind::Invalid
        | ProviderErrorKind::Unauthorised
        | ProviderErrorKind::RateLimited { .. }
        | ProviderErrorKind::Upstream
        | ProviderErrorKind::PluginFault => io::Fault::Upstream,
    };
    failure(fault, error.to_string())
}
