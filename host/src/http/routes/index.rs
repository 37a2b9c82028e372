//! The search index, for the operator.
//!
//! Not here: what is done with it (`library::index_care`).

use crate::http::AppState;
use crate::http::auth::Operator;
use crate::http::envelope::{self, Data};
use crate::http::error::ApiResult;
use crate::http::openapi::{TimedOut, Unavailable};
use crate::library::{IndexStatus, IndexVerification};
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

#[utoipa::path(
    get,
    path = "/api/v1/system/index",
    tag = "index",
    summary = "State of the search index; for the operator",
    responses((status = 200, description = "How far the index is.", body = Data<IndexStatus>))
)]
pub(in crate::http) async fn status(State(state): State<AppState>, _: Operator) -> ApiResult {
    Ok(envelope::data(&state.index.status().await?))
}

#[utoipa::path(
    post,
    path = "/api/v1/system/index/verify",
    tag = "index",
    summary = "Compare the search index with the database; for the operator",
    responses(
        (status = 200, description = "What is missing and what is too much.", body = Data<IndexVerification>),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn verify(State(state): State<AppState>, _: Operator) -> ApiResult {
    Ok(envelope::data(&state.index.verify().await?))
}

/// Answers with the state of before; it is followed with `status`.
#[utoipa::path(
    post,
    path = "/api/v1/system/index/rebuild",
    tag = "index",
    summary = "Make the search index anew while the present one answers; for the operator",
    responses((status = 202, description = "The state of before; it is done when rebuilds_count has grown.", body = Data<IndexStatus>))
)]
pub(in crate::http) async fn rebuild(State(state): State<AppState>, _: Operator) -> ApiResult {
    let before = state.index.begin_rebuild().await?;
    Ok(envelope::json(StatusCode::ACCEPTED, &json!({ "data": before, "success": true })))
}
