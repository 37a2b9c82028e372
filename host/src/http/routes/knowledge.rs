//! Documents over HTTP.
//!
//! Not here: taking a multipart body apart (`upload`), and what may be done with a document (`library::knowledge`).

pub(in crate::http) mod image;
pub(in crate::http) mod upload;
pub(in crate::http) mod url;

use crate::domain::Knowledge;
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data, Done, Paged};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{GoJson, Pagination, PathIds, Query};
use crate::http::go_json::{Bind, BindError, Unused};
use crate::http::openapi::{BadRequest, TimedOut, Unavailable};
use crate::store::Page;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

#[utoipa::path(
    get,
    path = "/api/v1/knowledge-bases/{id}/knowledge",
    tag = "knowledge",
    summary = "List the documents of a knowledge base",
    params(Pagination),
    responses(
        (status = 200, description = "Newest first.", body = Paged<Vec<Knowledge>>),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller, PathIds([kb_id]): PathIds<1>, query: Query) -> ApiResult {
    let page = query.pagination().map_err(BindError::in_message)?;
    let found = state.documents.list_knowledge(caller.scope(), &kb_id, Page::new(page.page(), page.page_size())).await?;
    Ok(envelope::paged(&found.items, found.total, page.page(), page.page_size()))
}

#[utoipa::path(
    get,
    path = "/api/v1/knowledge/batch",
    tag = "knowledge",
    summary = "Read several documents",
    params(("ids" = Vec<String>, Query, description = "Repeated.")),
    responses(
        (status = 200, description = "Those that exist.", body = Data<Vec<Knowledge>>),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn batch(State(state): State<AppState>, caller: Caller, query: Query) -> ApiResult {
    let ids = query.all("ids");
    if ids.is_empty() {
        let reason = "Key: 'GetKnowledgeBatchRequest.IDs' Error:Field validation for 'IDs' failed on the 'required' tag";
        return Err(ApiError::with_details(Code::BadRequest, "Invalid request parameters", reason));
    }
    Ok(envelope::data(&state.documents.get_knowledge_batch(caller.scope(), &ids).await?))
}

#[utoipa::path(
    get,
    path = "/api/v1/knowledge/{id}",
    tag = "knowledge",
    summary = "Read a document",
    responses((status = 200, description = "The document.", body = Data<Knowledge>))
)]
pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    Ok(envelope::data(&state.documents.get_knowledge(caller.scope(), &id).await?))
}

/// The contract's Knowledge object; only its title is applied.
#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct KnowledgeRequest {
    /// If sent, the id of the path.
    id: String,
    /// Empty keeps the present one.
    title: String,
}

impl Bind for KnowledgeRequest {
    const NAME: &'static str = "Knowledge";
    const UNUSED: &'static [(&'static str, Unused)] = &[
        ("tenant_id", Unused::Unsigned),
        ("knowledge_base_id", Unused::Text),
        ("type", Unused::Text),
        ("description", Unused::Text),
        ("source", Unused::Text),
        ("parse_status", Unused::Text),
        ("enable_status", Unused::Text),
        ("embedding_model_id", Unused::Text),
        ("file_name", Unused::Text),
        ("file_type", Unused::Text),
        ("file_size", Unused::Integer),
        ("file_hash", Unused::Text),
        ("file_path", Unused::Text),
        ("storage_size", Unused::Integer),
        ("created_at", Unused::Time),
        ("updated_at", Unused::Time),
        ("processed_at", Unused::Time),
        ("error_message", Unused::Text),
        ("deleted_at", Unused::Time),
    ];
}

#[utoipa::path(
    put,
    path = "/api/v1/knowledge/{id}",
    tag = "knowledge",
    summary = "Rename a document",
    request_body = KnowledgeRequest,
    responses((status = 200, description = "Renamed.", body = Done))
)]
pub(in crate::http) async fn update(
    State(state): State<AppState>,
    caller: Caller,
    PathIds([id]): PathIds<1>,
    GoJson(request): GoJson<KnowledgeRequest>,
) -> ApiResult {
    if !request.id.is_empty() && request.id != id {
        return Err(ApiError::new(Code::BadRequest, "The id of the body is not the id of the path"));
    }
    let renamed = state.documents.rename_knowledge(caller.scope(), &id, &request.title).await;
    renamed.map_err(|error| ApiError::input(error, None))?;
    Ok(envelope::message("Knowledge chunk updated successfully"))
}

#[utoipa::path(
    delete,
    path = "/api/v1/knowledge/{id}",
    tag = "knowledge",
    summary = "Delete a document; answers when no search finds it",
    responses(
        (status = 200, description = "Deleted.", body = Done),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    state.documents.delete_knowledge(caller.scope(), &id).await?;
    Ok(envelope::message("Deleted successfully"))
}

#[utoipa::path(
    get,
    path = "/api/v1/knowledge/{id}/download",
    tag = "knowledge",
    summary = "Download a document as it was uploaded",
    responses((status = 200, description = "The bytes.", body = String, content_type = "application/octet-stream"))
)]
pub(in crate::http) async fn download(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    let opened = state.documents.open_file(caller.scope(), &id).await;
    let (knowledge, file) = opened.map_err(|error| ApiError::under("Failed to retrieve file", error))?;
    let mut response = Response::new(Body::from_stream(ReaderStream::new(file.file)));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::EXPIRES, "0"),
        (header::CACHE_CONTROL, "must-revalidate"),
        (header::PRAGMA, "public"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("content-description", HeaderValue::from_static("File Transfer"));
    headers.insert("content-transfer-encoding", HeaderValue::from_static("binary"));
    if let Ok(disposition) = HeaderValue::from_str(&disposition(&knowledge.file_name)) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// `attachment` with the name twice: in ASCII for the oldest clients, percent-encoded for all others (RFC 6266).
fn disposition(file_name: &str) -> String {
    let ascii: String = file_name.chars().map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%') { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in file_name.bytes() {
        match byte {
            b'\r' | b'\n' => encoded.push_str("%20"),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_headers_are_plain_and_whole() {
        assert_eq!(disposition("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
        assert_eq!(disposition("报告\r\n\".md"), "attachment; filename=\"_____.md\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%20%20%22.md");
    }
}
