//! The form of the settings page as clients send it, and the change that it means.
//!
//! Not here: checks beyond the binding (`library::initialization`).

use crate::domain::{ExtractConfig, GraphNode, GraphRelation, StorageConfig};
use crate::http::go_json::{Bind, Rules};
use crate::library::initialization::{ChosenModel, Chunking, Multimodal, Part, SettingsChange, Storage, Vision};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct InitializationRequest {
    #[schema(required)]
    llm: ModelRequest,
    #[schema(required)]
    embedding: ModelRequest,
    #[schema(nullable = false)]
    rerank: Option<RerankRequest>,
    #[schema(nullable = false)]
    multimodal: Option<MultimodalRequest>,
    #[schema(required)]
    document_splitting: SplittingRequest,
    #[schema(nullable = false)]
    node_extract: Option<NodeExtractRequest>,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct ModelRequest {
    #[schema(required, min_length = 1)]
    source: String,
    #[schema(required, min_length = 1)]
    model_name: String,
    #[schema(nullable = false)]
    base_url: Option<String>,
    #[schema(nullable = false)]
    api_key: Option<String>,
    #[schema(nullable = false)]
    dimension: Option<i64>,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct RerankRequest {
    enabled: bool,
    model_name: String,
    #[schema(nullable = false)]
    base_url: Option<String>,
    #[schema(nullable = false)]
    api_key: Option<String>,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct MultimodalRequest {
    enabled: bool,
    #[schema(nullable = false)]
    vlm: Option<VlmRequest>,
    storage_type: String,
    #[schema(nullable = false)]
    cos: Option<CosRequest>,
    #[schema(nullable = false)]
    minio: Option<MinioRequest>,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct VlmRequest {
    model_name: String,
    #[schema(nullable = false)]
    base_url: Option<String>,
    #[schema(nullable = false)]
    api_key: Option<String>,
    interface_type: String,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct CosRequest {
    secret_id: String,
    secret_key: String,
    region: String,
    bucket_name: String,
    app_id: String,
    path_prefix: String,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct MinioRequest {
    bucket_name: String,
    path_prefix: String,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct SplittingRequest {
    #[schema(required, minimum = 100, maximum = 10_000)]
    chunk_size: i64,
    #[schema(minimum = 0)]
    chunk_overlap: i64,
    #[schema(required, nullable = false, min_items = 1)]
    separators: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct NodeExtractRequest {
    enabled: bool,
    text: String,
    tags: Vec<String>,
    nodes: Vec<GraphNode>,
    relations: Vec<GraphRelation>,
}

impl Bind for InitializationRequest {
    const NAME: &'static str = "InitializationRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("LLM.Source", &self.llm.source).required();
        rules.text("LLM.ModelName", &self.llm.model_name).required();
        rules.text("Embedding.Source", &self.embedding.source).required();
        rules.text("Embedding.ModelName", &self.embedding.model_name).required();
        let splitting = &self.document_splitting;
        match splitting.chunk_size {
            0 => rules.rule("DocumentSplitting.ChunkSize", "required", false),
            size if size < 100 => rules.rule("DocumentSplitting.ChunkSize", "min", false),
            size => rules.rule("DocumentSplitting.ChunkSize", "max", size <= 10_000),
        }
        rules.rule("DocumentSplitting.ChunkOverlap", "min", splitting.chunk_overlap >= 0);
        match &splitting.separators {
            None => rules.rule("DocumentSplitting.Separators", "required", false),
            Some(separators) => rules.rule("DocumentSplitting.Separators", "min", !separators.is_empty()),
        }
    }
}

/// A part that is switched; absent stays as it is.
fn part<R, T>(sent: Option<R>, is_on: impl Fn(&R) -> bool, meaning: impl FnOnce(R) -> T) -> Part<T> {
    match sent {
        None => Part::Keep,
        Some(request) if is_on(&request) => Part::On(meaning(request)),
        Some(_) => Part::Off,
    }
}

impl From<InitializationRequest> for SettingsChange {
    fn from(sent: InitializationRequest) -> Self {
        Self {
            llm: ChosenModel { dimension: None, ..sent.llm.into() },
            embedding: sent.embedding.into(),
            rerank: part(
                sent.rerank,
                |rerank| rerank.enabled,
                |rerank| ChosenModel {
                    name: rerank.model_name,
                    base_url: rerank.base_url,
                    api_key: rerank.api_key,
                    ..ChosenModel::default()
                },
            ),
            multimodal: part(sent.multimodal, |multimodal| multimodal.enabled, Multimodal::from),
            chunking: Chunking {
                size: sent.document_splitting.chunk_size,
                overlap: sent.document_splitting.chunk_overlap,
                separators: sent.document_splitting.separators.unwrap_or_default(),
            },
            extract: part(
                sent.node_extract,
                |extract| extract.enabled,
                |extract| ExtractConfig {
                    text: extract.text,
                    tags: Some(extract.tags),
                    nodes: Some(extract.nodes),
                    relations: Some(extract.relations),
                },
            ),
        }
    }
}

impl InitializationRequest {
    /// As v0.1.3 had it: it does not know entities.
    pub(super) fn without_extract(mut self) -> Self {
        self.node_extract = None;
        self
    }
}

impl From<ModelRequest> for ChosenModel {
    fn from(sent: ModelRequest) -> Self {
        Self { source: sent.source, name: sent.model_name, base_url: sent.base_url, api_key: sent.api_key, dimension: sent.dimension }
    }
}

impl From<MultimodalRequest> for Multimodal {
    fn from(sent: MultimodalRequest) -> Self {
        let vision = sent.vlm.map(|vlm| Vision {
            model: ChosenModel { name: vlm.model_name, base_url: vlm.base_url, api_key: vlm.api_key, ..ChosenModel::default() },
            interface_type: vlm.interface_type,
        });
        let cos = sent.cos.map(|cos| StorageConfig {
            secret_id: cos.secret_id,
            secret_key: cos.secret_key,
            region: cos.region,
            bucket_name: cos.bucket_name,
            app_id: cos.app_id,
            path_prefix: cos.path_prefix,
            provider: String::new(),
        });
        let minio = sent.minio.map(|minio| StorageConfig {
            bucket_name: minio.bucket_name,
            path_prefix: minio.path_prefix,
            ..StorageConfig::default()
        });
        Self { vision, storage: Storage { kind: sent.storage_type, cos, minio } }
    }
}
