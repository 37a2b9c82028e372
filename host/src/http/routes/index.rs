//! The search index, for the operator.
//!
//! Not here: what is done with it (`library::index_care`).

use crate::http::AppState;
use crate::http::auth::Operator;
use crate::http::envelope;
use crate::http::error::ApiResult;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

pub(in crate::http) async fn status(State(state): State<AppState>, _: Operator) -> ApiResult {
    Ok(envelope::data(&state.index.status().await?))
}

pub(in crate::http) async fn verify(State(state): State<AppState>, _: Operator) -> ApiResult {
    Ok(envelope::data(&state.index.verify().await?))
}

/// Answers with the state of before; it is followed with `status`.
pub(in crate::http) async fn rebuild(State(state): State<AppState>, _: Operator) -> ApiResult {
    let before = state.index.begin_rebuild().await?;
    Ok(envelope::json(StatusCode::ACCEPTED, &json!({ "data": before, "success": true })))
}
