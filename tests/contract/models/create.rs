//! POST /models: a model that the tenant may use.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_remote_model_is_active_at_once_and_shows_its_key_to_its_owner() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /models", remote("chat-1")), @"");
}

#[test]
fn parameters_keep_what_the_contract_knows() {
    let scene = Scene::new();
    let body = json!({
        "name": "embed", "type": "Embedding", "source": "remote",
        "parameters": { "base_url": "https://models.example.com/v1", "temperature": 0.7, "embedding_parameters": { "dimension": 1024, "truncate_prompt_tokens": 512 } },
    });
    assert_snapshot!(scene.key().ask_with("POST /models", body), @"");
}

#[test]
fn name_type_and_source_are_needed() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /models", json!({})), @"");
    assert_snapshot!(scene.key().ask_with("POST /models", json!({ "name": 1 })), @"");
    assert_snapshot!(scene.key().ask_raw("POST /models", ""), @"");
}

#[test]
fn a_source_that_nobody_serves_names_those_that_exist() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /models", json!({ "name": "x", "type": "KnowledgeQA", "source": "nowhere" })), @"");
}
