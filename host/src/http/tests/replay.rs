//! The reference's recorded answers, asked of this server and compared field by field.
//!
//! Not here: steps whose routes do not exist yet; they join `replays_the_reference` with their routes.

use super::TestApp;
use crate::chat::Hit;
use crate::chat::testing::{Judge, Script};
use crate::domain::{SearchResult, Timestamp};
use crate::library::LibrarySettings;
use crate::library::initialization::InitializationSettings;
use crate::provider::ChatTask;
use crate::provider::testing::PlayedModels;
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;

/// Recorded fields that differ on purpose; each has its row in `docs/deviations.md`.
const INTENDED: [(&str, &str); 6] = [
    ("system-info", "/data/version"),
    ("sess-list", "/data/1/fallback_response"),
    ("init", "/data/models/0/tenant_id"),
    ("init", "/data/models/1/tenant_id"),
    ("init", "/data/models/2/tenant_id"),
    ("eval-start", "/data/params/fallback_response"),
];

const RECORDED: &str = include_str!("../../../../tests/contract/recorded-answers.json");

struct Replay {
    app: TestApp,
    recorded: Vec<Value>,
    /// What stands for a placeholder (`<id3>`, `<key>`, `<jwt>`, `<refresh>`) on this server.
    known: HashMap<String, String>,
}

impl Replay {
    async fn start() -> Self {
        let recorded = serde_json::from_str(RECORDED).expect("the recording is JSON");
        let settings = InitializationSettings { ollama_base_url: "http://127.0.0.1:58099".into(), ..InitializationSettings::default() };
        let models = PlayedModels {
            vector: Some(vec![1.0; 384]),
            installed: Mutex::new(Some(vec!["qwen2:latest".into()])),
            ..PlayedModels::default()
        };
        Self { app: TestApp::build(LibrarySettings::default(), settings, models).await, recorded, known: HashMap::new() }
    }

    async fn step(&mut self, name: &str) {
        let found = self.recorded.iter().find(|step| step["name"] == name);
        let step = found.unwrap_or_else(|| panic!("{name} is not recorded")).clone();
        let request = &step["request"];
        let mut headers: Vec<(String, String)> = Vec::new();
        match &request["auth"] {
            Value::String(kind) if kind == "key" => headers.push(("x-api-key".into(), self.known["<key>"].clone())),
            Value::String(kind) if kind == "jwt" => headers.push(("authorization".into(), format!("Bearer {}", self.known["<jwt>"]))),
            Value::Object(sent) => headers.extend(sent.iter().map(|(name, value)| (name.clone(), text(value)))),
            other => assert!(other.is_null(), "{name}: unknown auth {other}"),
        }
        let body = match request.get("json") {
            Some(body) => self.filled(&body.to_string()).replace("<jwt>", self.known.get("<refresh>").map_or("", String::as_str)),
            None => text(request.get("raw").unwrap_or(&json!(""))),
        };
        let path = self.filled(request["path"].as_str().expect("a path"));
        let method: Method = request["method"].as_str().expect("a method").parse().expect("a method");
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.app.call(method, &path, &headers, body).await;

        assert_eq!(json!(answer.status), step["status"], "{name}: {}", answer.text());
        assert!(answer.header("content-type").starts_with(step["type"].as_str().expect("a type")), "{name}");
        assert_eq!(json!(!answer.header("x-request-id").is_empty()), step["request_id"], "{name}");
        let actual = if step["type"] == "text/event-stream" { events(answer.text()) } else { answer.json() };
        let mut expected = step["body"].clone();
        for (_, pointer) in INTENDED.iter().filter(|(step, _)| *step == name) {
            *expected.pointer_mut(pointer).expect("a recorded field") = actual.pointer(pointer).expect("an answered field").clone();
        }
        self.compare(name, "", &expected, &actual);
    }

    /// A request of the scenario that was not kept in the recording; `id` stands for what it makes.
    async fn make(&mut self, id: &str, path: &str, body: Value) {
        let made = self.app.post(path, &self.known["<key>"], body).await.data();
        self.known.insert(id.into(), text(&made["id"]));
    }

    fn filled(&self, template: &str) -> String {
        self.known.iter().fold(template.to_owned(), |filled, (placeholder, value)| {
            if placeholder.starts_with("<id") { filled.replace(placeholder, value) } else { filled }
        })
    }

    fn compare(&mut self, step: &str, place: &str, expected: &Value, actual: &Value) {
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(given)) => {
                let names = |map: &serde_json::Map<String, Value>| {
                    let mut names: Vec<String> = map.keys().cloned().collect();
                    names.sort();
                    names
                };
                assert_eq!(names(given), names(wanted), "{step}: fields of {place}");
                for (name, wanted) in wanted {
                    self.compare(step, &format!("{place}/{name}"), wanted, &given[name]);
                }
            }
            (Value::Array(wanted), Value::Array(given)) => {
                assert_eq!(given.len(), wanted.len(), "{step}: length of {place}");
                for (at, (wanted, given)) in wanted.iter().zip(given).enumerate() {
                    self.compare(step, &format!("{place}/{at}"), wanted, given);
                }
            }
            (Value::String(wanted), Value::String(given)) if wanted.starts_with('<') && wanted.ends_with('>') => {
                self.compare_placeholder(step, place, wanted, given);
            }
            (wanted, given) => assert_eq!(given, wanted, "{step}: {place}"),
        }
    }

    fn compare_placeholder(&mut self, step: &str, place: &str, wanted: &str, given: &str) {
        let fits = match wanted {
            "<ts>" => Timestamp::parse(given).is_some(),
            "<prompt text>" => true,
            "<apikey>" => given.starts_with("sk-") && given.len() == 51,
            "<jwt>" => given.split('.').count() == 3,
            id => self.known.entry(id.to_owned()).or_insert_with(|| given.to_owned()) == given,
        };
        assert!(fits, "{step}: {place} is {given:?}, recorded as {wanted}");
    }

    /// Lets the search find what a recorded answer cites, in its order; the recording's ids stand for themselves.
    fn will_find(&self, step: &str, pointer: &str) {
        let step = self.recorded.iter().find(|recorded| recorded["name"] == step).expect("recorded");
        let cited: Vec<SearchResult> = serde_json::from_value(step["body"].pointer(pointer).expect("references").clone()).expect("results");
        let ranks = (1..=cited.len()).rev();
        let hits = cited.into_iter().zip(ranks).map(|(result, rank)| Hit { result, rank: rank as f64, story: None });
        *self.app.chat.finder.hits.lock().expect("free") = hits.collect();
        *self.app.chat.reranker.judge.lock().expect("free") = Judge::Fail;
    }

    fn will_say(&self, pieces: &'static [&'static str]) {
        self.app.chat.model.will(Script::Say(pieces));
    }

    /// Keeps what later requests present.
    async fn log_in(&mut self) {
        self.step("login").await;
        let step = self.recorded.iter().find(|step| step["name"] == "login").expect("recorded").clone();
        let answer = self.app.open_post("/api/v1/auth/login", step["request"]["json"].clone()).await.json();
        for (placeholder, pointer) in [("<jwt>", "/token"), ("<refresh>", "/refresh_token"), ("<key>", "/tenant/api_key")] {
            self.known.insert(placeholder.into(), text(answer.pointer(pointer).expect("a text")));
        }
    }
}

/// The data of all events.
fn events(text: &str) -> Value {
    text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| serde_json::from_str::<Value>(data).expect("JSON")).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn model(name: &str, kind: &str, api_key: &str) -> Value {
    let parameters = json!({"base_url": "http://127.0.0.1:58099/v1", "api_key": api_key});
    let description = format!("{name} model");
    json!({"name": name, "type": kind, "source": "remote", "description": description, "parameters": parameters, "is_default": true})
}

#[tokio::test]
async fn replays_the_reference() {
    let mut replay = Replay::start().await;
    for step in ["health", "noauth", "badkey", "register", "register-empty"] {
        replay.step(step).await;
    }
    replay.log_in().await;
    for step in ["login-wrong", "me", "validate", "refresh", "system-info", "tenant-get", "tenant-create-auth"] {
        replay.step(step).await;
    }
    replay.make("<id1>", "/api/v1/models", model("chat-1", "KnowledgeQA", "k-chat")).await;
    replay.step("model-create-embed-1").await;
    replay.make("<id3>", "/api/v1/models", model("rerank-1", "Rerank", "k-rr")).await;
    replay.step("model-create-empty").await;
    replay.step("model-list").await;
    replay.make("<id5>", "/api/v1/knowledge-bases", Value::Null).await;
    replay.step("kb-create").await;
    replay.make("<id7>", "/api/v1/knowledge-bases", json!({"name": "kb min"})).await;
    for step in ["kb-get", "kb-list", "kb-create-bad", "kb-update"] {
        replay.step(step).await;
    }
    talk(&mut replay).await;
    replay.make("<id8>", "/api/v1/knowledge-bases", json!({"name": "kb init"})).await;
    for step in ["init-config-before", "init", "init-config"] {
        replay.step(step).await;
    }
    for step in ["ollama-status", "ollama-models", "ollama-check", "remote-check", "embedding-test", "rerank-check"] {
        replay.step(step).await;
    }
    for step in ["k-list-bad", "kb-copy", "eval-start", "kb-delete", "logout"] {
        replay.step(step).await;
    }
}

/// Search, two rounds of a session, and what is left of them.
async fn talk(replay: &mut Replay) {
    replay.will_find("ksearch", "/data");
    replay.step("ksearch").await;
    let kb = json!({"knowledge_base_id": replay.known["<id6>"]});
    replay.make("<id19>", "/api/v1/sessions", kb).await;
    for step in ["sess-create-full", "sess-get", "sess-list"] {
        replay.step(step).await;
    }
    replay.will_find("chat", "/0/knowledge_references");
    replay.will_say(&["Kno", "whost ", "keeps ", "each tenant ", "apart.", ""]);
    replay.step("chat").await;
    replay.will_say(&["Knowhost keeps each tenant apart."]);
    let path = format!("/api/v1/knowledge-chat/{}", replay.known["<id20>"]);
    let second = replay.app.post(&path, &replay.known["<key>"], json!({"query": "And how are plugins limited?"})).await;
    assert!(second.text().contains("\"done\":true"));
    replay.step("messages").await;
    replay.step("continue-done").await;
    replay.app.chat.model.tasks.lock().expect("free").push(ChatTask::Title);
    replay.will_say(&["Knowhost keeps each tenant apart."]);
    replay.step("title").await;
    replay.step("message-delete").await;
}

#[test]
fn intended_differences_are_documented() {
    let deviations = include_str!("../../../../docs/deviations.md");
    for (step, pointer) in INTENDED {
        let recorded: Vec<Value> = serde_json::from_str(RECORDED).expect("the recording is JSON");
        let step = recorded.iter().find(|recorded| recorded["name"] == step).expect("recorded").clone();
        let route = step["request"]["path"]
            .as_str()
            .expect("a path")
            .trim_start_matches("/api/v1")
            .split("/<")
            .next()
            .unwrap_or_default()
            .to_owned();
        assert!(deviations.contains(&route), "{route} ({pointer}) has no row in docs/deviations.md");
    }
}
