//! Sessions, answers as events, messages and search over HTTP, with a played model.
//!
//! Not here: the pipeline (`chat::tests`).

use super::TestApp;
use super::support::Tester;
use crate::chat::testing::{Judge, Script};
use crate::chat::{Hit, Story};
use crate::domain::{ChunkType, MatchType, SearchResult};
use crate::provider::ProviderErrorKind;
use crate::search::Explain;
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

const CHUNK: &str = "aaaaaaaa-0000-4000-8000-000000000003";
const KNOWLEDGE: &str = "aaaaaaaa-0000-4000-8000-000000000004";
const REFERENCES: &str = r#"[{"id":"aaaaaaaa-0000-4000-8000-000000000003","content":"Each tenant keeps its papers apart.","knowledge_id":"aaaaaaaa-0000-4000-8000-000000000004","chunk_index":0,"knowledge_title":"note.txt","start_at":0,"end_at":35,"seq":0,"score":0.9,"match_type":1,"sub_chunk_id":null,"metadata":{},"chunk_type":"text","parent_chunk_id":"","image_info":"","knowledge_filename":"note.txt","knowledge_source":""}]"#;

struct Talk {
    app: TestApp,
    ann: Tester,
    session: String,
}

impl Talk {
    async fn start() -> Self {
        let app = TestApp::new().await;
        let ann = app.tester("ann").await;
        let kb = app.post("/api/v1/knowledge-bases", &ann.key, json!({"name": "kb"})).await.data();
        let strategy = json!({"fallback_response": "no idea", "summary_model_id": "chat-1"});
        let body = json!({"knowledge_base_id": kb["id"], "session_strategy": strategy});
        let session = app.post("/api/v1/sessions", &ann.key, body).await.data();
        let found = SearchResult {
            id: CHUNK.into(),
            content: "Each tenant keeps its papers apart.".into(),
            knowledge_id: KNOWLEDGE.into(),
            chunk_index: 0,
            knowledge_title: "note.txt".into(),
            start_at: 0,
            end_at: 35,
            seq: 0,
            score: 0.9,
            match_type: MatchType::Keywords,
            sub_chunk_id: None,
            metadata: Some(Default::default()),
            chunk_type: ChunkType::Text,
            parent_chunk_id: String::new(),
            image_info: String::new(),
            knowledge_filename: "note.txt".into(),
            knowledge_source: String::new(),
        };
        *app.chat.finder.hits.lock().expect("free") = vec![Hit { result: found, rank: 0.9, story: Some(Story::default()) }];
        Self { session: session["id"].as_str().expect("an id").to_owned(), app, ann }
    }

    async fn ask(&self, request_id: &str) -> super::support::Answer {
        let path = format!("/api/v1/knowledge-chat/{}", self.session);
        let headers = [("x-api-key", self.ann.key.as_str()), ("x-request-id", request_id)];
        let body = json!({"query": "Are the papers apart?"}).to_string();
        self.app.call(axum::http::Method::POST, &path, &headers, body).await
    }

    /// An answer whose body is read piece by piece.
    async fn open(&self) -> BodyDataStream {
        let request = Request::post(format!("/api/v1/knowledge-chat/{}", self.session))
            .header("x-api-key", &self.ann.key)
            .header("x-request-id", "req-0001")
            .body(Body::from(r#"{"query":"Are the papers apart?"}"#))
            .expect("a request");
        let response = self.app.open(request).await;
        assert_eq!(response.status(), 200);
        response.into_body().into_data_stream()
    }

    async fn messages(&self) -> Vec<Value> {
        let path = format!("/api/v1/messages/{}/load", self.session);
        self.app.get(&path, &self.ann.key).await.data().as_array().expect("a list").clone()
    }

    async fn answer_id(&self) -> String {
        self.messages().await.last().expect("a message")["id"].as_str().expect("an id").to_owned()
    }

    async fn settle(&self) {
        self.app.chat.tracker.close();
        self.app.chat.tracker.wait().await;
        self.app.chat.tracker.reopen();
    }
}

/// One event as it stands on the wire.
fn event(id: &str, kind: &str, content: &str, done: bool, references: &str) -> String {
    format!(
        "event:message\ndata:{{\"id\":\"{id}\",\"response_type\":\"{kind}\",\"content\":\"{content}\",\"done\":{done},\"knowledge_references\":{references}}}\n\n"
    )
}

fn piece(id: &str, content: &str) -> String {
    event(id, "answer", content, false, "null")
}

async fn next(body: &mut BodyDataStream) -> String {
    let bytes = body.next().await.expect("more").expect("no failure");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[tokio::test]
async fn explain_comes_with_the_references_of_those_who_ask() {
    let talk = Talk::start().await;
    let explain = Explain { keyword_rank: Some(1), retriever: "embedded".into(), ..Explain::default() };
    talk.app.chat.finder.hits.lock().expect("free")[0].story = Some(Story { search: Some(explain), ..Story::default() });
    let path = format!("/api/v1/knowledge-chat/{}", talk.session);
    let answer = talk.app.post(&path, &talk.ann.key, json!({"query": "Are the papers apart?", "explain": true})).await;
    let answer = answer.text();
    let line = answer.lines().find_map(|line| line.strip_prefix("data:")).expect("an event");
    let event: Value = serde_json::from_str(line).expect("JSON");
    let reference = &event["knowledge_references"][0];
    assert_eq!((&reference["id"], &reference["explain"]["keyword_rank"]), (&json!(CHUNK), &json!(1)));
    assert_eq!(reference["explain"]["retriever"], "embedded");
    talk.settle().await;
    let kept = talk.messages().await.pop().expect("a message");
    assert!(kept["knowledge_references"][0].get("explain").is_none(), "what is kept is the contract's");
    assert!(talk.app.chat.finder.queries.lock().expect("free").iter().all(|query| query.explain));
}

#[tokio::test]
async fn a_full_answer_has_the_recorded_bytes() {
    let talk = Talk::start().await;
    talk.app.chat.model.will(Script::Say(&["Kno", "whost ", "keeps ", "each tenant ", "apart.", ""]));
    let answer = talk.ask("req-0001").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/event-stream;charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("x-request-id"), "req-0001");
    let mut expected = event("req-0001", "references", "", false, REFERENCES);
    assert_eq!(expected.len(), 0x204);
    for text in ["Kno", "whost ", "keeps ", "each tenant ", "apart.", ""] {
        expected.push_str(&piece("req-0001", text));
    }
    expected.push_str(&event("req-0001", "answer", "", true, "null"));
    assert_eq!(answer.text(), expected);

    let messages = talk.messages().await;
    let [question, reply] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((&question["role"], &question["content"]), (&json!("user"), &json!("Are the papers apart?")));
    assert_eq!((&reply["role"], &reply["content"]), (&json!("assistant"), &json!("Knowhost keeps each tenant apart.")));
    assert_eq!(reply["knowledge_references"].to_string(), serde_json::from_str::<Value>(REFERENCES).expect("JSON").to_string());
    assert!(messages.iter().all(|message| message["is_completed"] == true && message["request_id"] == "req-0001"));
}

#[tokio::test]
async fn variants_of_an_answer_have_the_recorded_bytes() {
    let talk = Talk::start().await;
    let references = event("r", "references", "", false, REFERENCES);
    let fallback = event("r", "answer", "no idea", true, "null");
    let done = event("r", "answer", "", true, "null");
    for (script, expected) in [
        (Script::Say(&["<think>\n</think>\nNO_MATCH"]), format!("{references}{fallback}")),
        (Script::Say(&["<think>"]), format!("{references}{fallback}")),
        (Script::Say(&[]), format!("{references}{fallback}")),
        (
            Script::Say(&["<thi", "s> & \"q\"\n中"]),
            format!("{references}{}{done}", piece("r", "\\u003cthis\\u003e \\u0026 \\\"q\\\"\\n中")),
        ),
        (Script::Break(&["half"]), format!("{references}{}{done}", piece("r", "half"))),
    ] {
        talk.app.chat.model.will(script);
        assert_eq!(talk.ask("r").await.text(), expected);
    }
    talk.app.chat.finder.hits.lock().expect("free").clear();
    let fresh = Talk { session: new_session(&talk, json!({"fallback_response": "no idea"})).await, ..talk };
    assert_eq!(fresh.ask("r").await.text(), fallback);
}

async fn new_session(talk: &Talk, strategy: Value) -> String {
    let kb = talk.app.get(&format!("/api/v1/sessions/{}", talk.session), &talk.ann.key).await.data()["knowledge_base_id"].clone();
    let body = json!({"knowledge_base_id": kb, "session_strategy": strategy});
    talk.app.post("/api/v1/sessions", &talk.ann.key, body).await.data()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_json_and_never_our_fault() {
    let talk = Talk::start().await;
    talk.app.chat.model.will(Script::Refuse(ProviderErrorKind::Unauthorised));
    let (status, code, message, details) = talk.ask("r").await.failure();
    assert_eq!((status, code, details), (503, 1008, Value::Null));
    assert!(message.contains("fake 1.0.0") && message.contains("bad key"), "{message}");
    let messages = talk.messages().await;
    assert_eq!((&messages[1]["content"], &messages[1]["is_completed"]), (&json!(""), &json!(true)));
}

#[tokio::test]
async fn an_answer_is_followed_from_its_beginning_while_it_runs_and_after() {
    let talk = Talk::start().await;
    let (speak, pieces) = mpsc::channel(8);
    talk.app.chat.model.will(Script::Wait(pieces));
    let mut first = talk.open().await;
    speak.send("Knowhost ").await.expect("heard");
    assert_eq!(next(&mut first).await, event("req-0001", "references", "", false, REFERENCES));
    assert_eq!(next(&mut first).await, piece("req-0001", "Knowhost "));
    // The client leaves; the answer goes on.
    drop(first);
    let path = format!("/api/v1/sessions/continue-stream/{}?message_id={}", talk.session, talk.answer_id().await);
    let follow = async || {
        let request = Request::get(&path).header("x-api-key", &talk.ann.key).header("x-request-id", "req-0002");
        let response = talk.app.open(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream;charset=utf-8");
        assert_eq!(response.headers()["x-request-id"], "req-0002");
        response.into_body().into_data_stream()
    };
    let (mut one, mut two) = (follow().await, follow().await);
    for follower in [&mut one, &mut two] {
        assert_eq!(next(follower).await, event("req-0001", "references", "", false, REFERENCES));
        assert_eq!(next(follower).await, piece("req-0001", "Knowhost "));
    }
    speak.send("keeps.").await.expect("heard");
    for follower in [&mut one, &mut two] {
        assert_eq!(next(follower).await, piece("req-0001", "keeps."));
    }
    speak.send("").await.expect("heard");
    drop(speak);
    for follower in [&mut one, &mut two] {
        assert_eq!(next(follower).await, event("req-0001", "answer", "", true, "null"));
        assert!(follower.next().await.is_none());
    }
    talk.settle().await;

    let done = talk.app.get(&path, &talk.ann.key).await.json();
    let message = talk.messages().await.pop().expect("the answer");
    let expected = json!({
        "content": "Knowhost keeps.", "created_at": message["created_at"], "done": true, "id": message["id"], "role": "assistant",
    });
    assert_eq!(done, expected);
    let headers = [("x-api-key", talk.ann.key.as_str()), ("accept", "text/event-stream")];
    let replay = talk.app.call(axum::http::Method::GET, &path, &headers, "").await;
    let whole = [event("req-0001", "references", "", false, REFERENCES), piece("req-0001", "Knowhost keeps.")].concat();
    assert_eq!(replay.text(), whole + &event("req-0001", "answer", "", true, "null"));
}

#[tokio::test]
async fn following_checks_the_message_the_session_and_the_stream_in_that_order() {
    let talk = Talk::start().await;
    talk.ask("r").await;
    let question = talk.messages().await[0]["id"].clone();
    let follow = async |session: &str, message: &str| {
        talk.app.get(&format!("/api/v1/sessions/continue-stream/{session}?message_id={message}"), &talk.ann.key).await
    };
    assert_eq!(follow("nowhere", "").await.failure(), (400, 1000, "Missing message ID".into(), Value::Null));
    assert_eq!(follow("nowhere", "m").await.failure(), (404, 1003, "session not found".into(), Value::Null));
    assert_eq!(follow(&talk.session, "m").await.failure(), (404, 1003, "message not found".into(), Value::Null));
    let unknown = follow(&talk.session, question.as_str().expect("an id")).await;
    assert_eq!((unknown.status, unknown.json()), (404, json!({"error": "Active stream not found", "success": false})));
}

#[tokio::test]
async fn an_answer_can_be_stopped() {
    let talk = Talk::start().await;
    let (speak, pieces) = mpsc::channel(8);
    talk.app.chat.model.will(Script::Wait(pieces));
    let mut body = talk.open().await;
    speak.send("one ").await.expect("heard");
    next(&mut body).await;
    next(&mut body).await;
    let stop = format!("/api/v1/sessions/{}/stop", talk.session);
    assert_eq!(talk.app.post(&stop, &talk.ann.key, json!({"message_id": "other"})).await.data()["stopped"], 0);
    assert_eq!(talk.app.post(&stop, &talk.ann.key, json!({})).await.data()["stopped"], 1);
    assert_eq!(next(&mut body).await, event("req-0001", "answer", "", true, "null"));
    talk.settle().await;
    assert_eq!(talk.messages().await[1]["content"], "one ");
}

#[tokio::test]
async fn sessions_start_from_the_settings_and_keep_what_is_sent() {
    let talk = Talk::start().await;
    let kb = json!({"name": "kb2", "rerank_model_id": "rerank-1", "summary_model_id": "chat-1"});
    let kb = talk.app.post("/api/v1/knowledge-bases", &talk.ann.key, kb).await.data();
    let create = async |strategy: Value| {
        let body = json!({"knowledge_base_id": kb["id"], "session_strategy": strategy});
        talk.app.post("/api/v1/sessions", &talk.ann.key, body).await
    };
    let plain = create(Value::Null).await;
    assert_eq!(plain.status, 201);
    let plain = plain.data();
    for (field, value) in [
        ("title", json!("")),
        ("max_rounds", json!(5)),
        ("enable_rewrite", json!(true)),
        ("fallback_strategy", json!("fixed")),
        ("embedding_top_k", json!(10)),
        ("keyword_threshold", json!(0.3)),
        ("vector_threshold", json!(0.5)),
        ("rerank_top_k", json!(5)),
        ("rerank_threshold", json!(0.5)),
        ("rerank_model_id", json!("rerank-1")),
        ("summary_model_id", json!("chat-1")),
        ("deleted_at", Value::Null),
    ] {
        assert_eq!(plain[field], value, "{field}");
    }
    assert_eq!(plain["summary_parameters"]["no_match_prefix"], "<think>\n</think>\nNO_MATCH");
    let part = create(json!({
        "embedding_top_k": 0, "reranking_threshold": 0.25, "enable_rewrite": false,
        "summary_parameters": {"temperature": 0.1, "prompt": "Rules.", "context_template": ""},
    }));
    let part = part.await.data();
    assert_eq!((&part["embedding_top_k"], &part["rerank_top_k"]), (&json!(0), &json!(5)));
    assert_eq!((&part["rerank_threshold"], &part["enable_rewrite"]), (&json!(0.25), &json!(false)));
    let parameters = &part["summary_parameters"];
    assert_eq!((&parameters["prompt"], &parameters["repeat_penalty"]), (&json!("Rules."), &json!(0)));
    assert_eq!(parameters["context_template"], plain["summary_parameters"]["context_template"]);
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_name() {
    let talk = Talk::start().await;
    let path = format!("/api/v1/sessions/{}", talk.session);
    let before = talk.app.get(&path, &talk.ann.key).await.data();
    let change = json!({
        "title": "Papers", "rerank_top_k": 2, "summary_parameters": {"seed": 7}, "id": "other", "tenant_id": 1,
        "created_at": "0001-01-01T00:00:00Z", "deleted_at": "2026-01-01T00:00:00Z",
    });
    let after = talk.app.put(&path, &talk.ann.key, change).await.data();
    let mut expected = before.clone();
    expected["title"] = json!("Papers");
    expected["rerank_top_k"] = json!(2);
    expected["summary_parameters"]["seed"] = json!(7);
    expected["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, expected);
    let of_client = json!({"knowledge_base_id": before["knowledge_base_id"], "session_strategy": {"max_rounds": 3}});
    assert_eq!(talk.app.put(&path, &talk.ann.key, of_client).await.data()["max_rounds"], 3);
    assert_eq!(talk.app.get(&path, &talk.ann.key).await.data()["title"], "Papers");
    let elsewhere = talk.app.put(&path, &talk.ann.key, json!({"knowledge_base_id": "nowhere"})).await;
    assert_eq!(elsewhere.failure(), (404, 1003, "knowledge base not found".into(), Value::Null));
}

#[tokio::test]
async fn a_template_that_does_not_parse_is_refused_when_it_is_saved() {
    let talk = Talk::start().await;
    let parameters = json!({"context_template": "one\n{{query}}"});
    let session = talk.app.get(&format!("/api/v1/sessions/{}", talk.session), &talk.ann.key).await.data();
    let body = json!({"knowledge_base_id": session["knowledge_base_id"], "session_strategy": {"summary_parameters": parameters}});
    let message = "template: searchContent:2: function \"query\" not defined".to_owned();
    let refused = talk.app.post("/api/v1/sessions", &talk.ann.key, body).await;
    assert_eq!(refused.failure(), (400, 1000, message.clone(), Value::Null));
    let path = format!("/api/v1/sessions/{}", talk.session);
    let refused = talk.app.put(&path, &talk.ann.key, json!({"summary_parameters": parameters})).await;
    assert_eq!(refused.failure(), (400, 1000, message, Value::Null));
    assert_eq!(talk.app.get(&path, &talk.ann.key).await.data(), session);
}

#[tokio::test]
async fn lists_are_paged_and_deleted_sessions_are_gone() {
    let talk = Talk::start().await;
    let second = new_session(&talk, Value::Null).await;
    let list = talk.app.get("/api/v1/sessions?page=1&page_size=1", &talk.ann.key).await.json();
    assert_eq!((&list["total"], &list["page"], &list["page_size"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(list["data"][0]["id"], json!(second));
    let bad = talk.app.get("/api/v1/sessions?page=-1", &talk.ann.key).await.failure();
    assert_eq!(bad.2, "Key: 'Pagination.Page' Error:Field validation for 'Page' failed on the 'min' tag");
    let path = format!("/api/v1/sessions/{second}");
    for _ in 0..2 {
        let deleted = talk.app.delete(&path, &talk.ann.key).await;
        assert_eq!((deleted.status, deleted.json()), (200, json!({"message": "Session deleted successfully", "success": true})));
    }
    assert_eq!(talk.app.get(&path, &talk.ann.key).await.failure(), (404, 1003, "session not found".into(), Value::Null));
}

#[tokio::test]
async fn titles_are_made_once_and_need_a_question() {
    let talk = Talk::start().await;
    let path = format!("/api/v1/sessions/{}/generate_title", talk.session);
    let title = async |body: Value| talk.app.post(&path, &talk.ann.key, body).await;
    let required = "Key: 'GenerateTitleRequest.Messages' Error:Field validation for 'Messages' failed on the 'required' tag";
    assert_eq!(title(json!({})).await.failure(), (400, 1000, required.into(), Value::Null));
    assert_eq!(title(json!({"messages": []})).await.failure(), (404, 1003, "record not found".into(), Value::Null));
    let answer = json!({"messages": [{"role": "assistant", "content": "a"}]});
    assert_eq!(title(answer.clone()).await.failure(), (400, 1000, "no user message found".into(), Value::Null));
    let asked = json!({"messages": [{"role": "user", "content": "What is the quota?"}]});
    let first = title(asked).await;
    assert_eq!(first.text(), r#"{"data":"What is the quota?","success":true}"#);
    assert_eq!(title(answer).await.data(), "What is the quota?");
}

#[tokio::test]
async fn messages_are_loaded_backwards_and_deleted() {
    let talk = Talk::start().await;
    for _ in 0..2 {
        talk.ask("r").await;
    }
    let load = format!("/api/v1/messages/{}/load", talk.session);
    let all = talk.messages().await;
    assert_eq!(
        all.iter().map(|message| message["role"].as_str().expect("a word")).collect::<Vec<_>>(),
        ["user", "assistant", "user", "assistant"]
    );
    let before = all[2]["created_at"].as_str().expect("a time");
    let older = talk.app.get(&format!("{load}?limit=1&before_time={before}"), &talk.ann.key).await.data();
    assert_eq!(older, json!([all[1]]));
    assert_eq!(talk.app.get(&format!("{load}?limit=0"), &talk.ann.key).await.data(), json!([]));
    let bad = talk.app.get(&format!("{load}?before_time=x"), &talk.ann.key).await.failure();
    assert_eq!(bad, (400, 1000, "Invalid time format, please use RFC3339Nano format".into(), Value::Null));
    let path = format!("/api/v1/messages/{}/{}", talk.session, all[0]["id"].as_str().expect("an id"));
    for _ in 0..2 {
        let deleted = talk.app.delete(&path, &talk.ann.key).await.json();
        assert_eq!(deleted, json!({"message": "Message deleted successfully", "success": true}));
    }
    assert_eq!(talk.messages().await.len(), 3);
}

#[tokio::test]
async fn knowledge_search_finds_or_answers_an_empty_list() {
    let talk = Talk::start().await;
    let kb = talk.app.get(&format!("/api/v1/sessions/{}", talk.session), &talk.ann.key).await.data()["knowledge_base_id"].clone();
    let search = async |body: Value| talk.app.post("/api/v1/knowledge-search", &talk.ann.key, body).await;
    let query = json!({"query": "papers", "knowledge_base_id": kb});
    assert_eq!(search(query.clone()).await.text(), format!(r#"{{"data":{REFERENCES},"success":true}}"#));
    talk.app.chat.finder.hits.lock().expect("free").clear();
    assert_eq!(search(query).await.text(), r#"{"data":[],"success":true}"#);
    let missing = search(json!({"query": "papers", "knowledge_base_id": "nowhere"})).await.failure();
    assert_eq!((missing.0, missing.1), (404, 1003));
    let required =
        |field: &str| format!("Key: 'SearchKnowledgeRequest.{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    assert_eq!(search(json!({})).await.failure().2, format!("{}\n{}", required("Query"), required("KnowledgeBaseID")));
}

#[tokio::test]
async fn bad_questions_are_refused_without_a_trace() {
    let talk = Talk::start().await;
    let path = format!("/api/v1/knowledge-chat/{}", talk.session);
    let required = "Key: 'CreateKnowledgeQARequest.Query' Error:Field validation for 'Query' failed on the 'required' tag";
    assert_eq!(talk.app.post(&path, &talk.ann.key, json!({"query": ""})).await.failure().2, required);
    let refused = talk.app.post(&path, &talk.ann.key, json!({"query": "a\u{1b}b"})).await.failure();
    assert_eq!(refused, (400, 1000, "用户查询包含非法内容".into(), Value::Null));
    assert!(talk.messages().await.is_empty());
    // White space alone is a question without an answer.
    assert!(talk.app.post(&path, &talk.ann.key, json!({"query": " "})).await.text().contains("no idea"));
}

#[tokio::test]
async fn another_tenants_sessions_messages_and_answers_do_not_exist() {
    let talk = Talk::start().await;
    talk.ask("r").await;
    let bob = talk.app.tester("bob").await;
    let (session, message) = (&talk.session, talk.answer_id().await);
    let kb = talk.app.get(&format!("/api/v1/sessions/{session}"), &talk.ann.key).await.data()["knowledge_base_id"].clone();
    let (app, key) = (&talk.app, bob.key.as_str());
    let title = json!({"messages": [{"role": "user", "content": "x"}]});
    for answer in [
        app.get(&format!("/api/v1/sessions/{session}"), key).await,
        app.put(&format!("/api/v1/sessions/{session}"), key, json!({"title": "mine"})).await,
        app.post(&format!("/api/v1/sessions/{session}/generate_title"), key, title).await,
        app.post(&format!("/api/v1/sessions/{session}/stop"), key, json!({})).await,
        app.get(&format!("/api/v1/sessions/continue-stream/{session}?message_id={message}"), key).await,
        app.post(&format!("/api/v1/knowledge-chat/{session}"), key, json!({"query": "q"})).await,
        app.get(&format!("/api/v1/messages/{session}/load"), key).await,
        app.delete(&format!("/api/v1/messages/{session}/{message}"), key).await,
    ] {
        assert_eq!(answer.failure(), (404, 1003, "session not found".into(), Value::Null));
    }
    for answer in [
        app.post("/api/v1/sessions", key, json!({"knowledge_base_id": kb})).await,
        app.post("/api/v1/knowledge-search", key, json!({"query": "q", "knowledge_base_id": kb})).await,
    ] {
        assert_eq!((answer.failure().0, answer.failure().1), (404, 1003));
    }
    assert_eq!(app.get("/api/v1/sessions", key).await.json()["total"], 0);
    assert_eq!(app.delete(&format!("/api/v1/sessions/{session}"), key).await.status, 200);
    assert_eq!(talk.messages().await.len(), 2);
    assert_eq!(app.get(&format!("/api/v1/sessions/{session}"), &talk.ann.key).await.data()["title"], "");
}

#[tokio::test]
async fn nothing_above_the_threshold_is_the_fallback_alone() {
    let talk = Talk::start().await;
    let session = new_session(&talk, json!({"fallback_response": "no idea", "rerank_model_id": "rerank-1"})).await;
    *talk.app.chat.reranker.judge.lock().expect("free") = Judge::Score(0.2);
    let talk = Talk { session, ..talk };
    assert_eq!(talk.ask("req-0006").await.text(), event("req-0006", "answer", "no idea", true, "null"));
}
