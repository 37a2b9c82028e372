//! PUT /models/{id}: name, description, parameters and default flag.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn fields_that_are_not_named_stay() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    assert_snapshot!(scene.key().ask_with(&format!("PUT /models/{id}"), json!({ "description": "Ours" })), @r#"
    200
    {
      "data": {
        "id": "<id1>",
        "tenant_id": "<tenant>",
        "name": "chat-1",
        "type": "KnowledgeQA",
        "source": "remote",
        "description": "Ours",
        "parameters": {
          "base_url": "https://models.example.com/v1",
          "api_key": "secret",
          "embedding_parameters": {
            "dimension": 0,
            "truncate_prompt_tokens": 0
          }
        },
        "is_default": false,
        "status": "active",
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "success": true
    }
    "#);
}

#[test]
fn the_default_flag_can_be_taken_away() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    let route = format!("PUT /models/{id}");
    for flag in [true, false] {
        assert_eq!(scene.key().send(&route, Some(json!({ "is_default": flag }).to_string())).json["data"]["is_default"], flag);
        assert_eq!(scene.key().send(&format!("GET /models/{id}"), None).json["data"]["is_default"], flag);
    }
}

#[test]
fn parameters_replace_as_a_whole() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    let body = json!({ "parameters": { "base_url": "https://other.example.com" } });
    let row = scene.key().send(&format!("PUT /models/{id}"), Some(body.to_string())).json["data"].take();
    assert_eq!((&row["parameters"]["base_url"], &row["parameters"]["api_key"]), (&json!("https://other.example.com"), &json!("")));
}

#[test]
fn the_body_is_looked_at_before_the_id() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("PUT /models/x", json!({ "name": 1 })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "json: cannot unmarshal number into Go struct field UpdateModelRequest.name of type string"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("PUT /models/x", json!({ "name": "y" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "Model not found"
      },
      "success": false
    }
    "#);
}
