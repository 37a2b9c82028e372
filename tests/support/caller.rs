//! Somebody who calls the API.

use crate::server::request_time;
use crate::sse::{SseEvent, read_events};
use crate::wait_for;
use anyhow::{Context, Result};
use reqwest::blocking::{Client, RequestBuilder, multipart};
use serde_json::{Value, json};

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    /// Null when the body is not JSON.
    pub json: Value,
}

impl Answer {
    /// # Panics
    /// When the status is another; the message shows the body.
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[derive(Clone)]
pub struct Caller {
    http: Client,
    url: String,
    api_key: Option<String>,
    bearer: Option<String>,
}

impl Caller {
    pub fn new(url: &str, api_key: Option<&str>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http =
            Client::builder().no_proxy().timeout(request_time()).redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { http, url: url.to_owned(), api_key: api_key.map(str::to_owned), bearer: None }
    }

    pub fn anonymous(&self) -> Self {
        Self { api_key: None, bearer: None, ..self.clone() }
    }

    pub fn with_bearer(&self, token: &str) -> Self {
        Self { api_key: None, bearer: Some(token.to_owned()), ..self.clone() }
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(key) = &self.api_key {
            request = request.header("X-API-Key", key);
        }
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        request
    }

    pub fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let answer = request.send()?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let text = String::from_utf8_lossy(&answer.bytes()?).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, text, json })
    }

    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request("GET", path))
    }

    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.request("DELETE", path))
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request("POST", path).json(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request("PUT", path).json(body))
    }

    /// A knowledge base with built-in models; its id.
    pub fn a_kb(&self, name: &str) -> String {
        let answer = self.post("/api/v1/knowledge-bases", &json!({ "name": name })).expect("answered").expect_status(201);
        answer.json["data"]["id"].as_str().expect("an id").to_owned()
    }

    pub fn upload(&self, kb_id: &str, name: &str, bytes: &[u8]) -> Result<Answer> {
        let part = multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned());
        let form = multipart::Form::new().part("file", part);
        self.send(self.request("POST", &format!("/api/v1/knowledge-bases/{kb_id}/knowledge/file")).multipart(form))
    }

    /// Uploads and waits until the document is completed; its id.
    pub fn a_knowledge(&self, kb_id: &str, name: &str, bytes: &[u8]) -> String {
        let answer = self.upload(kb_id, name, bytes).expect("answered").expect_status(200);
        let id = answer.json["data"]["id"].as_str().expect("an id").to_owned();
        let knowledge = self.wait_parsed(&id);
        assert_eq!(knowledge["parse_status"], "completed", "{name}: {}", knowledge["error_message"]);
        id
    }

    /// Waits until a document is completed or failed.
    pub fn wait_parsed(&self, knowledge_id: &str) -> Value {
        wait_for("a document to be read", || {
            let knowledge = self.get(&format!("/api/v1/knowledge/{knowledge_id}")).ok()?.json["data"].take();
            matches!(knowledge["parse_status"].as_str(), Some("completed" | "failed")).then_some(knowledge)
        })
    }

    /// Waits until a local model is fetched.
    pub fn wait_fetched(&self, model_id: &str) {
        let status = wait_for("a model to be fetched", || {
            let model = self.get(&format!("/api/v1/models/{model_id}")).ok()?.json["data"].take();
            (model["status"] != "downloading").then(|| model["status"].clone())
        });
        assert_eq!(status, "active");
    }

    pub fn a_session(&self, kb_id: &str) -> String {
        let answer = self.post("/api/v1/sessions", &json!({ "knowledge_base_id": kb_id })).expect("answered").expect_status(201);
        answer.json["data"]["id"].as_str().expect("an id").to_owned()
    }

    /// Asks and reads the whole stream.
    pub fn ask(&self, session_id: &str, query: &str) -> Vec<SseEvent> {
        let request = self.request("POST", &format!("/api/v1/knowledge-chat/{session_id}")).json(&json!({ "query": query }));
        let answer = self.send(request).expect("answered").expect_status(200);
        read_events(&answer.text).context(answer.text).expect("an event stream")
    }

    /// Hits of a hybrid search with the contract's default thresholds.
    pub fn search(&self, kb_id: &str, query: &str) -> Vec<Value> {
        let body = json!({ "query_text": query, "vector_threshold": 0.5, "keyword_threshold": 0.3, "match_count": 10 });
        let request = self.request("GET", &format!("/api/v1/knowledge-bases/{kb_id}/hybrid-search")).json(&body);
        self.send(request).expect("answered").expect_status(200).json["data"].as_array().cloned().unwrap_or_default()
    }
}
