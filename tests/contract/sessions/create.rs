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
    assert_snapshot!(scene.shown(&answer), @r#"
    201
    {
      "data": {
        "id": "<id1>",
        "title": "",
        "description": "",
        "tenant_id": "<tenant>",
        "knowledge_base_id": "<id2>",
        "max_rounds": 5,
        "enable_rewrite": true,
        "fallback_strategy": "fixed",
        "fallback_response": "<text>",
        "embedding_top_k": 10,
        "keyword_threshold": 0.3,
        "vector_threshold": 0.5,
        "rerank_model_id": "",
        "rerank_top_k": 5,
        "rerank_threshold": 0.5,
        "summary_model_id": "",
        "summary_parameters": {
          "max_tokens": 0,
          "repeat_penalty": 1,
          "top_k": 0,
          "top_p": 0,
          "frequency_penalty": 0,
          "presence_penalty": 0,
          "prompt": "<text>",
          "context_template": "<text>",
          "no_match_prefix": "<think>\n</think>\nNO_MATCH",
          "temperature": 0.3,
          "seed": 0,
          "max_completion_tokens": 2048
        },
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "success": true
    }
    "#);
}

#[test]
fn a_strategy_is_taken_as_it_is_sent_and_the_rest_comes_from_the_settings() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour", "summary_model_id": "s", "rerank_model_id": "r" }));
    let strategy = json!({ "max_rounds": 3, "embedding_top_k": 0, "enable_rewrite": false, "summary_parameters": { "temperature": 0.9 } });
    let session = scene.key().send("POST /sessions", Some(json!({ "knowledge_base_id": kb_id, "session_strategy": strategy }).to_string()));
    let session = &session.json["data"];
    assert_eq!((&session["max_rounds"], &session["embedding_top_k"], &session["enable_rewrite"]), (&json!(3), &json!(0), &json!(false)));
    assert_eq!((&session["rerank_top_k"], &session["vector_threshold"]), (&json!(5), &json!(0.5)));
    assert_eq!((&session["summary_model_id"], &session["rerank_model_id"]), (&json!("s"), &json!("r")));
    let summary = &session["summary_parameters"];
    assert_eq!(summary["temperature"], json!(0.9));
    assert!(summary["context_template"].as_str().is_some_and(|text| text.contains(".Query")), "{summary}");
}

#[test]
fn the_base_is_needed_and_must_be_ones_own() {
    let scene = Scene::new();
    let foreign = Scene::new().key().make("POST /knowledge-bases", json!({ "name": "theirs" }));
    assert_snapshot!(scene.key().ask_with("POST /sessions", json!({})), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'CreateSessionRequest.KnowledgeBaseID' Error:Field validation for 'KnowledgeBaseID' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    let unknown = scene.key().ask_with("POST /sessions", json!({ "knowledge_base_id": "x" }));
    assert_eq!(scene.key().ask_with("POST /sessions", json!({ "knowledge_base_id": foreign })), unknown);
    assert_snapshot!(unknown, @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "knowledge base not found"
      },
      "success": false
    }
    "#);
}
