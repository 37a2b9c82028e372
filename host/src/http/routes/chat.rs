//! Questions: answered as events, or with what was found alone.
//!
//! Not here: the framing of events (`sse`) and how answers are made (`chat`).

use crate::chat::{AskRequest, Stories, Story};
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
    /// An addition of this server: the references tell why they stand where they stand.
    explain: bool,
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
    let stories = request.explain.then(Stories::default);
    let ask = AskRequest { session_id, query: request.query, request_id: request_id.0.to_string(), stories: stories.clone() };
    Ok(answer_events(state.chat.ask(caller.scope(), ask).await?, stories))
}

/// One event of an answer; all five fields are always there.
#[derive(Serialize)]
struct Payload {
    id: Arc<str>,
    response_type: &'static str,
    content: String,
    done: bool,
    #[serde(serialize_with = "shared")]
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
        let payload = |response_type, content, done, knowledge_references| Payload {
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
