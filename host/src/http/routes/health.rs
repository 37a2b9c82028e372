//! Liveness. Not here: whether the parts behind the server work.

use crate::http::envelope;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

pub(in crate::http) async fn health() -> Response {
    envelope::json(StatusCode::OK, &json!({"status": "ok"}))
}
