//! POST /sessions: a conversation about a knowledge base.

use super::without_prompts;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn without_a_strategy_the_configuration_fills_all() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let mut answer = scene.key().send("POST /sessions", Some(json!({ "knowledge_base_id": kb_id }).to_string()));
    answer.json = without_prompts(answer.json);
    assert_snapshot!(scene.shown(&answer), @"");
}

#[test]
fn a_strategy_is_taken_as_it_is_sent() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour", "summary_model_id": "s", "rerank_model_id": "r" }));
    let body = json!({ "knowledge_base_id": kb_id, "session_strategy": { "max_rounds": 3, "summary_parameters": { "temperature": 0.9 } } });
    let session = scene.key().send("POST /sessions", Some(body.to_string())).json["data"].take();
    assert_eq!((&session["max_rounds"], &session["embedding_top_k"], &session["vector_threshold"]), (&json!(3), &json!(0), &json!(0)));
    assert_eq!((&session["enable_rewrite"], &session["fallback_response"]), (&json!(false), &json!("")));
    assert_eq!((&session["summary_model_id"], &session["rerank_model_id"]), (&json!("s"), &json!("r")));
    let summary = &session["summary_parameters"];
    assert_eq!((&summary["temperature"], &summary["max_completion_tokens"]), (&json!(0.9), &json!(0)));
    assert!(summary["context_template"].as_str().is_some_and(|text| text.contains(".Query")), "{summary}");
}

#[test]
fn the_base_is_needed_and_must_be_ones_own() {
    let scene = Scene::new();
    let foreign = Scene::new().key().make("POST /knowledge-bases", json!({ "name": "theirs" }));
    assert_snapshot!(scene.key().ask_with("POST /sessions", json!({})), @"");
    let unknown = scene.key().ask_with("POST /sessions", json!({ "knowledge_base_id": "x" }));
    assert_eq!(scene.key().ask_with("POST /sessions", json!({ "knowledge_base_id": foreign })), unknown);
    assert_snapshot!(unknown, @"");
}
