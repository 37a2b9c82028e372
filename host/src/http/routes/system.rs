//! Which server this is. Not here: whether it is well (`health`).

use crate::http::auth::AnyCaller;
use crate::http::envelope;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

/// The contract's own envelope: `code` and `msg` beside `data`.
#[derive(Serialize, ToSchema)]
struct SystemInfo {
    /// Always 0.
    code: i64,
    data: Build,
    msg: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Build {
    version: &'static str,
    commit_id: &'static str,
    build_time: &'static str,
    go_version: &'static str,
}

#[utoipa::path(
    get,
    path = "/api/v1/system/info",
    tag = "system",
    summary = "Version of this server",
    responses((status = 200, description = "Which server this is.", body = SystemInfo))
)]
pub(in crate::http) async fn info(_caller: AnyCaller) -> Response {
    let data = Build {
        version: env!("CARGO_PKG_VERSION"),
        commit_id: option_env!("KNOWHOST_COMMIT").unwrap_or("unknown"),
        build_time: option_env!("KNOWHOST_BUILD_TIME").unwrap_or("unknown"),
        go_version: "unknown",
    };
    envelope::json(StatusCode::OK, &SystemInfo { code: 0, data, msg: "success" })
}
