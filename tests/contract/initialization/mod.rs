//! The settings page. Answers are compared as JSON, because most of them are short and some hold a failure's words.
//!
//! The server of these cases has no model server beside it, so what one answers is tested in `server::initialization`.

mod config;
mod download_cancel;
mod download_progress;
mod download_tasks;
mod earlier_config;
mod earlier_initialize;
mod earlier_status;
mod embedding_test;
mod fabri_tag;
mod fabri_text;
mod initialize;
mod multimodal_test;
mod ollama_check;
mod ollama_download;
mod ollama_models;
mod ollama_status;
mod remote_check;
mod rerank_check;
mod test_data;
mod text_relation;

use crate::scene::Scene;
use serde_json::{Value, json};

const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

/// A whole form with models at another server; nothing calls them in these cases.
fn form() -> Value {
    json!({
        "llm": { "source": "remote", "modelName": "chat-1", "baseUrl": "https://models.example.com/v1", "apiKey": "k-chat" },
        "embedding": {
            "source": "remote", "modelName": "embed-1", "baseUrl": "https://models.example.com/v1", "apiKey": "k-embed", "dimension": 384,
        },
        "rerank": { "enabled": true, "modelName": "rerank-1", "baseUrl": "https://models.example.com/v1", "apiKey": "k-rank" },
        "multimodal": { "enabled": false },
        "documentSplitting": { "chunkSize": 300, "chunkOverlap": 30, "separators": ["\n\n", "\n"] },
        "nodeExtract": { "enabled": false },
    })
}

/// The settings that [`form`] saves, as they are shown.
fn saved() -> Value {
    json!({
        "hasFiles": false,
        "llm": { "source": "remote", "modelName": "chat-1", "baseUrl": "https://models.example.com/v1", "apiKey": "k-chat" },
        "embedding": {
            "source": "remote", "modelName": "embed-1", "baseUrl": "https://models.example.com/v1", "apiKey": "k-embed", "dimension": 384,
        },
        "rerank": { "enabled": true, "modelName": "rerank-1", "baseUrl": "https://models.example.com/v1", "apiKey": "k-rank" },
        "multimodal": { "enabled": false },
        "documentSplitting": { "chunkSize": 300, "chunkOverlap": 30, "separators": ["\n\n", "\n"] },
    })
}

fn a_kb(scene: &Scene) -> String {
    scene.key().make("POST /knowledge-bases", json!({ "name": "kb" }))
}

/// `data` of a success.
fn data(scene: &Scene, route: &str, body: Option<&Value>) -> Value {
    let answer = scene.key().send(route, body.map(Value::to_string));
    assert_eq!((answer.status, &answer.json["success"]), (200, &json!(true)), "{route}: {}", answer.text);
    answer.json["data"].clone()
}

/// A failure in the envelope, with its status, code and message.
fn check_refused(scene: &Scene, route: &str, body: Option<&str>, status: u16, code: u16, message: &str) {
    let answer = scene.key().send(route, body.map(str::to_owned));
    let expected = json!({ "error": { "code": code, "details": null, "message": message }, "success": false });
    assert_eq!((answer.status, &answer.json), (status, &expected), "{route} {body:?}");
}

/// The sentence of a field that is required.
fn required(field: &str) -> String {
    format!("Key: '{field}' Error:Field validation for '{field}' failed on the 'required' tag")
}

fn check_unavailable(scene: &Scene, route: &str, body: Option<&str>) {
    let answer = scene.key().send(route, body.map(str::to_owned));
    assert_eq!((answer.status, &answer.json["error"]["code"]), (503, &json!(1008)), "{route}: {}", answer.text);
    let message = answer.json["error"]["message"].as_str().expect("a message");
    assert!(message.starts_with("Ollama服务不可用: ollama"), "{message}");
}
