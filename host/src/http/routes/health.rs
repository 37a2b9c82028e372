//! Liveness. Not here: whether the parts behind the server work.

use crate::http::envelope;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

#[utoipa::path(
    get,
    path = "/health",
    tag = "system",
    summary = "Liveness",
    responses((status = 200, description = "Alive.", body = Health))
)]
pub(in crate::http) async fn health() -> Response {
    envelope::json(StatusCode::OK, &Health { status: "ok" })
}
