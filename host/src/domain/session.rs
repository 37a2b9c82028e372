//! Conversations and their strategy.

use super::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Session {
    pub id: String,
    pub title: String,
    pub description: String,
    pub tenant_id: TenantId,
    pub knowledge_base_id: String,
    pub max_rounds: i64,
    pub enable_rewrite: bool,
    pub fallback_strategy: String,
    pub fallback_response: String,
    pub embedding_top_k: i64,
    pub keyword_threshold: f64,
    pub vector_threshold: f64,
    pub rerank_model_id: String,
    pub rerank_top_k: i64,
    pub rerank_threshold: f64,
    pub summary_model_id: String,
    pub summary_parameters: SummaryParameters,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// How the answer is generated; a number of 0 leaves the choice to the model's provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SummaryParameters {
    pub max_tokens: i64,
    pub repeat_penalty: f64,
    pub top_k: i64,
    pub top_p: f64,
    pub frequency_penalty: f64,
    pub presence_penalty: f64,
    pub prompt: String,
    pub context_template: String,
    pub no_match_prefix: String,
    pub temperature: f64,
    pub seed: i64,
    pub max_completion_tokens: i64,
}
