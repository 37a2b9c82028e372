//! Helpers of the settings page for entities and relations: a preview, sample words, a sample text.
//!
//! Not here: prompts and reading the model's answer (`library::initialization`).

use super::shapes;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::JsonBody;
use crate::http::go_json::Bind;
use crate::http::{AppState, RequestId};
use crate::library::initialization::{Endpoint, sample_tags};
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct LlmConfig {
    source: String,
    model_name: String,
    base_url: String,
    api_key: String,
}

impl From<LlmConfig> for Endpoint {
    fn from(sent: LlmConfig) -> Self {
        Self { source: sent.source, model_name: sent.model_name, base_url: sent.base_url, api_key: sent.api_key }
    }
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct RelationsRequest {
    #[schema(required, min_length = 1, max_length = 5000)]
    text: String,
    #[schema(required, nullable = false, min_items = 1, max_items = 100)]
    tags: Option<Vec<String>>,
    llm_config: LlmConfig,
}

impl Bind for RelationsRequest {
    const NAME: &'static str = "TextRelationExtractionRequest";
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
struct SampleTextRequest {
    tags: Vec<String>,
    llm_config: LlmConfig,
}

impl Bind for SampleTextRequest {
    const NAME: &'static str = "FabriTextRequest";
}

/// A model that fails is told in the data, as the page wants it.
fn failed(message: &str) -> Response {
    envelope::data(&json!({"success": false, "message": message}))
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/extract/text-relation",
    tag = "initialization",
    summary = "Entities and relations of a text",
    operation_id = "extract_text_relation",
    request_body = RelationsRequest,
    responses((status = 200, description = "What the model found.", body = Data<shapes::Extracted>))
)]
pub(in crate::http) async fn text_relation(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    body: JsonBody,
) -> ApiResult {
    let wrong = || ApiError::new(Code::BadRequest, "文本关系提取请求参数错误");
    let request: RelationsRequest = body.bind().map_err(|_| wrong())?;
    let tags = request.tags.filter(|_| !request.text.is_empty()).ok_or_else(wrong)?;
    let endpoint = request.llm_config.into();
    let extracted = state.initialization.extract_relations(caller.scope(), &request_id.0, &request.text, &tags, &endpoint).await?;
    Ok(match extracted {
        Ok(extracted) => envelope::data(&json!({"nodes": extracted.nodes, "relations": extracted.relations})),
        Err(message) => failed(&message),
    })
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/extract/fabri-text",
    tag = "initialization",
    summary = "A sample text",
    operation_id = "extract_fabri_text",
    request_body = SampleTextRequest,
    responses((status = 200, description = "What the model wrote.", body = Data<shapes::SampleText>))
)]
pub(in crate::http) async fn fabri_text(State(state): State<AppState>, caller: Caller, request_id: RequestId, body: JsonBody) -> ApiResult {
    let wrong = |_| ApiError::new(Code::BadRequest, "生成示例文本请求参数错误");
    let request: SampleTextRequest = body.bind().map_err(wrong)?;
    let endpoint = request.llm_config.into();
    let text = state.initialization.sample_text(caller.scope(), &request_id.0, &request.tags, &endpoint).await?;
    Ok(match text {
        Ok(text) => envelope::data(&json!({"text": text})),
        Err(message) => failed(&message),
    })
}

/// The body is not read, as in the reference.
#[utoipa::path(
    post,
    path = "/api/v1/initialization/extract/fabri-tag",
    tag = "initialization",
    summary = "Sample kinds of relation; the body is not read",
    operation_id = "extract_fabri_tag",
    responses((status = 200, description = "One to nine of ten words.", body = Data<shapes::SampleTags>))
)]
pub(in crate::http) async fn fabri_tag(_caller: Caller) -> ApiResult {
    Ok(envelope::data(&json!({"tags": sample_tags()})))
}
