//! Plugins over HTTP, for the operator alone: look, allow, narrow, roll back, deny.
//!
//! Not here: what allowing means (`library::plugins`).

use crate::error::Error;
use crate::http::AppState;
use crate::http::auth::Operator;
use crate::http::envelope::{self, Data, Done};
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{JsonBody, PathIds};
use crate::http::go_json::{Bind, BindError};
use crate::http::openapi::{BadRequest, Conflict};
use crate::provider::{PluginGrantsChange, PluginListing};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct AllowPluginRequest {
    /// SHA-256 of the file that was looked at; another file is a conflict.
    digest: String,
    /// Let a native library run as the server itself; needs the digest.
    allow_native: bool,
}

impl Bind for AllowPluginRequest {
    const NAME: &'static str = "AllowPluginRequest";
}

#[utoipa::path(
    get,
    path = "/api/v1/plugins",
    tag = "plugins",
    summary = "List plugins, shipped ones and those in the plugins folder; for the operator",
    responses((status = 200, description = "The plugins.", body = Data<Vec<PluginListing>>))
)]
pub(in crate::http) async fn list(State(state): State<AppState>, _operator: Operator) -> ApiResult {
    Ok(envelope::data(&state.library.list_plugins().await?))
}

impl Bind for PluginGrantsChange {
    const NAME: &'static str = "PluginGrantsChange";
}

#[utoipa::path(
    get,
    path = "/api/v1/plugins/{name}",
    tag = "plugins",
    summary = "Show a plugin, what it asks for and what is granted; for the operator",
    responses((status = 200, description = "The plugin.", body = Data<PluginListing>))
)]
pub(in crate::http) async fn get(State(state): State<AppState>, _operator: Operator, PathIds([name]): PathIds<1>) -> ApiResult {
    Ok(envelope::data(&state.library.get_plugin(&name).await?))
}

/// What the body does not name stays as it is.
#[utoipa::path(
    put,
    path = "/api/v1/plugins/{name}/grants",
    tag = "plugins",
    summary = "Narrow or widen what an allowed plugin may do, within what it asks for; for the operator",
    request_body = PluginGrantsChange,
    responses(
        (status = 200, description = "The plugin with its new grants, which hold for calls that begin now.", body = Data<PluginListing>),
        (status = 409, response = Conflict),
    )
)]
pub(in crate::http) async fn grant(
    State(state): State<AppState>,
    _operator: Operator,
    PathIds([name]): PathIds<1>,
    body: JsonBody,
) -> ApiResult {
    let change = body.bind().map_err(BindError::in_message)?;
    Ok(envelope::data(&state.library.grant_to_plugin(&name, change).await?))
}

#[utoipa::path(
    post,
    path = "/api/v1/plugins/{name}/rollback",
    tag = "plugins",
    summary = "Go back to the version that was allowed before; for the operator",
    responses(
        (status = 200, description = "The plugin as it is loaded.", body = Data<PluginListing>),
        (status = 409, response = Conflict),
    )
)]
pub(in crate::http) async fn roll_back(State(state): State<AppState>, _operator: Operator, PathIds([name]): PathIds<1>) -> ApiResult {
    Ok(envelope::data(&state.library.roll_plugin_back(&name).await?))
}

/// An empty body allows the file that is there; a digest allows that very file and no other.
#[utoipa::path(
    post,
    path = "/api/v1/plugins/{name}/allow",
    tag = "plugins",
    summary = "Pin a plugin by its digest, grant what it asks for and load it; for the operator",
    request_body = Option<AllowPluginRequest>,
    responses(
        (status = 200, description = "The plugin as it is loaded.", body = Data<PluginListing>),
        (status = 409, response = Conflict),
    )
)]
pub(in crate::http) async fn allow(
    State(state): State<AppState>,
    _operator: Operator,
    PathIds([name]): PathIds<1>,
    body: JsonBody,
) -> ApiResult {
    let request = if body.is_empty() { AllowPluginRequest::default() } else { body.bind().map_err(BindError::in_message)? };
    let digest = Some(request.digest.as_str()).filter(|digest| !digest.is_empty());
    let allowed = match (request.allow_native, digest) {
        (false, digest) => state.library.allow_plugin(&name, digest).await,
        (true, Some(digest)) => state.library.allow_native_plugin(&name, digest).await,
        (true, None) => Err(Error::BadRequest("allow_native needs the digest of the file that was looked at".into())),
    };
    Ok(envelope::data(&allowed.map_err(ApiError::from)?))
}

#[utoipa::path(
    post,
    path = "/api/v1/plugins/{name}/deny",
    tag = "plugins",
    summary = "Take the grants of a plugin back; its calls end; for the operator",
    responses(
        (status = 200, description = "Denied.", body = Done),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn deny(State(state): State<AppState>, _operator: Operator, PathIds([name]): PathIds<1>) -> ApiResult {
    state.library.deny_plugin(&name).await?;
    Ok(envelope::message("Plugin denied"))
}
