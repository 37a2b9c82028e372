//! Questions: answered as events, or with what was found alone.
//!
//! Not here: the framing of events (`sse`) and how answers are made (`chat`).

use crate::chat::AskRequest;
use crate::domain::SearchResult;
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;
use crate::http::extract::{GoJson, PathIds};
use crate::http::go_json::{Bind, Rules};
use crate::http::{RequestId, envelope, sse};
use crate::stream::{StreamEvent, StreamReader};
use axum::extract::State;
use axum::response::Response;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::http) struct CreateKnowledgeQARequest {
    query: String,
}

impl Bind for CreateKnowledgeQARequest {
    const NAME: &'static str = "CreateKnowledgeQARequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Query", &self.query).required();
    }
}

pub(in crate::http) async fn knowledge_chat(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([session_id]): PathIds<1>,
    GoJson(request): GoJson<CreateKnowledgeQARequest>,
) -> ApiResult {
    let ask = AskRequest { session_id, query: request.query, request_id: request_id.0.to_string() };
    Ok(answer_events(state.chat.ask(caller.scope(), ask).await?))
}

/// One event of an answer; all five fields are always there.
#[derive(Serialize)]
struct Payload {
    id: Arc<str>,
    response_type: &'static str,
    content: String,
    done: bool,
    #[serde(serialize_with = "shared")]
    knowledge_references: Option<Arc<Vec<SearchResult>>>,
}

fn shared<S: Serializer>(references: &Option<Arc<Vec<SearchResult>>>, serializer: S) -> Result<S::Ok, S::Error> {
    references.as_deref().serialize(serializer)
}

/// The events of an answer, named by the request that asked.
pub(super) fn answer_events(reader: StreamReader) -> Response {
    let id: Arc<str> = reader.request_id().into();
    sse::events(reader.into_stream().map(move |event| {
        let payload = |response_type, content, done, knowledge_references| Payload {
            id: Arc::clone(&id),
            response_type,
            content,
            done,
            knowledge_references,
        };
        match event {
            StreamEvent::References(references) => payload("references", String::new(), false, Some(references)),
            StreamEvent::Answer(piece) => payload("answer", piece, false, None),
            StreamEvent::Done(text) => payload("answer", text, true, None),
        }
    }))
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::http) struct SearchKnowledgeRequest {
    query: String,
    knowledge_base_id: String,
}

impl Bind for SearchKnowledgeRequest {
    const NAME: &'static str = "SearchKnowledgeRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Query", &self.query).required();
        rules.text("KnowledgeBaseID", &self.knowledge_base_id).required();
    }
}

pub(in crate::http) async fn knowledge_search(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<SearchKnowledgeRequest>,
) -> ApiResult {
    let found = state.chat.search_knowledge(caller.scope(), &request_id.0, &request.query, &request.knowledge_base_id).await?;
    Ok(envelope::data(&found))
}
