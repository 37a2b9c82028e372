//! POST /initialization/initialize/{id}: saves the settings of a knowledge base.

use super::{ABSENT, a_kb, check_refused, form};
use crate::scene::Scene;
use serde_json::{Value, json};

#[test]
fn models_and_knowledge_base_are_answered() {
    let scene = Scene::new();
    let kb = a_kb(&scene);
    let answer = scene.key().send(&format!("POST /initialization/initialize/{kb}"), Some(form().to_string()));
    assert_eq!((answer.status, &answer.json["message"], &answer.json["success"]), (200, &json!("知识库配置更新成功"), &json!(true)));
    let data = &answer.json["data"];
    let models = data["models"].as_array().expect("models");
    let shown: Vec<[&Value; 4]> = models.iter().map(|model| ["name", "type", "description", "status"].map(|name| &model[name])).collect();
    assert_eq!(
        json!(shown),
        json!([
            ["chat-1", "KnowledgeQA", "LLM Model for Knowledge QA", "active"],
            ["embed-1", "Embedding", "Embedding Model", "active"],
            ["rerank-1", "Rerank", "Rerank Model", "active"],
        ])
    );
    assert!(models.iter().all(|model| model["tenant_id"] == scene.tenant_id()), "{models:?}");
    let kb = &data["knowledge_base"];
    assert_eq!(
        [&kb["summary_model_id"], &kb["embedding_model_id"], &kb["rerank_model_id"], &kb["vlm_model_id"]],
        [&models[0]["id"], &models[1]["id"], &models[2]["id"], &json!("")]
    );
    assert_eq!(
        kb["chunking_config"],
        json!({ "chunk_size": 300, "chunk_overlap": 30, "separators": ["\n\n", "\n"], "enable_multimodal": false })
    );
}

#[test]
fn a_broken_rule_is_named() {
    let scene = Scene::new();
    let route = format!("POST /initialization/initialize/{}", a_kb(&scene));
    let broken = |field: &str, tag: &str| {
        let last = field.rsplit('.').next().unwrap_or_default();
        format!("Key: 'InitializationRequest.{field}' Error:Field validation for '{last}' failed on the '{tag}' tag")
    };
    let splitting = |size: i64, overlap: i64| json!({ "chunkSize": size, "chunkOverlap": overlap, "separators": ["\n"] });
    for (part, value, message) in [
        ("llm", json!({ "source": "remote" }), broken("LLM.ModelName", "required")),
        ("embedding", json!({ "modelName": "m" }), broken("Embedding.Source", "required")),
        ("documentSplitting", splitting(99, 0), broken("DocumentSplitting.ChunkSize", "min")),
        ("documentSplitting", splitting(10_001, 0), broken("DocumentSplitting.ChunkSize", "max")),
        ("documentSplitting", splitting(100, -1), broken("DocumentSplitting.ChunkOverlap", "min")),
        ("documentSplitting", splitting(100, 100), "chunkOverlap必须小于chunkSize".into()),
        ("multimodal", json!({ "enabled": true }), "启用多模态时需要配置VLM信息".into()),
        ("rerank", json!({ "enabled": true, "modelName": "r" }), "Rerank配置不完整".into()),
        ("nodeExtract", json!({ "enabled": true, "text": "t" }), "请正确配置环境变量NEO4J_ENABLE".into()),
    ] {
        let mut body = form();
        body[part] = value;
        check_refused(&scene, &route, Some(&body.to_string()), 400, 1000, &message);
    }
    check_refused(&scene, &route, Some(""), 400, 1000, "EOF");
    check_refused(
        &scene,
        &route,
        Some("{\"llm\":{\"source\":7}}"),
        400,
        1000,
        "json: cannot unmarshal number into Go struct field .llm.source of type string",
    );
}

#[test]
fn unknown_and_foreign_knowledge_bases_are_one() {
    let scene = Scene::new();
    let foreign = a_kb(&Scene::new());
    for id in [ABSENT, &foreign, "x", "%00"] {
        let body = form().to_string();
        check_refused(&scene, &format!("POST /initialization/initialize/{id}"), Some(&body), 404, 1003, "知识库不存在");
    }
}
