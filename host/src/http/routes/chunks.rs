//! Chunks over HTTP. Not here: what a change does to searches (`library::chunks`).

use crate::domain::Chunk;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data, Done, Paged};
use crate::http::error::ApiResult;
use crate::http::extract::{JsonBody, Pagination, PathIds, Query};
use crate::http::go_json::{Bind, BindError};
use crate::http::openapi::{BadRequest, Conflict, TimedOut, TooMany, Unavailable};
use crate::http::{AppState, RequestId};
use crate::library::chunks::ChunkChange;
use crate::library::safe_text;
use crate::store::Page;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// Texts are made safe for pages that show them as HTML, as the contract's user interface does.
#[utoipa::path(
    get,
    path = "/api/v1/chunks/{knowledge_id}",
    tag = "chunks",
    summary = "List the chunks of a document",
    params(Pagination),
    responses(
        (status = 200, description = "Text chunks in their order, their contents made safe for HTML.", body = Paged<Vec<Chunk>>),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>, query: Query) -> ApiResult {
    let page = query.pagination().map_err(BindError::in_message)?;
    let found = state.documents.list_chunks(caller.scope(), &id, Page::new(page.page(), page.page_size())).await?;
    let shown: Vec<Chunk> =
        found.items.into_iter().map(|chunk| Chunk { content: safe_text::for_display(&chunk.content), ..chunk }).collect();
    Ok(envelope::paged(&shown, found.total, page.page(), page.page_size()))
}

/// Beyond the first two nothing is applied, but wrong types are refused.
#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct UpdateChunkRequest {
    content: String,
    #[schema(nullable = false)]
    is_enabled: Option<bool>,
    #[serde(rename = "embedding")]
    #[schema(ignore)]
    _embedding: Option<Vec<f32>>,
    #[serde(rename = "chunk_index")]
    #[schema(ignore)]
    _chunk_index: i64,
    #[serde(rename = "start_at")]
    #[schema(ignore)]
    _start_at: i64,
    #[serde(rename = "end_at")]
    #[schema(ignore)]
    _end_at: i64,
    #[serde(rename = "image_info")]
    #[schema(ignore)]
    _image_info: String,
}

impl Bind for UpdateChunkRequest {
    const NAME: &'static str = "UpdateChunkRequest";
}

#[utoipa::path(
    put,
    path = "/api/v1/chunks/{knowledge_id}/{id}",
    tag = "chunks",
    summary = "Change a chunk",
    request_body = UpdateChunkRequest,
    responses(
        (status = 200, description = "The chunk.", body = Data<Chunk>),
        (status = 409, response = Conflict),
        (status = 429, response = TooMany),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn update(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([knowledge_id, id]): PathIds<2>,
    body: JsonBody,
) -> ApiResult {
    let chunk = state.documents.get_chunk(caller.scope(), &knowledge_id, &id).await?;
    let request: UpdateChunkRequest = body.bind().map_err(BindError::in_message)?;
    let change = ChunkChange { content: Some(request.content), is_enabled: request.is_enabled };
    Ok(envelope::data(&state.documents.update_chunk(caller.scope(), &chunk, change, &request_id.0).await?))
}

#[utoipa::path(
    delete,
    path = "/api/v1/chunks/{knowledge_id}/{id}",
    tag = "chunks",
    summary = "Delete a chunk",
    responses(
        (status = 200, description = "Deleted.", body = Done),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([knowledge_id, id]): PathIds<2>) -> ApiResult {
    let chunk = state.documents.get_chunk(caller.scope(), &knowledge_id, &id).await?;
    state.documents.delete_chunk(caller.scope(), &chunk).await?;
    Ok(envelope::message("Chunk deleted"))
}

#[utoipa::path(
    delete,
    path = "/api/v1/chunks/{knowledge_id}",
    tag = "chunks",
    summary = "Delete all chunks of a document",
    responses(
        (status = 200, description = "Deleted.", body = Done),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn delete_all(State(state): State<AppState>, caller: Caller, PathIds([knowledge_id]): PathIds<1>) -> ApiResult {
    state.documents.delete_chunks(caller.scope(), &knowledge_id).await?;
    Ok(envelope::message("All chunks under knowledge deleted"))
}
