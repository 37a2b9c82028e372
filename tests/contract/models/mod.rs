mod create;
mod delete;
mod get;
mod list;
mod update;

use serde_json::{Value, json};

/// A model at another server; nothing calls it in these cases.
fn remote(name: &str) -> Value {
    json!({
        "name": name, "type": "KnowledgeQA", "source": "remote", "description": "A model elsewhere",
        "parameters": { "base_url": "https://models.example.com/v1", "api_key": "secret" }, "is_default": false,
    })
}
