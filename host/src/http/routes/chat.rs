//! Questions: answered as events, or with what was found alone.
//!
//! Not here: the framing of events (`sse`) and how answers are made (`chat`).

use super::hybrid_search::Shown;
use crate::chat::{AskRequest, Stories, Story};
use crate::domain::SearchResult;
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::ApiResult;
use crate::http::extract::{GoJson, PathIds};
use crate::http::go_json::{Bind, Rules};
use crate::http::middleware::Facts;
use crate::http::openapi::{NotFound, TimedOut, TooMany, Unavailable};
use crate::http::{RequestId, sse};
use crate::stream::{StreamEvent, StreamReader};
use axum::extract::State;
use axum::response::Response;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct CreateKnowledgeQARequest {
    #[schema(required, min_length = 1, example = "When does the ferry leave?")]
    query: String,
    /// An addition of this server: the references tell why they stand where they stand.
    explain: bool,
}

impl Bind for CreateKnowledgeQARequest {
    const NAME: &'static str = "CreateKnowledgeQARequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Query", &self.query).required();
    }
}

#[utoipa::path(
    post,
    path = "/api/v1/knowledge-chat/{id}",
    tag = "chat",
    summary = "Ask a question",
    request_body = CreateKnowledgeQARequest,
    responses(
        (status = 200, description = "Events named `message`, each with a ChatEvent as its data.", body = ChatEvent, content_type = "text/event-stream"),
        (status = 429, response = TooMany),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn knowledge_chat(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    facts: Facts,
    PathIds([session_id]): PathIds<1>,
    GoJson(request): GoJson<CreateKnowledgeQARequest>,
) -> ApiResult {
    let stories = request.explain.then(Stories::default);
    let ask = AskRequest {
        session_id,
        query: request.query,
        request_id: request_id.0.to_string(),
        stories: stories.clone(),
        knowledge_base_id: facts.knowledge_base_place(),
    };
    Ok(answer_events(state.chat.ask(caller.scope(), ask).await?, stories))
}

/// One event of an answer; all five fields are always there.
#[derive(Serialize, ToSchema)]
pub(super) struct ChatEvent {
    /// The request that asked.
    #[schema(value_type = String)]
    id: Arc<str>,
    /// `references` or `answer`.
    response_type: &'static str,
    content: String,
    done: bool,
    #[serde(serialize_with = "shared")]
    #[schema(value_type = Option<Vec<Shown>>)]
    knowledge_references: Option<References>,
}

/// What an answer cites, with stories where they were asked for.
struct References {
    results: Arc<Vec<SearchResult>>,
    stories: Option<Stories>,
}

#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    result: &'a SearchResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Story>,
}

fn shared<S: Serializer>(references: &Option<References>, serializer: S) -> Result<S::Ok, S::Error> {
    match references {
        Some(References { results, stories: Some(stories) }) => {
            serializer.collect_seq(results.iter().enumerate().map(|(place, result)| Explained { result, explain: stories.of(place) }))
        }
        Some(References { results, stories: None }) => results.as_slice().serialize(serializer),
        None => serializer.serialize_none(),
    }
}

/// The events of an answer, named by the request that asked.
pub(super) fn answer_events(reader: StreamReader, stories: Option<Stories>) -> Response {
    let id: Arc<str> = reader.request_id().into();
    sse::events(reader.into_stream().map(move |event| {
        let payload = |response_type, content, done, knowledge_references| ChatEvent {
            id: Arc::clone(&id),
            response_type,
            content,
            done,
            knowledge_references,
        };
        match event {
            StreamEvent::References(results) => {
                let references = References { results, stories: stories.clone() };
                payload("references", String::new(), false, Some(references))
            }
            StreamEvent::Answer(piece) => payload("answer", piece, false, None),
            StreamEvent::Done(text) => payload("answer", text, true, None),
        }
    }))
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct SearchKnowledgeRequest {
    #[schema(required, min_length = 1)]
    query: String,
    #[schema(required, min_length = 1)]
    knowledge_base_id: String,
}

impl Bind for SearchKnowledgeRequest {
    const NAME: &'static str = "SearchKnowledgeRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Query", &self.query).required();
        rules.text("KnowledgeBaseID", &self.knowledge_base_id).required();
    }
}

#[utoipa::path(
    post,
    path = "/api/v1/knowledge-search",
    tag = "chat",
    summary = "Find what a question would be answered from",
    request_body = SearchKnowledgeRequest,
    responses(
        (status = 200, description = "Best first.", body = Data<Vec<SearchResult>>),
        (status = 404, response = NotFound),
        (status = 429, response = TooMany),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn knowledge_search(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    facts: Facts,
    GoJson(request): GoJson<SearchKnowledgeRequest>,
) -> ApiResult {
    facts.knowledge_base(&request.knowledge_base_id);
    let found = state.chat.search_knowledge(caller.scope(), &request_id.0, &request.query, &request.knowledge_base_id).await?;
    Ok(envelope::data(&found))
}
