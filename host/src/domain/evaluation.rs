//! Runs of a dataset through the chat, and what they measured. Not here: how a metric is computed (`evaluate::metrics`).

use super::{SummaryParameters, TenantId, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// The contract's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationStatus {
    Pending = 0,
    Running = 1,
    Succeeded = 2,
    Failed = 3,
}

impl EvaluationStatus {
    pub fn number(self) -> i64 {
        self as i64
    }

    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed].into_iter().find(|status| status.number() == number)
    }

    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl Serialize for EvaluationStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.number())
    }
}

/// The contract's `task`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluationTask {
    pub id: String,
    pub tenant_id: TenantId,
    pub dataset_id: String,
    pub start_time: Timestamp,
    /// 0 pending, 1 running, 2 succeeded, 3 failed.
    #[schema(value_type = i64)]
    pub status: EvaluationStatus,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub err_msg: String,
    /// Questions of the dataset; 0 until it was read.
    #[serde(skip_serializing_if = "is_zero")]
    pub total: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub finished: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// How the questions of a run are answered: the contract's `params`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EvaluationParams {
    pub session_id: String,
    /// The temporary one.
    pub knowledge_base_id: String,
    pub vector_threshold: f64,
    pub keyword_threshold: f64,
    pub embedding_top_k: i64,
    pub vector_database: String,
    pub rerank_model_id: String,
    pub rerank_top_k: i64,
    pub rerank_threshold: f64,
    pub chat_model_id: String,
    pub summary_config: SummaryParameters,
    pub fallback_strategy: String,
    pub fallback_response: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct RetrievalMetrics {
    pub precision: f64,
    pub recall: f64,
    pub ndcg3: f64,
    pub ndcg10: f64,
    pub mrr: f64,
    pub map: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct GenerationMetrics {
    pub bleu1: f64,
    pub bleu2: f64,
    pub bleu4: f64,
    pub rouge1: f64,
    pub rouge2: f64,
    pub rougel: f64,
}

/// Means over the questions that are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct EvaluationMetric {
    pub retrieval_metrics: RetrievalMetrics,
    pub generation_metrics: GenerationMetrics,
}

/// What one question gave. `None`: the dataset names nothing to compare with, so the question does not count there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QuestionScores {
    pub retrieval: Option<RetrievalMetrics>,
    pub generation: Option<GenerationMetrics>,
}

/// The contract's answer to both routes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Evaluation {
    pub task: EvaluationTask,
    pub params: EvaluationParams,
    /// `None` until the first question is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub metric: Option<EvaluationMetric>,
}
