//! Chunks over HTTP. Not here: what a change does to searches (`library::chunks`).

use crate::domain::Chunk;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;
use crate::http::extract::{JsonBody, PathIds, Query};
use crate::http::go_json::{Bind, BindError};
use crate::http::{AppState, RequestId, envelope};
use crate::library::chunks::ChunkChange;
use crate::library::safe_text;
use crate::store::Page;
use axum::extract::State;
use serde::Deserialize;

/// Texts are made safe for pages that show them as HTML, as the contract's user interface does.
pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>, query: Query) -> ApiResult {
    let page = query.pagination().map_err(BindError::in_message)?;
    let found = state.documents.list_chunks(caller.scope(), &id, Page::new(page.page(), page.page_size())).await?;
    let shown: Vec<Chunk> =
        found.items.into_iter().map(|chunk| Chunk { content: safe_text::for_display(&chunk.content), ..chunk }).collect();
    Ok(envelope::paged(&shown, found.total, page.page(), page.page_size()))
}

/// Beyond the first two nothing is applied, but wrong types are refused.
#[derive(Deserialize, Default)]
#[serde(default)]
struct UpdateChunkRequest {
    content: String,
    is_enabled: Option<bool>,
    #[serde(rename = "embedding")]
    _embedding: Option<Vec<f32>>,
    #[serde(rename = "chunk_index")]
    _chunk_index: i64,
    #[serde(rename = "start_at")]
    _start_at: i64,
    #[serde(rename = "end_at")]
    _end_at: i64,
    #[serde(rename = "image_info")]
    _image_info: String,
}

impl Bind for UpdateChunkRequest {
    const NAME: &'static str = "UpdateChunkRequest";
}

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

pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([knowledge_id, id]): PathIds<2>) -> ApiResult {
    let chunk = state.documents.get_chunk(caller.scope(), &knowledge_id, &id).await?;
    state.documents.delete_chunk(caller.scope(), &chunk).await?;
    Ok(envelope::message("Chunk deleted"))
}

pub(in crate::http) async fn delete_all(State(state): State<AppState>, caller: Caller, PathIds([knowledge_id]): PathIds<1>) -> ApiResult {
    state.documents.delete_chunks(caller.scope(), &knowledge_id).await?;
    Ok(envelope::message("All chunks under knowledge deleted"))
}
