//! Collections that are searched together.

use super::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct KnowledgeBase {
    pub id: String,
    pub name: String,
    pub description: String,
    pub tenant_id: TenantId,
    pub chunking_config: ChunkingConfig,
    pub image_processing_config: ImageProcessingConfig,
    pub embedding_model_id: String,
    pub summary_model_id: String,
    pub rerank_model_id: String,
    pub vlm_model_id: String,
    pub vlm_config: VlmConfig,
    /// The storage settings under the name that the contract gave them first.
    #[serde(rename = "cos_config")]
    pub storage_config: StorageConfig,
    pub extract_config: Option<ExtractConfig>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// How texts are cut. Sizes count Unicode code points; 0 means the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ChunkingConfig {
    pub chunk_size: i64,
    pub chunk_overlap: i64,
    pub separators: Option<Vec<String>>,
    pub enable_multimodal: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ImageProcessingConfig {
    pub model_id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VlmConfig {
    pub model_name: String,
    pub base_url: String,
    pub api_key: String,
    /// `ollama`, `openai` or empty.
    pub interface_type: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct StorageConfig {
    pub secret_id: String,
    pub secret_key: String,
    pub region: String,
    pub bucket_name: String,
    pub app_id: String,
    pub path_prefix: String,
    /// `cos`, `minio` or empty.
    pub provider: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ExtractConfig {
    pub text: String,
    pub tags: Option<Vec<String>>,
    pub nodes: Option<Vec<GraphNode>>,
    pub relations: Option<Vec<GraphRelation>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct GraphNode {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct GraphRelation {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node1: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node2: String,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub relation_type: String,
}
