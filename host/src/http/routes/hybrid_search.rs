//! Search within one knowledge base: a GET with a JSON body, as the contract's clients send it, or with a query.
//!
//! Not here: how it is found (`search`).

use crate::domain::SearchResult;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{JsonBody, PathIds, Query};
use crate::http::go_json::{Bind, BindError};
use crate::http::openapi::{TimedOut, TooMany, Unavailable};
use crate::http::{AppState, RequestId};
use crate::limits::SEARCH_TIME;
use crate::provider::CallContext;
use crate::search::{Candidate, Explain, HybridQuery, Paths, SearchFilter};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
#[schema(as = SearchRequest)]
struct SearchParams {
    #[schema(example = "When does the ferry leave?")]
    query_text: String,
    vector_threshold: f64,
    /// Taken, but words filter nothing.
    #[serde(rename = "keyword_threshold")]
    _keyword_threshold: f64,
    /// For each way of finding; 0 means 10.
    match_count: i64,
    /// Additions of this server.
    filter: Option<SearchFilter>,
    explain: bool,
    /// `vector`, `keywords`, or both; empty means both. For measuring.
    #[schema(example = json!(["vector", "keywords"]))]
    paths: Vec<String>,
}

impl Bind for SearchParams {
    const NAME: &'static str = "SearchParams";
}

/// A result with its story, where that was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundChunk)]
pub(in crate::http) struct Shown {
    #[serde(flatten)]
    result: SearchResult,
    /// Places, raw scores and who gave them; only when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    explain: Option<Explain>,
}

#[utoipa::path(
    get,
    path = "/api/v1/knowledge-bases/{id}/hybrid-search",
    tag = "knowledge-bases",
    summary = "Search a knowledge base",
    params(
        ("query_text" = Option<String>, Query, description = "What to look for, where no body is sent."),
        ("query" = Option<String>, Query, description = "The same."),
        ("vector_threshold" = Option<f64>, Query, description = "As in the body."),
        ("keyword_threshold" = Option<f64>, Query, description = "As in the body."),
        ("match_count" = Option<i64>, Query, description = "As in the body."),
    ),
    request_body = Option<SearchParams>,
    responses(
        (status = 200, description = "What was found, best first; null when nothing was.", body = Data<Option<Vec<Shown>>>),
        (status = 429, response = TooMany),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn hybrid_search(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([id]): PathIds<1>,
    query: Query,
    body: JsonBody,
) -> ApiResult {
    let params = read(&query, &body).map_err(|error| error.in_details(Code::BadRequest, "Invalid request parameters"))?;
    let query = HybridQuery {
        knowledge_base_id: id,
        text: params.query_text,
        vector_threshold: params.vector_threshold,
        match_count: params.match_count,
        filter: params.filter.unwrap_or_default(),
        explain: params.explain,
        paths: paths(&params.paths)?,
        keyword_threshold: None,
    };
    let context = CallContext::interactive(caller.scope().tenant_id(), request_id.0.as_ref(), SEARCH_TIME);
    // A client that leaves takes its search along.
    let _cancel = context.cancel.clone().drop_guard();
    let searched = tokio::time::timeout(SEARCH_TIME, state.search.hybrid_search(&context, caller.scope(), &query)).await;
    let found = searched.map_err(|_| ApiError::new(Code::Timeout, "The search took too long"))??;
    let shown: Vec<Shown> = found.into_iter().map(|Candidate { result, explain, .. }| Shown { result, explain }).collect();
    // The contract's word for nothing.
    Ok(envelope::data(&(!shown.is_empty()).then_some(shown)))
}

fn paths(words: &[String]) -> Result<Paths, ApiError> {
    if words.is_empty() {
        return Ok(Paths::default());
    }
    let mut paths = Paths { vector: false, keywords: false };
    for word in words {
        match word.as_str() {
            "vector" => paths.vector = true,
            "keywords" => paths.keywords = true,
            other => {
                return Err(ApiError::new(Code::BadRequest, format!("paths: {other:?} is not accepted; name vector, keywords or both")));
            }
        }
    }
    Ok(paths)
}

fn read(query: &Query, body: &JsonBody) -> Result<SearchParams, BindError> {
    let text = query.get("query_text").or_else(|| query.get("query"));
    match text {
        Some(text) if body.is_empty() => Ok(SearchParams {
            query_text: text.to_owned(),
            vector_threshold: query.float("vector_threshold")?.unwrap_or_default(),
            _keyword_threshold: query.float("keyword_threshold")?.unwrap_or_default(),
            match_count: query.integer("match_count")?,
            ..SearchParams::default()
        }),
        Some(_) | None => body.bind(),
    }
}
