//! Which server this is. Not here: whether it is well (`health`).

use crate::http::auth::AnyCaller;
use crate::http::envelope;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

/// The contract's own envelope: `code` and `msg` beside `data`.
pub(in crate::http) async fn info(_caller: AnyCaller) -> Response {
    let data = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "commit_id": option_env!("KNOWHOST_COMMIT").unwrap_or("unknown"),
        "build_time": option_env!("KNOWHOST_BUILD_TIME").unwrap_or("unknown"),
        "go_version": "unknown",
    });
    envelope::json(StatusCode::OK, &json!({"code": 0, "data": data, "msg": "success"}))
}
