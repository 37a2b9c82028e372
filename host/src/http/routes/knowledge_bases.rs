//! Knowledge bases over HTTP.
//!
//! Not here: searching one, its documents.

use crate::domain::{ChunkingConfig, ExtractConfig, ImageProcessingConfig, KnowledgeBase, StorageConfig, Timestamp, VlmConfig};
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data, Done};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{JsonBody, PathIds};
use crate::http::go_json::{Bind, BindError, Rules, Unused};
use crate::http::openapi::NotFound;
use crate::http::{AppState, RequestId};
use crate::library::knowledge_bases::KnowledgeBaseChange;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The contract's KnowledgeBase object, as far as a client may write it; nothing is required.
#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct KnowledgeBaseRequest {
    #[schema(max_length = 255, example = "Handbook")]
    name: String,
    description: String,
    chunking_config: ChunkingConfig,
    image_processing_config: ImageProcessingConfig,
    embedding_model_id: String,
    summary_model_id: String,
    rerank_model_id: String,
    vlm_model_id: String,
    vlm_config: VlmConfig,
    cos_config: StorageConfig,
    extract_config: Option<ExtractConfig>,
}

impl Bind for KnowledgeBaseRequest {
    const NAME: &'static str = "KnowledgeBase";
    const UNUSED: &'static [(&'static str, Unused)] = &[
        ("id", Unused::Text),
        ("tenant_id", Unused::Unsigned),
        ("created_at", Unused::Time),
        ("updated_at", Unused::Time),
        ("deleted_at", Unused::Time),
    ];
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct UpdateKnowledgeBaseRequest {
    #[schema(required, min_length = 1, max_length = 255)]
    name: String,
    #[schema(nullable = false)]
    description: Option<String>,
    config: ConfigRequest,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default)]
#[schema(as = KnowledgeBaseConfigRequest)]
struct ConfigRequest {
    #[schema(nullable = false)]
    chunking_config: Option<ChunkingConfig>,
    #[schema(nullable = false)]
    image_processing_config: Option<ImageProcessingConfig>,
}

impl Bind for UpdateKnowledgeBaseRequest {
    const NAME: &'static str = "UpdateKnowledgeBaseRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Name", &self.name).required();
    }
}

const INVALID: &str = "Invalid request parameters";

fn bad_parameters(error: BindError) -> ApiError {
    error.in_details(Code::BadRequest, INVALID)
}

#[utoipa::path(
    post,
    path = "/api/v1/knowledge-bases",
    tag = "knowledge-bases",
    summary = "Create a knowledge base",
    request_body = KnowledgeBaseRequest,
    responses((status = 201, description = "Created.", body = Data<KnowledgeBase>))
)]
pub(in crate::http) async fn create(State(state): State<AppState>, caller: Caller, body: JsonBody) -> ApiResult {
    let request: KnowledgeBaseRequest = body.bind().map_err(bad_parameters)?;
    let kb = KnowledgeBase {
        id: String::new(),
        name: request.name,
        description: request.description,
        tenant_id: caller.scope().tenant_id(),
        chunking_config: request.chunking_config,
        image_processing_config: request.image_processing_config,
        embedding_model_id: request.embedding_model_id,
        summary_model_id: request.summary_model_id,
        rerank_model_id: request.rerank_model_id,
        vlm_model_id: request.vlm_model_id,
        vlm_config: request.vlm_config,
        storage_config: request.cos_config,
        extract_config: request.extract_config,
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
        deleted_at: None,
    };
    let created = state.library.create_knowledge_base(caller.scope(), kb).await;
    Ok(envelope::created(&created.map_err(|error| ApiError::input(error, Some(INVALID)))?))
}

#[utoipa::path(
    get,
    path = "/api/v1/knowledge-bases",
    tag = "knowledge-bases",
    summary = "All knowledge bases of the caller, newest first",
    responses((status = 200, description = "The list.", body = Data<Vec<KnowledgeBase>>))
)]
pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller) -> ApiResult {
    Ok(envelope::data(&state.library.list_knowledge_bases(caller.scope()).await?))
}

#[utoipa::path(
    get,
    path = "/api/v1/knowledge-bases/{id}",
    tag = "knowledge-bases",
    summary = "Read a knowledge base",
    responses((status = 200, description = "The knowledge base.", body = Data<KnowledgeBase>))
)]
pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    Ok(envelope::data(&state.library.get_knowledge_base(caller.scope(), &id).await?))
}

/// Who owns it is checked before the body is looked at, as the contract has it.
#[utoipa::path(
    put,
    path = "/api/v1/knowledge-bases/{id}",
    tag = "knowledge-bases",
    summary = "Change name, description, chunking and image settings",
    request_body = UpdateKnowledgeBaseRequest,
    responses((status = 200, description = "The knowledge base as it is now.", body = Data<KnowledgeBase>))
)]
pub(in crate::http) async fn update(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>, body: JsonBody) -> ApiResult {
    state.library.get_knowledge_base(caller.scope(), &id).await?;
    let request: UpdateKnowledgeBaseRequest = body.bind().map_err(bad_parameters)?;
    let change = KnowledgeBaseChange {
        name: Some(request.name),
        description: request.description,
        chunking_config: request.config.chunking_config,
        image_processing_config: request.config.image_processing_config,
    };
    let updated = state.library.update_knowledge_base(caller.scope(), &id, change).await;
    Ok(envelope::data(&updated.map_err(|error| ApiError::input(error, Some(INVALID)))?))
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
#[schema(as = CopyKnowledgeBaseRequest)]
struct CopyRequest {
    #[schema(required, min_length = 1)]
    source_id: String,
    /// Empty: a new knowledge base is made.
    target_id: String,
}

impl Bind for CopyRequest {
    const NAME: &'static str = "CopyKnowledgeBaseRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("SourceID", &self.source_id).required();
    }
}

/// The answer comes before the work, as the contract has it.
#[utoipa::path(
    post,
    path = "/api/v1/knowledge-bases/copy",
    tag = "knowledge-bases",
    summary = "Make a knowledge base hold what another one holds",
    request_body = CopyRequest,
    responses(
        (status = 200, description = "It is done in the background.", body = Done),
        (status = 404, response = NotFound),
    )
)]
pub(in crate::http) async fn copy(State(state): State<AppState>, caller: Caller, request_id: RequestId, body: JsonBody) -> ApiResult {
    let request: CopyRequest = body.bind().map_err(bad_parameters)?;
    let target_id = Some(request.target_id.as_str()).filter(|id| !id.is_empty());
    state.documents.copy_knowledge_base(caller.scope(), &request.source_id, target_id, &request_id.0).await?;
    Ok(envelope::message("Knowledge base copy successfully"))
}

#[utoipa::path(
    delete,
    path = "/api/v1/knowledge-bases/{id}",
    tag = "knowledge-bases",
    summary = "Delete a knowledge base with all that is in it",
    responses((status = 200, description = "Deleted.", body = Done))
)]
pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    state.library.delete_knowledge_base(caller.scope(), &id).await?;
    Ok(envelope::message("Knowledge base deleted successfully"))
}
