//! Configured models.

use super::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A model that a tenant configured, or a built-in one (tenant 0).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Model {
    pub id: String,
    pub tenant_id: TenantId,
    pub name: String,
    #[serde(rename = "type")]
    pub model_type: ModelType,
    /// `local` (plugin `ollama`), `remote` or `aliyun` (plugin `remote-api`), else the name of a plugin.
    pub source: String,
    pub description: String,
    pub parameters: ModelParameters,
    pub is_default: bool,
    pub status: ModelStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum ModelType {
    Embedding,
    Rerank,
    /// The contract's word for a chat model.
    KnowledgeQA,
    #[serde(rename = "VLLM")]
    Vision,
}

impl ModelType {
    pub const ALL: [Self; 4] = [Self::Embedding, Self::Rerank, Self::KnowledgeQA, Self::Vision];

    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedding => "Embedding",
            Self::Rerank => "Rerank",
            Self::KnowledgeQA => "KnowledgeQA",
            Self::Vision => "VLLM",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    Active,
    Downloading,
    DownloadFailed,
}

impl ModelStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Downloading => "downloading",
            Self::DownloadFailed => "download_failed",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Downloading, Self::DownloadFailed].into_iter().find(|status| status.as_str() == word)
    }
}

/// What was filled in for a model; keys beyond the contract's are the settings of its plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelParameters {
    pub base_url: String,
    pub api_key: String,
    pub embedding_parameters: EmbeddingParameters,
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EmbeddingParameters {
    pub dimension: i64,
    pub truncate_prompt_tokens: i64,
}
