//! Tries a model once, before it is saved.
//!
//! Not here: pictures (`vision`), and what a model is used for later. A probe never fetches a model.

use super::endpoint::{Endpoint, words};
use super::{Initialization, ask};
use crate::domain::{ModelType, TenantScope};
use crate::limits;
use crate::provider::{
    CallContext, ChatMessage, ChatOptions, ChatRequest, ChatRole, ChatTask, EmbedPurpose, ProviderError, ProviderErrorKind, ProviderResult,
};

/// Whether a model answers, and what to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub available: bool,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingProbe {
    pub available: bool,
    pub message: String,
    /// Numbers of a vector; 0 when there is none.
    pub dimension: usize,
}

/// Tokens that the reference lets a service cut the text of its probe to.
const EMBED_TRUNCATE_TOKENS: i64 = 256;

impl Initialization {
    /// One short answer of an OpenAI-compatible chat service.
    pub async fn check_chat(&self, scope: &TenantScope, request_id: &str, endpoint: Endpoint) -> Probe {
        let endpoint = Endpoint { source: "remote".into(), ..endpoint };
        match self.try_chat(scope, request_id, &endpoint).await {
            Ok(()) => Probe { available: true, message: "连接正常，模型可用".into() },
            Err(error) => Probe { available: false, message: chat_failure(&error, &endpoint.api_key) },
        }
    }

    async fn try_chat(&self, scope: &TenantScope, request_id: &str, endpoint: &Endpoint) -> ProviderResult<()> {
        let Some(model) = self.unsaved(scope, endpoint, ModelType::KnowledgeQA) else { return Err(no_source(&endpoint.source)) };
        let chat = self.inner.registry.plugins().chat_model(&model)?;
        let options = ChatOptions { max_tokens: Some(1), thinking: Some(false), ..ChatOptions::default() };
        let messages = vec![ChatMessage::text(ChatRole::User, "test")];
        let request = ChatRequest::new(ChatTask::Title, messages, options);
        ask::whole_answer(&*chat, &probing(scope, request_id), request).await?;
        Ok(())
    }

    /// The vector of one word.
    pub async fn test_embedding(&self, scope: &TenantScope, request_id: &str, endpoint: Endpoint) -> EmbeddingProbe {
        let failed = |message: String| EmbeddingProbe { available: false, message, dimension: 0 };
        let Some(mut model) = self.unsaved(scope, &endpoint, ModelType::Embedding) else {
            return failed(format!("创建Embedder失败: unsupported embedder source: {}", endpoint.source));
        };
        model.parameters.embedding_parameters.truncate_prompt_tokens = EMBED_TRUNCATE_TOKENS;
        let embedder = match self.inner.registry.plugins().embedder(&model) {
            Ok(embedder) => embedder,
            Err(error) => return failed(format!("创建Embedder失败: {}", words(&error, &endpoint.api_key))),
        };
        match embedder.embed(&probing(scope, request_id), EmbedPurpose::Query, &["hello".to_owned()]).await {
            Ok(embeddings) => EmbeddingProbe {
                available: true,
                message: format!("测试成功，向量维度={}", embeddings.dimension),
                dimension: embeddings.dimension,
            },
            Err(error) => failed(format!("调用Embedding失败: {}", words(&error, &endpoint.api_key))),
        }
    }

    /// One text against one query.
    pub async fn check_rerank(&self, scope: &TenantScope, request_id: &str, endpoint: Endpoint) -> Probe {
        let endpoint = Endpoint { source: "remote".into(), ..endpoint };
        match self.try_rerank(scope, request_id, &endpoint).await {
            Ok(0) => Probe { available: false, message: "重排接口连接成功，但未返回重排结果".into() },
            Ok(results) => Probe { available: true, message: format!("重排功能正常，返回{results}个结果") },
            Err(error) => Probe { available: false, message: format!("重排测试失败: {}", words(&error, &endpoint.api_key)) },
        }
    }

    async fn try_rerank(&self, scope: &TenantScope, request_id: &str, endpoint: &Endpoint) -> ProviderResult<usize> {
        let Some(model) = self.unsaved(scope, endpoint, ModelType::Rerank) else { return Err(no_source(&endpoint.source)) };
        let reranker = self.inner.registry.plugins().reranker(&model)?;
        Ok(reranker.rerank(&probing(scope, request_id), "ping", &["pong".to_owned()], None).await?.len())
    }
}

fn probing(scope: &TenantScope, request_id: &str) -> CallContext {
    CallContext::interactive(scope.tenant_id(), request_id, limits::PROBE_TIME)
}

pub(super) fn no_source(source: &str) -> ProviderError {
    ProviderError::new(ProviderErrorKind::NotFound, source, "no such source")
}

/// The contract's sentence for the kind of failure; the provider's own words for any other.
fn chat_failure(error: &ProviderError, api_key: &str) -> String {
    match error.kind {
        ProviderErrorKind::Unauthorised => "认证失败，请检查API Key".into(),
        // The same kind tells that this server refuses the address; only a service has a status.
        ProviderErrorKind::Denied if error.message.contains("answered 403") => "权限不足，请检查API Key权限".into(),
        ProviderErrorKind::NotFound => "API端点不存在，请检查Base URL".into(),
        ProviderErrorKind::Timeout => "连接超时，请检查网络连接".into(),
        ProviderErrorKind::Invalid
        | ProviderErrorKind::Denied
        | ProviderErrorKind::RateLimited { .. }
        | ProviderErrorKind::TooLong
        | ProviderErrorKind::Upstream
        | ProviderErrorKind::Unsupported
        | ProviderErrorKind::PluginFault
        | ProviderErrorKind::Cancelled => format!("连接失败: {}", words(error, api_key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_by_their_kind_and_not_by_digits_in_their_text() {
        let told = |kind, text: &str| chat_failure(&ProviderError::new(kind, "remote-api 0.1.0", text), "");
        assert_eq!(told(ProviderErrorKind::Unauthorised, "x"), "认证失败，请检查API Key");
        assert_eq!(told(ProviderErrorKind::Denied, "the service answered 403 Forbidden: no"), "权限不足，请检查API Key权限");
        assert_eq!(told(ProviderErrorKind::NotFound, "x"), "API端点不存在，请检查Base URL");
        assert_eq!(told(ProviderErrorKind::Timeout, "x"), "连接超时，请检查网络连接");
        assert_eq!(told(ProviderErrorKind::Upstream, "port 40401"), "连接失败: remote-api 0.1.0: port 40401");
        let refused = told(ProviderErrorKind::Denied, "127.0.0.1 is a loopback or private address");
        assert!(refused.starts_with("连接失败: ") && refused.contains("loopback"), "{refused}");
    }
}
