//! POST /models: a model that the tenant may use.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_remote_model_is_active_at_once_and_shows_its_key_to_its_owner() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /models", remote("chat-1")), @r#"
    201
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
fn parameters_keep_what_the_contract_knows() {
    let scene = Scene::new();
    let body = json!({
        "name": "embed", "type": "Embedding", "source": "remote",
        "parameters": { "base_url": "https://models.example.com/v1", "temperature": 0.7, "embedding_parameters": { "dimension": 1024, "truncate_prompt_tokens": 512 } },
    });
    assert_snapshot!(scene.key().ask_with("POST /models", body), @r#"
    201
    {
      "data": {
        "id": "<id1>",
        "tenant_id": "<tenant>",
        "name": "embed",
        "type": "Embedding",
        "source": "remote",
        "description": "",
        "parameters": {
          "base_url": "https://models.example.com/v1",
          "api_key": "",
          "embedding_parameters": {
            "dimension": 1024,
            "truncate_prompt_tokens": 512
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
fn name_type_and_source_are_needed() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /models", json!({})), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'CreateModelRequest.Name' Error:Field validation for 'Name' failed on the 'required' tag\nKey: 'CreateModelRequest.Type' Error:Field validation for 'Type' failed on the 'required' tag\nKey: 'CreateModelRequest.Source' Error:Field validation for 'Source' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /models", json!({ "name": 1 })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "json: cannot unmarshal number into Go struct field CreateModelRequest.name of type string"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_raw("POST /models", ""), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "EOF"
      },
      "success": false
    }
    "#);
}

#[test]
fn a_source_that_nobody_serves_names_those_that_exist() {
    let scene = Scene::new();
    let answer = scene.key().ask_with("POST /models", json!({ "name": "x", "type": "KnowledgeQA", "source": "nowhere" }));
    assert!(answer.starts_with("400\n") && answer.contains("\"code\": 1000"), "{answer}");
    for name in ["unknown model source", "nowhere", "aliyun", "local", "remote", "chat-extractive"] {
        assert!(answer.contains(name), "{name}: {answer}");
    }
}

#[test]
fn a_local_model_is_made_at_once_and_fetched_first() {
    let scene = Scene::new();
    let local = json!({ "name": "qwen3:0.6b", "type": "KnowledgeQA", "source": "Local" });
    assert_snapshot!(scene.key().ask_with("POST /models", local), @r#"
    201
    {
      "data": {
        "id": "<id1>",
        "tenant_id": "<tenant>",
        "name": "qwen3:0.6b",
        "type": "KnowledgeQA",
        "source": "local",
        "description": "",
        "parameters": {
          "base_url": "",
          "api_key": "",
          "embedding_parameters": {
            "dimension": 0,
            "truncate_prompt_tokens": 0
          }
        },
        "is_default": false,
        "status": "downloading",
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "success": true
    }
    "#);
}
