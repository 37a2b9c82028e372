//! Routes of v0.1.3, whose settings page knew one knowledge base for a tenant.
//!
//! Not here: the present form of the settings (`settings`).

use super::request::InitializationRequest;
use super::settings::shown;
use super::shapes;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::GoJson;
use crate::http::openapi::{NotFound, TooMany};
use crate::http::{AppState, RequestId};
use crate::library::initialization::Saved;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

#[utoipa::path(
    get,
    path = "/api/v1/initialization/status",
    tag = "initialization",
    summary = "Has the tenant a model of its own; of WeKnora v0.1.3",
    operation_id = "earlier_status",
    responses((status = 200, description = "Whether it has.", body = Data<shapes::Initialized>))
)]
pub(in crate::http) async fn status(State(state): State<AppState>, caller: Caller) -> ApiResult {
    let initialized = state.initialization.is_initialized(caller.scope()).await?;
    Ok(envelope::data(&json!({"initialized": initialized})))
}

#[utoipa::path(
    get,
    path = "/api/v1/initialization/config",
    tag = "initialization",
    summary = "Read the settings of the newest knowledge base; of WeKnora v0.1.3",
    operation_id = "earlier_current",
    responses(
        (status = 200, description = "The settings, keys included.", body = Data<shapes::CurrentSettings>),
        (status = 404, response = NotFound),
    )
)]
pub(in crate::http) async fn current(State(state): State<AppState>, caller: Caller) -> ApiResult {
    let current = state.initialization.current_of_tenant(caller.scope()).await?;
    Ok(envelope::data(&shown(&current, false)))
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/initialize",
    tag = "initialization",
    summary = "Set a tenant up; of WeKnora v0.1.3",
    operation_id = "earlier_save",
    request_body = InitializationRequest,
    responses(
        (status = 200, description = "Saved.", body = shapes::Told<shapes::SavedTenantSettings>),
        (status = 429, response = TooMany),
    )
)]
pub(in crate::http) async fn save(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<InitializationRequest>,
) -> ApiResult {
    let change = request.without_extract().into();
    let saved = state.initialization.save_tenant(caller.scope(), &request_id.0, change).await;
    let Saved { models, knowledge_base } = saved.map_err(|error| ApiError::input(error, None))?;
    let data = json!({"tenant": caller.tenant(), "models": models, "knowledge_base": knowledge_base});
    Ok(envelope::json(StatusCode::OK, &json!({"data": data, "message": "系统初始化成功", "success": true})))
}

#[utoipa::path(
    get,
    path = "/api/v1/test-data",
    tag = "initialization",
    summary = "The caller's tenant and knowledge bases; of WeKnora v0.1.3",
    operation_id = "earlier_test_data",
    responses(
        (status = 200, description = "Both.", body = Data<shapes::TestData>),
        (status = 404, response = NotFound),
    )
)]
pub(in crate::http) async fn test_data(State(state): State<AppState>, caller: Caller) -> ApiResult {
    let knowledge_bases = state.library.list_knowledge_bases(caller.scope()).await?;
    if knowledge_bases.is_empty() {
        return Err(ApiError::new(Code::NotFound, "获取知识库信息失败"));
    }
    Ok(envelope::data(&json!({"tenant": caller.tenant(), "knowledge_bases": knowledge_bases})))
}
