//! Plugins over HTTP, for the operator alone: list, allow, deny.
//!
//! Not here: what allowing means (`library::plugins`).

use crate::http::AppState;
use crate::http::auth::Operator;
use crate::http::envelope;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{JsonBody, PathIds};
use crate::http::go_json::{Bind, BindError};
use axum::extract::State;
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default)]
struct AllowPluginRequest {
    digest: String,
}

impl Bind for AllowPluginRequest {
    const NAME: &'static str = "AllowPluginRequest";
}

pub(in crate::http) async fn list(State(state): State<AppState>, _operator: Operator) -> ApiResult {
    Ok(envelope::data(&state.library.list_plugins().await?))
}

/// An empty body allows the file that is there; a digest allows that very file and no other.
pub(in crate::http) async fn allow(
    State(state): State<AppState>,
    _operator: Operator,
    PathIds([name]): PathIds<1>,
    body: JsonBody,
) -> ApiResult {
    let request = if body.is_empty() { AllowPluginRequest::default() } else { body.bind().map_err(BindError::in_message)? };
    let digest = Some(request.digest.as_str()).filter(|digest| !digest.is_empty());
    let allowed = state.library.allow_plugin(&name, digest).await;
    Ok(envelope::data(&allowed.map_err(ApiError::from)?))
}

pub(in crate::http) async fn deny(State(state): State<AppState>, _operator: Operator, PathIds([name]): PathIds<1>) -> ApiResult {
    state.library.deny_plugin(&name).await?;
    Ok(envelope::message("Plugin denied"))
}
