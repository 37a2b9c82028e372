//! Sessions over HTTP, their titles, and answers that are followed or stopped.
//!
//! Not here: asking (`routes::chat`).

use super::chat::answer_events;
use crate::chat::check_template;
use crate::domain::{Session, TenantScope};
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{GoJson, JsonBody, PathIds, Query};
use crate::http::go_json::{Bind, BindError, Rules};
use crate::http::{RequestId, envelope};
use crate::library::sessions::{SessionChange, Strategy, SummaryChange};
use crate::stream::StreamKey;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::http) struct CreateSessionRequest {
    knowledge_base_id: String,
    session_strategy: Option<StrategyRequest>,
}

impl Bind for CreateSessionRequest {
    const NAME: &'static str = "CreateSessionRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("KnowledgeBaseID", &self.knowledge_base_id).required();
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StrategyRequest {
    max_rounds: Option<i64>,
    enable_rewrite: Option<bool>,
    fallback_strategy: Option<String>,
    fallback_response: Option<String>,
    embedding_top_k: Option<i64>,
    keyword_threshold: Option<f64>,
    vector_threshold: Option<f64>,
    rerank_model_id: Option<String>,
    rerank_top_k: Option<i64>,
    rerank_threshold: Option<f64>,
    /// The name that the reference's Go client uses.
    reranking_threshold: Option<f64>,
    summary_model_id: Option<String>,
    summary_parameters: Option<SummaryRequest>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SummaryRequest {
    max_tokens: Option<i64>,
    repeat_penalty: Option<f64>,
    top_k: Option<i64>,
    top_p: Option<f64>,
    frequency_penalty: Option<f64>,
    presence_penalty: Option<f64>,
    prompt: Option<String>,
    context_template: Option<String>,
    no_match_prefix: Option<String>,
    temperature: Option<f64>,
    seed: Option<i64>,
    max_completion_tokens: Option<i64>,
}

impl From<SummaryRequest> for SummaryChange {
    fn from(sent: SummaryRequest) -> Self {
        Self {
            max_tokens: sent.max_tokens,
            repeat_penalty: sent.repeat_penalty,
            top_k: sent.top_k,
            top_p: sent.top_p,
            frequency_penalty: sent.frequency_penalty,
            presence_penalty: sent.presence_penalty,
            prompt: sent.prompt,
            context_template: sent.context_template,
            no_match_prefix: sent.no_match_prefix,
            temperature: sent.temperature,
            seed: sent.seed,
            max_completion_tokens: sent.max_completion_tokens,
        }
    }
}

impl StrategyRequest {
    /// A template that could not be used is refused here, not when somebody asks.
    fn checked(self) -> ApiResult<Strategy> {
        let template = self.summary_parameters.as_ref().and_then(|parameters| parameters.context_template.as_deref());
        if let Some(template) = template {
            check_template(template)?;
        }
        Ok(Strategy {
            max_rounds: self.max_rounds,
            enable_rewrite: self.enable_rewrite,
            fallback_strategy: self.fallback_strategy,
            fallback_response: self.fallback_response,
            embedding_top_k: self.embedding_top_k,
            keyword_threshold: self.keyword_threshold,
            vector_threshold: self.vector_threshold,
            rerank_model_id: self.rerank_model_id,
            rerank_top_k: self.rerank_top_k,
            rerank_threshold: self.rerank_threshold.or(self.reranking_threshold),
            summary_model_id: self.summary_model_id,
            summary_parameters: self.summary_parameters.map(SummaryChange::from),
        })
    }
}

pub(in crate::http) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    GoJson(request): GoJson<CreateSessionRequest>,
) -> ApiResult {
    let strategy = request.session_strategy.unwrap_or_default().checked()?;
    let settings = state.chat.conversation();
    Ok(envelope::created(&state.library.create_session(caller.scope(), settings, &request.knowledge_base_id, strategy).await?))
}

pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    Ok(envelope::data(&state.library.get_session(caller.scope(), &id).await?))
}

pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller, query: Query) -> ApiResult {
    let page = query.pagination().map_err(BindError::in_message)?;
    let found = state.library.list_sessions(caller.scope(), page.page(), page.page_size()).await?;
    Ok(envelope::paged::<Session>(&found.items, found.total, page.page(), page.page_size()))
}

/// Names and description beside the fields of a strategy, all in one object.
#[derive(Deserialize, Default)]
#[serde(default)]
struct SessionRequest {
    title: Option<String>,
    description: Option<String>,
    knowledge_base_id: Option<String>,
    /// What the reference's Go client sends.
    session_strategy: Option<StrategyRequest>,
}

impl Bind for SessionRequest {
    const NAME: &'static str = "Session";
}

impl Bind for StrategyRequest {
    const NAME: &'static str = "Session";
}

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

pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    state.library.delete_session(caller.scope(), &id).await?;
    Ok(envelope::message("Session deleted successfully"))
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::http) struct GenerateTitleRequest {
    messages: Option<Vec<TitleMessage>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TitleMessage {
    role: String,
    content: String,
}

impl Bind for GenerateTitleRequest {
    const NAME: &'static str = "GenerateTitleRequest";

    fn check(&self, rules: &mut Rules) {
        rules.require("Messages", self.messages.is_some());
    }
}

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

/// The answer under way from its beginning; the finished one as JSON, or as events for who asks for them.
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
        let body = json!({"error": "Active stream not found", "success": false});
        return Err(ApiError::raw(StatusCode::NOT_FOUND, body));
    };
    if reader.is_finished() && !wants_events(&headers) {
        let message = state.library.get_message(caller.scope(), &id, message_id).await?;
        let body = json!({
            "content": message.content, "created_at": message.created_at, "done": true, "id": message.id, "role": message.role,
        });
        return Ok(envelope::json(StatusCode::OK, &body));
    }
    Ok(answer_events(reader, None))
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|accepted| accepted.contains("text/event-stream"))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StopRequest {
    message_id: String,
}

impl Bind for StopRequest {
    const NAME: &'static str = "StopRequest";
}

/// Stops the answers of a session, or the one that the body names; what was said so far is kept.
pub(in crate::http) async fn stop(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>, body: JsonBody) -> ApiResult {
    let scope: &TenantScope = caller.scope();
    let request: StopRequest = if body.is_empty() { StopRequest::default() } else { body.bind().map_err(BindError::in_message)? };
    state.library.get_session(scope, &id).await?;
    let stopped = state.chat.streams().stop(&id, Some(request.message_id.as_str()).filter(|id| !id.is_empty()));
    Ok(envelope::json(StatusCode::OK, &json!({"data": {"stopped": stopped}, "success": true})))
}
