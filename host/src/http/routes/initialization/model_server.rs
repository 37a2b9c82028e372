//! The server of local models: status, what it has, fetching more.
//!
//! Not here: how a fetch goes on (`library::downloads`).

use super::shapes;
use crate::domain::Timestamp;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::ApiResult;
use crate::http::extract::{GoJson, PathIds};
use crate::http::go_json::{Bind, Rules};
use crate::http::openapi::{TooMany, Unavailable};
use crate::http::{AppState, RequestId};
use crate::library::downloads::{Download, Requested};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default)]
#[schema(as = CheckModelsRequest)]
pub(in crate::http) struct CheckRequest {
    #[schema(required, nullable = false, max_items = 1000)]
    models: Option<Vec<String>>,
}

impl Bind for CheckRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = r#"struct { Models []string "json:\"models\" binding:\"required\"" }"#;

    fn check(&self, rules: &mut Rules) {
        rules.require("Models", self.models.is_some());
    }
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct DownloadRequest {
    #[schema(required, min_length = 1)]
    model_name: String,
}

impl Bind for DownloadRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = r#"struct { ModelName string "json:\"modelName\" binding:\"required\"" }"#;

    fn check(&self, rules: &mut Rules) {
        rules.text("ModelName", &self.model_name).required();
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Task<'a> {
    id: &'a str,
    model_name: &'a str,
    status: &'static str,
    progress: f64,
    message: &'a str,
    start_time: &'a Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<&'a Timestamp>,
}

fn task(download: &Download) -> Task<'_> {
    Task {
        id: &download.task_id,
        model_name: &download.model_name,
        status: download.status.as_str(),
        progress: download.progress,
        message: &download.message,
        start_time: &download.start_time,
        end_time: download.end_time.as_ref(),
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/initialization/ollama/status",
    tag = "initialization",
    summary = "Is the server of local models there",
    operation_id = "model_server_status",
    responses((status = 200, description = "Whether it answers.", body = Data<shapes::ModelServer>))
)]
pub(in crate::http) async fn status(State(state): State<AppState>, caller: Caller, request_id: RequestId) -> ApiResult {
    let status = state.initialization.server_status(caller.scope(), &request_id.0).await;
    let mut data = json!({"available": status.available, "baseUrl": status.base_url});
    if let Some(version) = status.version {
        data["version"] = version.into();
    }
    if let Some(error) = status.error {
        data["error"] = error.into();
    }
    Ok(envelope::data(&data))
}

#[utoipa::path(
    get,
    path = "/api/v1/initialization/ollama/models",
    tag = "initialization",
    summary = "List the installed local models",
    operation_id = "model_server_models",
    responses(
        (status = 200, description = "Their names.", body = Data<shapes::InstalledModels>),
        (status = 503, response = Unavailable),
    )
)]
pub(in crate::http) async fn models(State(state): State<AppState>, caller: Caller, request_id: RequestId) -> ApiResult {
    let models = state.initialization.installed_models(caller.scope(), &request_id.0).await?;
    Ok(envelope::data(&json!({"models": models})))
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/ollama/models/check",
    tag = "initialization",
    summary = "Which of these local models are installed",
    operation_id = "model_server_check",
    request_body = CheckRequest,
    responses(
        (status = 200, description = "By name.", body = Data<shapes::CheckedModels>),
        (status = 503, response = Unavailable),
    )
)]
pub(in crate::http) async fn check(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<CheckRequest>,
) -> ApiResult {
    let names = request.models.unwrap_or_default();
    let checked = state.initialization.check_models(caller.scope(), &request_id.0, &names).await?;
    let models: Map<String, Value> = checked.into_iter().map(|(name, there)| (name.to_owned(), there.into())).collect();
    Ok(envelope::data(&json!({"models": models})))
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/ollama/models/download",
    tag = "initialization",
    summary = "Fetch a local model",
    operation_id = "model_server_download",
    request_body = DownloadRequest,
    responses(
        (status = 200, description = "There already, under way, or begun.", body = shapes::Told<shapes::RequestedDownload>),
        (status = 429, response = TooMany),
        (status = 503, response = Unavailable),
    )
)]
pub(in crate::http) async fn download(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<DownloadRequest>,
) -> ApiResult {
    let requested = state.initialization.download_model(caller.scope(), &request_id.0, &request.model_name).await;
    Ok(match requested.map_err(|error| crate::http::error::ApiError::input(error, None))? {
        Requested::Installed => {
            let data = json!({"modelName": request.model_name, "status": "completed", "progress": 100});
            told("模型已存在", &data)
        }
        Requested::Running(download) => told("模型下载任务已存在", &started(&download)),
        Requested::Created(download) => told("模型下载任务已创建", &started(&download)),
    })
}

fn started(download: &Download) -> Value {
    json!({
        "taskId": download.task_id,
        "modelName": download.model_name,
        "status": download.status.as_str(),
        "progress": download.progress,
    })
}

fn told(message: &str, data: &Value) -> Response {
    envelope::json(StatusCode::OK, &json!({"data": data, "message": message, "success": true}))
}

#[utoipa::path(
    get,
    path = "/api/v1/initialization/ollama/download/progress/{id}",
    tag = "initialization",
    summary = "Follow a download",
    operation_id = "model_server_progress",
    responses((status = 200, description = "How it stands.", body = Data<shapes::Download>))
)]
pub(in crate::http) async fn progress(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    let download = state.initialization.downloads().get(caller.scope(), &id).await?;
    Ok(envelope::data(&task(&download)))
}

#[utoipa::path(
    get,
    path = "/api/v1/initialization/ollama/download/tasks",
    tag = "initialization",
    summary = "List the downloads of the last days",
    operation_id = "model_server_tasks",
    responses((status = 200, description = "Newest first.", body = Data<Vec<shapes::Download>>))
)]
pub(in crate::http) async fn tasks(State(state): State<AppState>, caller: Caller) -> ApiResult {
    let downloads = state.initialization.downloads().list(caller.scope()).await?;
    Ok(envelope::data(&downloads.iter().map(task).collect::<Vec<_>>()))
}

/// Ends a download; not in the reference.
#[utoipa::path(
    delete,
    path = "/api/v1/initialization/ollama/download/tasks/{id}",
    tag = "initialization",
    summary = "Cancel a download",
    operation_id = "model_server_cancel",
    responses((status = 200, description = "How it ended; one that had ended stays as it was.", body = Data<shapes::Download>))
)]
pub(in crate::http) async fn cancel(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    let download = state.initialization.downloads().cancel(caller.scope(), &id).await?;
    Ok(envelope::data(&task(&download)))
}
