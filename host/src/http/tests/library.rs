//! Models and knowledge bases: defaults, partial updates, answers.

use super::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn a_model_keeps_what_an_update_does_not_name() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let new = json!({
        "name": "m", "TYPE": "Rerank", "source": "Remote", "description": "d", "is_default": true, "id": "chosen",
        "parameters": {"base_url": "http://x", "API_KEY": "k", "temperature": 1, "embedding_parameters": {"dimension": 3}},
    });
    let made = app.post("/api/v1/models", &ann.key, new).await.data();
    assert_eq!((&made["source"], &made["status"], &made["type"]), (&json!("remote"), &json!("active"), &json!("Rerank")));
    let parameters = json!({"base_url": "http://x", "api_key": "k", "embedding_parameters": {"dimension": 3, "truncate_prompt_tokens": 0}});
    assert_eq!(made["parameters"], parameters);
    let path = format!("/api/v1/models/{}", made["id"].as_str().expect("an id"));
    let renamed = app.put(&path, &ann.key, json!({"name": "n", "description": "", "parameters": {}})).await.data();
    assert_eq!((&renamed["name"], &renamed["description"], &renamed["parameters"]), (&json!("n"), &json!("d"), &parameters));
    assert_eq!(renamed["is_default"], true);
    let plain = app.put(&path, &ann.key, json!({"is_default": false, "parameters": {"base_url": "http://y"}})).await.data();
    assert_eq!((&plain["is_default"], &plain["parameters"]["api_key"]), (&json!(false), &json!("")));
    assert_eq!(app.get(&path, &ann.key).await.data(), plain, "the answer is the row");
    assert_eq!(app.delete(&path, &ann.key).await.json(), json!({"message": "Model deleted", "success": true}));
    assert_eq!(app.delete(&path, &ann.key).await.status, 404);
}

#[tokio::test]
async fn a_plugins_settings_are_its_own_and_sources_must_exist() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let model = |source: &str| json!({"name": "m", "type": "Embedding", "source": source, "parameters": {"variant": "static"}});
    let made = app.post("/api/v1/models", &ann.key, model("embedder-local")).await.data();
    assert_eq!(made["parameters"]["variant"], "static");
    let change = |settings| json!({"parameters": settings});
    let path = format!("/api/v1/models/{}", made["id"].as_str().unwrap());
    let (status, code, message, _) = app.put(&path, &ann.key, change(json!({"refused": 7}))).await.failure();
    assert_eq!((status, code), (400, 1000));
    assert!(message.contains("refused is 7"), "{message}");
    assert_eq!(app.get(&path, &ann.key).await.data()["parameters"]["variant"], "static", "a refused change changes nothing");
    let (status, code, message, _) = app.post("/api/v1/models", &ann.key, model("nothing")).await.failure();
    assert_eq!((status, code), (400, 1000));
    assert!(message.contains("aliyun, embedder-local, local, remote"), "{message}");
    let kind = json!({"name": "m", "type": "chat", "source": "remote"});
    let (status, code, message, _) = app.post("/api/v1/models", &ann.key, kind).await.failure();
    assert_eq!((status, code), (400, 1000));
    assert!(message.contains("KnowledgeQA"), "{message}");
}

#[tokio::test]
async fn a_knowledge_base_has_the_contracts_defaults() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let made = app.call(axum::http::Method::POST, "/api/v1/knowledge-bases", &[("x-api-key", &ann.key)], "null").await;
    assert_eq!(made.status, 201);
    let mut kb = made.data();
    for field in ["id", "created_at", "updated_at"] {
        assert!(!kb[field].as_str().expect("a text").is_empty());
        kb.as_object_mut().expect("an object").remove(field);
    }
    assert_eq!(
        kb,
        json!({
            "name": "", "description": "", "tenant_id": ann.tenant_id,
            "chunking_config": {"chunk_size": 0, "chunk_overlap": 0, "separators": null, "enable_multimodal": false},
            "image_processing_config": {"model_id": ""},
            "embedding_model_id": "", "summary_model_id": "", "rerank_model_id": "", "vlm_model_id": "",
            "vlm_config": {"model_name": "", "base_url": "", "api_key": "", "interface_type": ""},
            "cos_config": {
                "secret_id": "", "secret_key": "", "region": "", "bucket_name": "", "app_id": "", "path_prefix": "", "provider": "",
            },
            "extract_config": null, "deleted_at": null,
        })
    );
}

#[tokio::test]
async fn a_knowledge_base_keeps_what_an_update_does_not_name() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let chunking = json!({"chunk_size": 300, "chunk_overlap": 30, "separators": ["。"], "enable_multimodal": true});
    let new = json!({
        "name": "<kb>", "description": "d", "chunking_config": chunking, "embedding_model_id": "e",
        "extract_config": {"text": "t", "tags": ["x"], "nodes": [{"name": "n"}], "relations": null},
    });
    let made = app.post("/api/v1/knowledge-bases", &ann.key, new).await;
    assert!(made.text().contains(r#""name":"\u003ckb\u003e""#));
    let made = made.data();
    assert_eq!(made["extract_config"], json!({"text": "t", "tags": ["x"], "nodes": [{"name": "n"}], "relations": null}));
    let path = format!("/api/v1/knowledge-bases/{}", made["id"].as_str().expect("an id"));
    for body in [json!({"name": "k"}), json!({"name": "k", "config": {}}), json!({"name": "k", "config": {"chunking_config": null}})] {
        let kept = app.put(&path, &ann.key, body).await.data();
        assert_eq!((&kept["name"], &kept["description"], &kept["chunking_config"]), (&json!("k"), &json!("d"), &chunking));
    }
    let body = json!({"name": "k", "description": "", "config": {"chunking_config": {"chunk_size": 9}}});
    let changed = app.put(&path, &ann.key, body).await.data();
    assert_eq!(changed["description"], "");
    assert_eq!(
        changed["chunking_config"],
        json!({"chunk_size": 9, "chunk_overlap": 0, "separators": null, "enable_multimodal": false}),
        "a part that is given replaces as a whole"
    );
    assert_eq!(app.get(&path, &ann.key).await.data(), changed);
    assert_eq!(app.delete(&path, &ann.key).await.json(), json!({"message": "Knowledge base deleted successfully", "success": true}));
    assert_eq!(app.delete(&path, &ann.key).await.failure(), (404, 1003, "knowledge base not found".into(), Value::Null));
    assert_eq!(app.get("/api/v1/knowledge-bases", &ann.key).await.data(), json!([]));
}

#[tokio::test]
async fn knowledge_bases_are_listed_newest_first() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    for name in ["a", "b", "c"] {
        app.post("/api/v1/knowledge-bases", &ann.key, json!({"name": name})).await.data();
    }
    let names: Vec<Value> =
        app.get("/api/v1/knowledge-bases", &ann.key).await.data().as_array().expect("a list").iter().map(|kb| kb["name"].clone()).collect();
    assert_eq!(names, ["c", "b", "a"]);
}
