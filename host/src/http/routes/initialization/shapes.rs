//! The answers of these routes as types, for the description of the API; tests compare them with what is answered.
//!
//! Not here: making them (the handlers).

#![expect(dead_code, reason = "describes")]

use crate::domain::{GraphNode, GraphRelation, KnowledgeBase, Model, Tenant, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Data with a sentence.
#[derive(ToSchema)]
pub(in crate::http) struct Told<T> {
    data: T,
    message: String,
    success: bool,
}

/// A model that can not be used now is left out.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct CurrentSettings {
    has_files: bool,
    #[schema(nullable = false)]
    llm: Option<ShownModel>,
    #[schema(nullable = false)]
    embedding: Option<ShownEmbedding>,
    rerank: ShownRerank,
    multimodal: ShownMultimodal,
    document_splitting: ShownSplitting,
    #[schema(nullable = false)]
    node_extract: Option<ShownExtract>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownModel {
    source: String,
    model_name: String,
    base_url: String,
    api_key: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownEmbedding {
    source: String,
    model_name: String,
    base_url: String,
    api_key: String,
    dimension: i64,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownRerank {
    enabled: bool,
    model_name: String,
    base_url: String,
    api_key: String,
}

/// Left out: not set.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownMultimodal {
    enabled: bool,
    #[schema(nullable = false)]
    vlm: Option<ShownVision>,
    #[schema(nullable = false)]
    storage_type: Option<String>,
    #[schema(nullable = false)]
    cos: Option<ShownCos>,
    #[schema(nullable = false)]
    minio: Option<ShownMinio>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownVision {
    model_name: String,
    base_url: String,
    api_key: String,
    interface_type: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownCos {
    secret_id: String,
    secret_key: String,
    region: String,
    bucket_name: String,
    app_id: String,
    path_prefix: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownMinio {
    bucket_name: String,
    path_prefix: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ShownSplitting {
    chunk_size: i64,
    chunk_overlap: i64,
    separators: Option<Vec<String>>,
}

/// Only `enabled` while it is off.
#[derive(ToSchema)]
pub(in crate::http) struct ShownExtract {
    enabled: bool,
    #[schema(nullable = false)]
    text: Option<String>,
    #[schema(nullable = false)]
    tags: Option<Vec<String>>,
    #[schema(nullable = false)]
    nodes: Option<Vec<GraphNode>>,
    #[schema(nullable = false)]
    relations: Option<Vec<GraphRelation>>,
}

#[derive(ToSchema)]
pub(in crate::http) struct SavedSettings {
    models: Vec<Model>,
    knowledge_base: KnowledgeBase,
}

#[derive(ToSchema)]
pub(in crate::http) struct SavedTenantSettings {
    tenant: Tenant,
    models: Vec<Model>,
    knowledge_base: KnowledgeBase,
}

#[derive(ToSchema)]
pub(in crate::http) struct TestData {
    tenant: Tenant,
    knowledge_bases: Vec<KnowledgeBase>,
}

#[derive(ToSchema)]
pub(in crate::http) struct Initialized {
    initialized: bool,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct ModelServer {
    available: bool,
    base_url: String,
    /// While it answers.
    #[schema(nullable = false)]
    version: Option<String>,
    /// While it does not.
    #[schema(nullable = false)]
    error: Option<String>,
}

#[derive(ToSchema)]
pub(in crate::http) struct InstalledModels {
    models: Vec<String>,
}

/// Whether each is installed.
#[derive(ToSchema)]
pub(in crate::http) struct CheckedModels {
    models: BTreeMap<String, bool>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct RequestedDownload {
    /// Left out when the model is installed.
    #[schema(nullable = false)]
    task_id: Option<String>,
    model_name: String,
    /// `pending`, `downloading`, `completed` or `failed`.
    status: String,
    #[schema(minimum = 0, maximum = 100)]
    progress: f64,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in crate::http) struct Download {
    id: String,
    model_name: String,
    /// `pending`, `downloading`, `completed` or `failed`.
    status: String,
    #[schema(minimum = 0, maximum = 100)]
    progress: f64,
    message: String,
    start_time: Timestamp,
    /// Left out while it goes on.
    #[schema(nullable = false)]
    end_time: Option<Timestamp>,
}

#[derive(ToSchema)]
pub(in crate::http) struct ModelProbe {
    available: bool,
    message: String,
}

#[derive(ToSchema)]
pub(in crate::http) struct EmbeddingProbe {
    available: bool,
    message: String,
    dimension: i64,
}

/// A model that fails is told in the data.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum PictureTested {
    Read { success: bool, caption: String, ocr: String, processing_time: i64 },
    Failed { success: bool, message: String, processing_time: i64 },
}

/// A model that fails is told in the data.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum Extracted {
    Found { nodes: Vec<GraphNode>, relations: Vec<GraphRelation> },
    Failed { success: bool, message: String },
}

/// A model that fails is told in the data.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum SampleText {
    Written { text: String },
    Failed { success: bool, message: String },
}

#[derive(ToSchema)]
pub(in crate::http) struct SampleTags {
    tags: Vec<String>,
}

#[derive(ToSchema)]
pub(in crate::http) struct PictureForm {
    /// At most 10 MiB.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    vlm_model: String,
    vlm_base_url: String,
    /// `cos` or `minio`.
    storage_type: String,
    #[schema(nullable = false)]
    vlm_api_key: Option<String>,
    #[schema(nullable = false)]
    vlm_interface_type: Option<String>,
    #[schema(nullable = false)]
    cos_secret_id: Option<String>,
    #[schema(nullable = false)]
    cos_secret_key: Option<String>,
    #[schema(nullable = false)]
    cos_region: Option<String>,
    #[schema(nullable = false)]
    cos_bucket_name: Option<String>,
    #[schema(nullable = false)]
    cos_app_id: Option<String>,
    #[schema(nullable = false)]
    cos_path_prefix: Option<String>,
    #[schema(nullable = false)]
    minio_bucket_name: Option<String>,
    #[schema(nullable = false)]
    minio_path_prefix: Option<String>,
}
