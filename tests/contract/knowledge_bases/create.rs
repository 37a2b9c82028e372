//! POST /knowledge-bases: a collection of documents that is searched together.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn nothing_but_a_name_gives_the_whole_object() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /knowledge-bases", json!({ "name": "Harbour" })), @r#"
    201
    {
      "data": {
        "id": "<id1>",
        "name": "Harbour",
        "description": "",
        "tenant_id": "<tenant>",
        "chunking_config": {
          "chunk_size": 0,
          "chunk_overlap": 0,
          "separators": null,
          "enable_multimodal": false
        },
        "image_processing_config": {
          "model_id": ""
        },
        "embedding_model_id": "",
        "summary_model_id": "",
        "rerank_model_id": "",
        "vlm_model_id": "",
        "vlm_config": {
          "model_name": "",
          "base_url": "",
          "api_key": "",
          "interface_type": ""
        },
        "cos_config": {
          "secret_id": "",
          "secret_key": "",
          "region": "",
          "bucket_name": "",
          "app_id": "",
          "path_prefix": "",
          "provider": ""
        },
        "extract_config": null,
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "success": true
    }
    "#);
}

#[test]
fn configuration_is_kept_as_sent() {
    let scene = Scene::new();
    let body = json!({
        "name": "Harbour", "description": "Tides and ferries",
        "chunking_config": { "chunk_size": 512, "chunk_overlap": 100, "separators": ["\n\n", "。"], "enable_multimodal": false },
        "embedding_model_id": "e", "summary_model_id": "s", "rerank_model_id": "r", "vlm_model_id": "v",
    });
    let made = scene.key().send("POST /knowledge-bases", Some(body.to_string())).json["data"].take();
    for name in ["name", "description", "chunking_config", "embedding_model_id", "summary_model_id", "rerank_model_id", "vlm_model_id"] {
        assert_eq!(made[name], body[name], "{name}");
    }
}

#[test]
fn what_the_server_decides_can_not_be_sent() {
    let scene = Scene::new();
    let body = json!({ "id": "chosen", "name": "Harbour", "tenant_id": 1, "deleted_at": "2026-01-01T00:00:00Z", "created_at": "0001-01-01T00:00:00Z" });
    let made = scene.key().send("POST /knowledge-bases", Some(body.to_string())).json["data"].take();
    assert_ne!(made["id"], "chosen");
    assert_eq!((&made["tenant_id"], &made["deleted_at"]), (&json!(scene.tenant_id()), &json!(null)));
    assert_ne!(made["created_at"], "0001-01-01T00:00:00Z");
}

#[test]
fn wrong_types_and_no_json_are_told() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /knowledge-bases", json!({ "name": 7 })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "json: cannot unmarshal number into Go struct field KnowledgeBase.name of type string",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_raw("POST /knowledge-bases", ""), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "EOF",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_raw("POST /knowledge-bases", "[1]"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "json: cannot unmarshal array into Go value of type types.KnowledgeBase",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
}

#[test]
fn what_is_not_applied_must_have_its_type_all_the_same() {
    let scene = Scene::new();
    for (field, value, details) in [
        ("tenant_id", json!("x"), "json: cannot unmarshal string into Go struct field KnowledgeBase.tenant_id of type uint"),
        ("created_at", json!("x"), "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\""),
        (
            "chunking_config",
            json!([]),
            "json: cannot unmarshal array into Go struct field KnowledgeBase.chunking_config of type types.ChunkingConfig",
        ),
        (
            "chunking_config",
            json!({ "separators": 1 }),
            "json: cannot unmarshal number into Go struct field ChunkingConfig.chunking_config.separators of type []string",
        ),
    ] {
        let answer = scene.key().send("POST /knowledge-bases", Some(json!({ "name": "Harbour", (field): value }).to_string()));
        let expected = json!({ "error": { "code": 1000, "details": details, "message": "Invalid request parameters" }, "success": false });
        assert_eq!((answer.status, &answer.json), (400, &expected), "{field}");
    }
}
