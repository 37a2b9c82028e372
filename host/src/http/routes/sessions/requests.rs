//! What clients send about sessions.
//!
//! Not here: what becomes of it.

use crate::chat::check_template;
use crate::http::error::ApiResult;
use crate::http::go_json::{Bind, Rules, Time, Unread, Unused};
use crate::library::sessions::{Strategy, SummaryChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct CreateSessionRequest {
    #[schema(required, min_length = 1)]
    pub(super) knowledge_base_id: String,
    #[schema(nullable = false)]
    pub(super) session_strategy: Option<StrategyRequest>,
}

impl Bind for CreateSessionRequest {
    const NAME: &'static str = "CreateSessionRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("KnowledgeBaseID", &self.knowledge_base_id).required();
    }
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default)]
pub(super) struct StrategyRequest {
    #[schema(nullable = false)]
    max_rounds: Option<i64>,
    #[schema(nullable = false)]
    enable_rewrite: Option<bool>,
    #[schema(nullable = false)]
    fallback_strategy: Option<String>,
    #[schema(nullable = false)]
    fallback_response: Option<String>,
    #[schema(nullable = false)]
    embedding_top_k: Option<i64>,
    #[schema(nullable = false)]
    keyword_threshold: Option<f64>,
    #[schema(nullable = false)]
    vector_threshold: Option<f64>,
    #[schema(nullable = false)]
    rerank_model_id: Option<String>,
    #[schema(nullable = false)]
    rerank_top_k: Option<i64>,
    #[schema(nullable = false)]
    rerank_threshold: Option<f64>,
    /// The name that the reference's Go client uses.
    #[schema(nullable = false)]
    reranking_threshold: Option<f64>,
    #[schema(nullable = false)]
    summary_model_id: Option<String>,
    #[schema(nullable = false)]
    summary_parameters: Option<SummaryRequest>,
    /// That of `summary_parameters` counts.
    #[serde(rename = "no_match_prefix", skip_serializing)]
    #[schema(ignore)]
    _no_match_prefix: Unread<String>,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default)]
struct SummaryRequest {
    #[schema(nullable = false)]
    max_tokens: Option<i64>,
    #[schema(nullable = false)]
    repeat_penalty: Option<f64>,
    #[schema(nullable = false)]
    top_k: Option<i64>,
    #[schema(nullable = false)]
    top_p: Option<f64>,
    #[schema(nullable = false)]
    frequency_penalty: Option<f64>,
    #[schema(nullable = false)]
    presence_penalty: Option<f64>,
    #[schema(nullable = false)]
    prompt: Option<String>,
    #[schema(nullable = false)]
    context_template: Option<String>,
    #[schema(nullable = false)]
    no_match_prefix: Option<String>,
    #[schema(nullable = false)]
    temperature: Option<f64>,
    #[schema(nullable = false)]
    seed: Option<i64>,
    #[schema(nullable = false)]
    max_completion_tokens: Option<i64>,
}

impl From<SummaryRequest> for SummaryChange {
    fn from(sent: SummaryRequest) -> Self {
        Self {
            max_tokens: sent.max_tokens,
            repeat_penalty: sent.repeat_penalty,
            top_k: sent.top_k,
            top_p: sent.top_p,
            frequency_penalty: sent.frequency_penalty,
            presence_penalty: sent.presence_penalty,
            prompt: sent.prompt,
            context_template: sent.context_template,
            no_match_prefix: sent.no_match_prefix,
            temperature: sent.temperature,
            seed: sent.seed,
            max_completion_tokens: sent.max_completion_tokens,
        }
    }
}

impl StrategyRequest {
    /// A template that could not be used is refused here, not when somebody asks.
    pub(super) fn checked(self) -> ApiResult<Strategy> {
        let template = self.summary_parameters.as_ref().and_then(|parameters| parameters.context_template.as_deref());
        if let Some(template) = template {
            check_template(template)?;
        }
        Ok(Strategy {
            max_rounds: self.max_rounds,
            enable_rewrite: self.enable_rewrite,
            fallback_strategy: self.fallback_strategy,
            fallback_response: self.fallback_response,
            embedding_top_k: self.embedding_top_k,
            keyword_threshold: self.keyword_threshold,
            vector_threshold: self.vector_threshold,
            rerank_model_id: self.rerank_model_id,
            rerank_top_k: self.rerank_top_k,
            rerank_threshold: self.rerank_threshold.or(self.reranking_threshold),
            summary_model_id: self.summary_model_id,
            summary_parameters: self.summary_parameters.map(SummaryChange::from),
        })
    }
}

/// Names and description beside the fields of a strategy, all in one object.
#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(super) struct SessionRequest {
    #[schema(nullable = false, max_length = 255)]
    pub(super) title: Option<String>,
    #[schema(nullable = false)]
    pub(super) description: Option<String>,
    #[schema(nullable = false)]
    pub(super) knowledge_base_id: Option<String>,
    /// What the reference's Go client sends.
    #[schema(nullable = false)]
    pub(super) session_strategy: Option<StrategyRequest>,
}

/// What is left out is kept.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the two that are read from one body")]
pub(super) struct UpdateSessionRequest {
    #[schema(inline)]
    #[serde(flatten)]
    named: SessionRequest,
    #[serde(flatten)]
    strategy: StrategyRequest,
}

impl Bind for SessionRequest {
    const NAME: &'static str = "Session";
    const UNUSED: &'static [(&'static str, Unused)] = &[
        ("id", Unused::Text),
        ("tenant_id", Unused::Unsigned),
        ("created_at", Unused::Time),
        ("updated_at", Unused::Time),
        ("deleted_at", Unused::Time),
    ];
}

impl Bind for StrategyRequest {
    const NAME: &'static str = "Session";
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct GenerateTitleRequest {
    #[schema(required, nullable = false)]
    pub(super) messages: Option<Vec<TitleMessage>>,
}

/// A message as far as it counts; what else a message has may come along.
#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default)]
pub(super) struct TitleMessage {
    pub(super) role: String,
    pub(super) content: String,
    #[serde(rename = "id", skip_serializing)]
    #[schema(ignore)]
    _id: Unread<String>,
    #[serde(rename = "session_id", skip_serializing)]
    #[schema(ignore)]
    _session_id: Unread<String>,
    #[serde(rename = "request_id", skip_serializing)]
    #[schema(ignore)]
    _request_id: Unread<String>,
    #[serde(rename = "knowledge_references", skip_serializing)]
    #[schema(ignore)]
    _knowledge_references: Unread<Vec<Reference>>,
    #[serde(rename = "is_completed", skip_serializing)]
    #[schema(ignore)]
    _is_completed: Unread<bool>,
    #[serde(rename = "created_at", skip_serializing)]
    #[schema(ignore)]
    _created_at: Unread<Time>,
    #[serde(rename = "updated_at", skip_serializing)]
    #[schema(ignore)]
    _updated_at: Unread<Time>,
    #[serde(rename = "deleted_at", skip_serializing)]
    #[schema(ignore)]
    _deleted_at: Unread<Time>,
}

/// Any object.
#[derive(Deserialize)]
struct Reference {}

impl Bind for GenerateTitleRequest {
    const NAME: &'static str = "GenerateTitleRequest";

    fn check(&self, rules: &mut Rules) {
        rules.require("Messages", self.messages.is_some());
    }
}
