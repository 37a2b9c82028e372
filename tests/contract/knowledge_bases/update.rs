//! PUT /knowledge-bases/{id}: name, description and how documents are split.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

const SPLIT: &str = r#"{"chunk_size":256,"chunk_overlap":20,"separators":["\n"],"enable_multimodal":false}"#;

fn a_kb(scene: &Scene) -> String {
    let split: serde_json::Value = serde_json::from_str(SPLIT).expect("JSON");
    scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour", "description": "Tides", "chunking_config": split }))
}

#[test]
fn an_empty_config_leaves_the_split_alone() {
    let scene = Scene::new();
    let id = a_kb(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /knowledge-bases/{id}"), json!({ "name": "Port", "description": "Ships", "config": {} })), @r#"
    200
    {
      "data": {
        "id": "<id1>",
        "name": "Port",
        "description": "Ships",
        "tenant_id": "<tenant>",
        "chunking_config": {
          "chunk_size": 256,
          "chunk_overlap": 20,
          "separators": [
            "\n"
          ],
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
fn a_part_of_the_config_that_is_sent_replaces_it_whole() {
    let scene = Scene::new();
    let id = a_kb(&scene);
    let body = json!({ "name": "Port", "config": { "chunking_config": { "chunk_size": 100 } } });
    let row = scene.key().send(&format!("PUT /knowledge-bases/{id}"), Some(body.to_string())).json["data"].take();
    assert_eq!(row["chunking_config"], json!({ "chunk_size": 100, "chunk_overlap": 0, "separators": null, "enable_multimodal": false }));
    assert_eq!(row["description"], "Tides");
}

#[test]
fn a_name_is_needed_and_the_owner_comes_first() {
    let scene = Scene::new();
    let id = a_kb(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /knowledge-bases/{id}"), json!({ "description": "nameless" })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "Key: 'UpdateKnowledgeBaseRequest.Name' Error:Field validation for 'Name' failed on the 'required' tag",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("PUT /knowledge-bases/x", json!({})), @r#"
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
