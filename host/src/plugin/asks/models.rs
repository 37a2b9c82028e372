//! Calls from a plugin to another model of the caller's tenant.
//!
//! Not here: how a model is found; `app` hands in a [`ModelCalls`] that asks the registry.

use crate::provider::{BoxFuture, CallContext, ProviderError};

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
    /// `model`: `chat`, `embed`, `rerank` or the id of a model row. `context` carries the depth, which the callee passes on.
    fn call<'a>(
        &'a self,
        context: &'a CallContext,
        model: &'a str,
        request: ModelRequest,
        max_output_tokens: Option<u32>,
    ) -> BoxFuture<'a, Result<ModelAnswer, ProviderError>>;
}
