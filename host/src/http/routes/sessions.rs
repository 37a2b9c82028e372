//! Sessions over HTTP, their titles, and answers that are followed or stopped.
//!
//! Not here: asking (`routes::chat`).

mod requests;

use super::chat::{ChatEvent, answer_events};
use crate::domain::{Role, Session, TenantScope, Timestamp};
use crate::http::AppState;
use crate::http::RequestId;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data, Done, Paged};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{GoJson, JsonBody, Pagination, PathIds, Query};
use crate::http::go_json::{Bind, BindError};
use crate::http::middleware::Facts;
use crate::http::openapi::{BadRequest, Failure, NotFound, TimedOut, TooMany, Unavailable};
use crate::library::sessions::SessionChange;
use crate::stream::StreamKey;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use requests::{CreateSessionRequest, GenerateTitleRequest, SessionRequest, UpdateSessionRequest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

#[utoipa::path(
    post,
    path = "/api/v1/sessions",
    tag = "sessions",
    summary = "Start a session",
    request_body = CreateSessionRequest,
    responses(
        (status = 201, description = "Created.", body = Data<Session>),
        (status = 404, response = NotFound),
    )
)]
pub(in crate::http) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    facts: Facts,
    GoJson(request): GoJson<CreateSessionRequest>,
) -> ApiResult {
    facts.knowledge_base(&request.knowledge_base_id);
    let strategy = request.session_strategy.unwrap_or_default().checked()?;
    let settings = state.chat.conversation();
    let session = state.library.create_session(caller.scope(), settings, &request.knowledge_base_id, strategy).await?;
    facts.session(&session.id);
    Ok(envelope::created(&session))
}

#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    summary = "Read a session",
    responses((status = 200, description = "The session.", body = Data<Session>))
)]
pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, facts: Facts, PathIds([id]): PathIds<1>) -> ApiResult {
    let session = state.library.get_session(caller.scope(), &id).await?;
    facts.knowledge_base(&session.knowledge_base_id);
    Ok(envelope::data(&session))
}

#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "sessions",
    summary = "The caller's sessions, newest first",
    params(Pagination),
    responses(
        (status = 200, description = "A page.", body = Paged<Vec<Session>>),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller, query: Query) -> ApiResult {
    let page = query.pagination().map_err(BindError::in_message)?;
    let found = state.library.list_sessions(caller.scope(), page.page(), page.page_size()).await?;
    Ok(envelope::paged::<Session>(&found.items, found.total, page.page(), page.page_size()))
}

#[utoipa::path(
    put,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    summary = "Change the named fields of a session",
    request_body = UpdateSessionRequest,
    responses((status = 200, description = "The session as it is now.", body = Data<Session>))
)]
pub(in crate::http) async fn update(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>, body: JsonBody) -> ApiResult {
    let named: SessionRequest = body.bind().map_err(BindError::in_message)?;
    let strategy = match named.session_strategy {
        Some(strategy) => strategy,
        None => body.bind().map_err(BindError::in_message)?,
    };
    let change = SessionChange {
        title: named.title,
        description: named.description,
        knowledge_base_id: named.knowledge_base_id,
        strategy: strategy.checked()?,
    };
    Ok(envelope::data(&state.library.update_session(caller.scope(), &id, change).await?))
}

#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    summary = "Delete a session",
    responses((status = 200, description = "Deleted, or was not there.", body = Done))
)]
pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    state.library.delete_session(caller.scope(), &id).await?;
    Ok(envelope::message("Session deleted successfully"))
}

#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/generate_title",
    tag = "sessions",
    summary = "Name a session after its first question",
    request_body = GenerateTitleRequest,
    responses(
        (status = 200, description = "The title.", body = Data<String>),
        (status = 429, response = TooMany),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn generate_title(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([id]): PathIds<1>,
    GoJson(request): GoJson<GenerateTitleRequest>,
) -> ApiResult {
    let messages = request.messages.unwrap_or_default();
    let question = messages.iter().find(|message| message.role == "user").map(|message| message.content.as_str());
    if question.is_none() && !messages.is_empty() {
        let session = state.library.get_session(caller.scope(), &id).await?;
        if session.title.is_empty() {
            return Err(ApiError::new(Code::BadRequest, "no user message found"));
        }
    }
    Ok(envelope::data(&state.chat.generate_title(caller.scope(), &request_id.0, &id, question).await?))
}

/// An answer that is complete.
#[derive(Serialize, ToSchema)]
struct FinishedAnswer {
    content: String,
    created_at: Timestamp,
    done: bool,
    id: String,
    role: Role,
}

/// The usual failure, or a sentence when the message has no stream.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum NoStream {
    #[expect(dead_code, reason = "describes")]
    Failure(Failure),
    Sentence {
        error: &'static str,
        success: bool,
    },
}

/// The answer under way from its beginning; the finished one as JSON, or as events for who asks for them.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/continue-stream/{id}",
    tag = "chat",
    summary = "Follow an answer from its beginning",
    params(("message_id" = String, Query, description = "The message of the answer.")),
    responses(
        (status = 200, description = "Events while the answer is under way, or for who accepts them; else the finished answer.", content((FinishedAnswer = "application/json"), (ChatEvent = "text/event-stream"))),
        (status = 400, response = BadRequest),
        (status = 404, description = "No such session or message, or no stream for it.", body = NoStream),
    )
)]
pub(in crate::http) async fn continue_stream(
    State(state): State<AppState>,
    caller: Caller,
    PathIds([id]): PathIds<1>,
    query: Query,
    headers: HeaderMap,
) -> ApiResult {
    let message_id = query.get("message_id").unwrap_or_default();
    if message_id.is_empty() {
        return Err(ApiError::new(Code::BadRequest, "Missing message ID"));
    }
    // The row is read after the stream is found: a stream ends after its row is complete.
    state.library.get_message(caller.scope(), &id, message_id).await?;
    let key = StreamKey { session_id: id.clone(), message_id: message_id.to_owned() };
    let Some(reader) = state.chat.streams().follow(&key) else {
        let body = json!(NoStream::Sentence { error: "Active stream not found", success: false });
        return Err(ApiError::raw(StatusCode::NOT_FOUND, body));
    };
    if reader.is_finished() && !wants_events(&headers) {
        let message = state.library.get_message(caller.scope(), &id, message_id).await?;
        let (content, created_at, id, role) = (message.content, message.created_at, message.id, message.role);
        let body = FinishedAnswer { content, created_at, done: true, id, role };
        return Ok(envelope::json(StatusCode::OK, &body));
    }
    Ok(answer_events(reader, None))
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|accepted| accepted.contains("text/event-stream"))
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct StopRequest {
    /// Of the answer; left out: all answers of the session.
    message_id: String,
}

impl Bind for StopRequest {
    const NAME: &'static str = "StopRequest";
}

#[derive(Serialize, ToSchema)]
struct Stopped {
    /// Answers that were told to stop.
    stopped: usize,
}

/// Stops the answers of a session, or the one that the body names; what was said so far is kept.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/stop",
    tag = "sessions",
    summary = "Stop answers under way",
    request_body = Option<StopRequest>,
    responses((status = 200, description = "How many.", body = Data<Stopped>))
)]
pub(in crate::http) async fn stop(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>, body: JsonBody) -> ApiResult {
    let scope: &TenantScope = caller.scope();
    let request: StopRequest = if body.is_empty() { StopRequest::default() } else { body.bind().map_err(BindError::in_message)? };
    state.library.get_session(scope, &id).await?;
    let stopped = state.chat.streams().stop(&id, Some(request.message_id.as_str()).filter(|id| !id.is_empty()));
    Ok(envelope::data(&Stopped { stopped }))
}
