//! Lets a plugin ask other models: those of the tenant that its call belongs to, through the registry.
//!
//! Not here: whether the plugin was granted it, and how often and how deep it may ask (`plugin::asks`).

use crate::domain::ScopeOf;
use crate::error::Error;
use crate::limits;
use crate::plugin::{ModelAnswer, ModelCalls, ModelRequest};
use crate::provider::{
    BoxFuture, CallContext, ChatDelta, ChatMessage, ChatModel, ChatOptions, ChatRequest, ChatRole, ChatTask, EmbedPurpose, PluginIdentity,
    ProviderError, ProviderErrorKind, ProviderResult, Registry, Reranker,
};
use futures_util::StreamExt;

/// Words that mean the tenant's default model of that kind, else the built-in one.
const DEFAULTS: [&str; 3] = ["chat", "embed", "rerank"];

pub(super) struct RegistryModels {
    pub(super) registry: Registry,
    pub(super) scope_of: ScopeOf,
}

impl RegistryModels {
    async fn answer(
        &self,
        context: &CallContext,
        model: &str,
        request: ModelRequest,
        output_tokens: Option<u32>,
    ) -> ProviderResult<ModelAnswer> {
        let scope = (self.scope_of)(context.tenant_id);
        let id = if DEFAULTS.contains(&model) { "" } else { model };
        match request {
            ModelRequest::Chat(turns) => {
                let found = self.registry.chat_model(&scope, id).await.map_err(|error| refused(model, error))?;
                check_circle(context, found.plugin())?;
                chat(&*found, context, turns, output_tokens).await.map(ModelAnswer::Text)
            }
            ModelRequest::Embed(texts) => {
                let found = self.registry.embedder(&scope, id).await.map_err(|error| refused(model, error))?;
                check_circle(context, found.plugin())?;
                let rows = found.embed(context, EmbedPurpose::Chunk, &texts).await?;
                Ok(ModelAnswer::Vectors { dimension: u32::try_from(rows.dimension).unwrap_or(u32::MAX), data: rows.data })
            }
            ModelRequest::Rerank { query, texts } => {
                let found = self.registry.some_reranker(&scope, id).await.map_err(|error| refused(model, error))?;
                check_circle(context, found.plugin())?;
                scores(&*found, context, &query, &texts).await.map(ModelAnswer::Scores)
            }
        }
    }
}

impl ModelCalls for RegistryModels {
    fn call<'a>(
        &'a self,
        context: &'a CallContext,
        model: &'a str,
        request: ModelRequest,
        max_output_tokens: Option<u32>,
    ) -> BoxFuture<'a, Result<ModelAnswer, ProviderError>> {
        Box::pin(self.answer(context, model, request, max_output_tokens))
    }
}

/// A row of another tenant does not exist.
fn refused(model: &str, error: Error) -> ProviderError {
    let kind = match &error {
        Error::Provider(_) => None,
        Error::NotFound { .. } | Error::Forbidden(_) => Some(ProviderErrorKind::NotFound),
        Error::BadRequest(_) | Error::Validation { .. } => Some(ProviderErrorKind::Invalid),
        Error::Unauthorized(_)
        | Error::Conflict(_)
        | Error::TooLarge(_)
        | Error::UnsupportedType { .. }
        | Error::RateLimited { .. }
        | Error::Timeout(_)
        | Error::Unavailable { .. }
        | Error::Internal(_) => Some(ProviderErrorKind::Upstream),
    };
    match (error, kind) {
        (Error::Provider(error), _) => error,
        (error, kind) => {
            let text = error.public_text().unwrap_or_else(|| "the model could not be looked up".into());
            ProviderError::new(kind.unwrap_or(ProviderErrorKind::Upstream), format!("model {model:?}"), text)
        }
    }
}

/// A plugin that waits for itself would hold its own instances until its time is over.
fn check_circle(context: &CallContext, plugin: &PluginIdentity) -> ProviderResult<()> {
    if !context.callers.contains(&plugin.name) {
        return Ok(());
    }
    let way = context.callers.join(" calls ");
    let text = format!("a plugin can not call itself: {way} calls {}; choose a model of another plugin", plugin.name);
    Err(ProviderError::new(ProviderErrorKind::Denied, plugin.to_string(), text))
}

/// Collects an answer up to its limit; what is beyond it is not waited for.
async fn chat(
    model: &dyn ChatModel,
    context: &CallContext,
    turns: Vec<(String, String)>,
    output_tokens: Option<u32>,
) -> ProviderResult<String> {
    let signed = |kind, text: String| ProviderError::new(kind, model.plugin().to_string(), text);
    if !model.can(ChatTask::Answer) {
        return Err(signed(ProviderErrorKind::Unsupported, "it can not answer".into()));
    }
    let tokens = output_tokens.unwrap_or(u32::MAX).clamp(1, limits::PLUGIN_MODEL_OUTPUT_TOKENS_MAX);
    let mut messages = Vec::with_capacity(turns.len());
    for (role, text) in turns {
        let role = match role.as_str() {
            "system" => ChatRole::System,
            "user" => ChatRole::User,
            "assistant" => ChatRole::Assistant,
            other => {
                return Err(signed(ProviderErrorKind::Invalid, format!("the role {other:?} is not one of system, user, assistant")));
            }
        };
        messages.push(ChatMessage::text(role, text));
    }
    let question = messages.iter().rev().find(|message| message.role == ChatRole::User).map(ChatMessage::plain_text);
    let options = ChatOptions { max_tokens: Some(tokens), ..ChatOptions::default() };
    let request = ChatRequest { question, ..ChatRequest::new(ChatTask::Answer, messages, options) };
    let mut stream = model.chat_stream(context, request).await?;
    let bytes_max = tokens as usize * limits::PLUGIN_MODEL_TOKEN_BYTES;
    let (mut said, mut bytes) = (String::new(), 0);
    while let Some(delta) = stream.next().await {
        let text = match delta? {
            ChatDelta::Text(text) => {
                said.push_str(&text);
                text
            }
            ChatDelta::Reasoning(text) => text,
            ChatDelta::Tool(delta) => delta.arguments,
            ChatDelta::End { .. } => break,
        };
        bytes += text.len();
        if bytes > bytes_max {
            said.truncate(said.floor_char_boundary(bytes_max));
            break;
        }
    }
    Ok(said)
}

/// One score for each text, in their order.
async fn scores(model: &dyn Reranker, context: &CallContext, query: &str, texts: &[String]) -> ProviderResult<Vec<f32>> {
    let mut scores = vec![0.0; texts.len()];
    for hit in model.rerank(context, query, texts, None).await? {
        if let Some(score) = scores.get_mut(hit.index) {
            *score = hit.relevance_score;
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{TenantId, TenantScope};
    use crate::provider::testing::PlayedModels;
    use std::sync::Arc;
    use std::time::Duration;

    fn models() -> RegistryModels {
        RegistryModels { registry: Arc::new(PlayedModels::default()).registry(), scope_of: Arc::new(TenantScope::mint) }
    }

    fn context(callers: &[&str]) -> CallContext {
        let callers = callers.iter().map(|name| (*name).to_owned()).collect();
        CallContext { callers, ..CallContext::interactive(TenantId(7), "r", Duration::from_secs(10)) }
    }

    #[tokio::test]
    async fn default_embedder_answers_and_an_unknown_row_does_not_exist() {
        let embed = || ModelRequest::Embed(vec!["a".into(), "b".into()]);
        match models().call(&context(&["p"]), "embed", embed(), None).await.unwrap() {
            ModelAnswer::Vectors { dimension, data } => assert_eq!(data.len(), dimension as usize * 2),
            other @ (ModelAnswer::Text(_) | ModelAnswer::Scores(_)) => panic!("{other:?}"),
        }
        let error = models().call(&context(&["p"]), "a-row-of-somebody-else", embed(), None).await.unwrap_err();
        assert!(error.kind == ProviderErrorKind::NotFound && error.to_string().contains("a-row-of-somebody-else"), "{error}");
    }

    #[tokio::test]
    async fn plugin_that_stands_above_the_call_is_not_called_again() {
        let error = models().call(&context(&["played", "p"]), "embed", ModelRequest::Embed(vec![]), None).await.unwrap_err();
        assert!(error.kind == ProviderErrorKind::Denied && error.message.contains("played calls p calls played"), "{error}");
    }

    #[tokio::test]
    async fn model_that_can_not_answer_says_so() {
        let chat = ModelRequest::Chat(vec![("user".into(), "hi".into())]);
        let error = models().call(&context(&["p"]), "chat", chat, None).await.unwrap_err();
        assert_eq!(error.kind, ProviderErrorKind::Unsupported);
    }
}
