//! POST /evaluation/: starts a run. Whole runs: `server::evaluation`.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_run_says_what_it_runs_with() {
    let scene = Scene::new();
    let started = scene.key().send("POST /evaluation/", Some(json!({ "dataset_id": "default" }).to_string()));
    let data = &started.json["data"];
    assert!(started.status == 200 && data["task"]["status"].as_i64() < Some(2), "{}", started.text);
    let task: Vec<&String> = data["task"].as_object().expect("an object").keys().collect();
    let params: Vec<&String> = data["params"].as_object().expect("an object").keys().collect();
    assert_snapshot!(format!("{task:?}"), @r#"["id", "tenant_id", "dataset_id", "start_time", "status"]"#);
    assert_snapshot!(
        format!("{params:?}"),
        @r#"["session_id", "knowledge_base_id", "vector_threshold", "keyword_threshold", "embedding_top_k", "vector_database", "rerank_model_id", "rerank_top_k", "rerank_threshold", "chat_model_id", "summary_config", "fallback_strategy", "fallback_response"]"#
    );
    assert_eq!(data.get("metric"), None, "there is none before the first question is done");
}

#[test]
fn what_does_not_exist_is_404_and_an_unknown_dataset_400() {
    let scene = Scene::new();
    for (body, status, code, message) in [
        (json!({ "knowledge_base_id": "none" }), 404, 1003, "knowledge base not found"),
        (json!({ "chat_id": "none" }), 404, 1003, "model not found"),
        (json!({ "rerank_id": "none" }), 404, 1003, "model not found"),
        (json!({ "dataset_id": "../x" }), 400, 1000, "there is no dataset \"../x\""),
    ] {
        let answer = scene.key().send("POST /evaluation/", Some(body.to_string()));
        let expected = json!({ "error": { "code": code, "details": null, "message": message }, "success": false });
        assert_eq!((u64::from(answer.status), &answer.json), (status, &expected));
    }
}

#[test]
fn an_empty_body_is_no_json() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("POST /evaluation/"), @r#"
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
}

#[test]
fn credentials_are_needed() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("POST /evaluation/"), @r#"
    401
    {
      "error": "Unauthorized: missing authentication"
    }
    "#);
}
