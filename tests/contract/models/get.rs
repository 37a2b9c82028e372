//! GET /models/{id}: one model.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn ones_own_is_shown_whole() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    assert_snapshot!(scene.key().ask(&format!("GET /models/{id}")), @r#"
    200
    {
      "data": {
        "id": "<id1>",
        "tenant_id": "<tenant>",
        "name": "chat-1",
        "type": "KnowledgeQA",
        "source": "remote",
        "description": "A model elsewhere",
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
fn unknown_foreign_and_malformed_ids_are_one() {
    let scene = Scene::new();
    let foreign = Scene::new().key().make("POST /models", remote("chat-1"));
    let answer = scene.key().ask("GET /models/00000000-0000-4000-8000-000000000000");
    for id in [foreign.as_str(), "x", "%00", "a'b"] {
        assert_eq!(scene.key().ask(&format!("GET /models/{id}")), answer, "{id}");
    }
    assert_snapshot!(answer, @r#"
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
