//! Evaluation routes: what is refused, what is shown, and to whom. Runs themselves: `evaluate::tests`.

use super::TestApp;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ROUTE: &str = "/api/v1/evaluation/";

async fn a_model(app: &TestApp, key: &str, kind: &str) -> Value {
    let model = json!({"name": kind, "type": kind, "source": "remote", "parameters": {"base_url": "http://127.0.0.1:9", "api_key": "k"}});
    app.post("/api/v1/models", key, model).await.data()["id"].clone()
}

#[tokio::test]
async fn both_spellings_of_the_path_lead_there() {
    let app = TestApp::new().await;
    let get = app.call(Method::GET, "/api/v1/evaluation?task_id=1", &[], "").await;
    assert_eq!((get.status, get.header("location")), (301, "/api/v1/evaluation/?task_id=1"));
    let post = app.call(Method::POST, "/api/v1/evaluation", &[], "{}").await;
    assert_eq!((post.status, post.header("location")), (307, ROUTE));
    assert_eq!(app.call(Method::POST, ROUTE, &[], "{}").await.status, 401);
}

#[tokio::test]
async fn bad_input_is_refused_and_makes_nothing() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let invalid = |details: &str| (400, 1000, "Invalid request parameters".to_owned(), json!(details));
    let required = "Key: 'GetEvaluationRequest.TaskID' Error:Field validation for 'TaskID' failed on the 'required' tag";
    for path in [ROUTE.to_owned(), format!("{ROUTE}?task_id="), format!("{ROUTE}?id=1")] {
        assert_eq!(app.get(&path, &ann.key).await.failure(), invalid(required), "{path}");
    }
    for (body, details) in [("", "EOF"), ("{", "unexpected EOF")] {
        let answer = app.call(Method::POST, ROUTE, &[("x-api-key", &ann.key)], body).await;
        assert_eq!(answer.failure(), invalid(details), "{body}");
    }
    let wrong_type = app.post(ROUTE, &ann.key, json!({"dataset_id": 5})).await.failure();
    assert_eq!((wrong_type.0, wrong_type.1, wrong_type.2.as_str()), (400, 1000, "Invalid request parameters"));
    // There is a built-in embedding model here, but no chat model.
    let no_model = app.post(ROUTE, &ann.key, json!({})).await.failure();
    assert_eq!(no_model, (400, 1000, "no default models found for evaluation".into(), Value::Null));
    let (chat, embedding) = (a_model(&app, &ann.key, "KnowledgeQA").await, a_model(&app, &ann.key, "Embedding").await);
    for (body, status, text) in [
        (json!({"knowledge_base_id": "none"}), 404, "knowledge base not found"),
        (json!({"chat_id": "none"}), 404, "model not found"),
        (json!({"rerank_id": "none"}), 404, "model not found"),
        (json!({"chat_id": embedding}), 400, "is no KnowledgeQA model"),
        (json!({"rerank_id": chat}), 400, "is no Rerank model"),
        (json!({"dataset_id": "other"}), 400, "there is no dataset \"other\""),
        (json!({"dataset_id": "../../etc"}), 400, "there is no dataset"),
        (json!({"dataset_id": "x".repeat(100_000)}), 400, "there is no dataset"),
    ] {
        let failure = app.post(ROUTE, &ann.key, body.clone()).await.failure();
        assert!(failure.0 == status && failure.2.contains(text), "{failure:?}");
    }
    assert_eq!(app.get("/api/v1/knowledge-bases", &ann.key).await.data(), json!([]));
}

#[tokio::test]
async fn a_run_belongs_to_its_tenant_and_ends() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let (chat, rerank) = (a_model(&app, &ann.key, "KnowledgeQA").await, a_model(&app, &ann.key, "Rerank").await);
    let kb = app.post("/api/v1/knowledge-bases", &ann.key, json!({"name": "lends"})).await.data();
    for body in [json!({"knowledge_base_id": kb["id"]}), json!({"chat_id": chat}), json!({"rerank_id": rerank})] {
        assert!(matches!(app.post(ROUTE, &bob.key, body).await.failure().0, 400 | 404));
    }
    let started = app.post(ROUTE, &ann.key, Value::Null).await.data();
    assert_eq!((&started["task"]["status"], &started["task"]["dataset_id"]), (&json!(1), &json!("default")));
    assert_eq!((&started["params"]["chat_model_id"], &started["params"]["rerank_model_id"]), (&chat, &rerank));
    for absent in ["/task/total", "/task/finished", "/task/err_msg", "/metric"] {
        assert_eq!(started.pointer(absent), None, "{absent}");
    }
    let second = app.post(ROUTE, &ann.key, json!({})).await.data();
    assert_eq!(second["task"]["status"], 0, "it waits for the first");
    let path = format!("{ROUTE}?task_id={}", started["task"]["id"].as_str().expect("an id"));
    for path in [path.as_str(), "/api/v1/evaluation/?task_id=none", "/api/v1/evaluation/?task_id=%00%ff'--"] {
        assert_eq!(app.get(path, &bob.key).await.failure(), (404, 1003, "task not found".into(), Value::Null), "{path}");
    }
    app.work();
    let deadline = Instant::now() + Duration::from_secs(60);
    let ended = loop {
        let now = app.get(&path, &ann.key).await.data();
        if now["task"]["status"].as_i64() > Some(1) {
            break now;
        }
        assert!(Instant::now() < deadline, "{now}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((&ended["task"]["status"], &ended["task"]["finished"]), (&json!(2), &json!(12)), "{ended}");
    assert_eq!(ended["task"]["total"], 12);
    assert!(ended["metric"]["generation_metrics"]["rougel"].is_number(), "{ended}");
}

#[tokio::test]
async fn a_tenant_can_not_queue_runs_without_end() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    a_model(&app, &ann.key, "KnowledgeQA").await;
    for _ in 0..16 {
        assert_eq!(app.post(ROUTE, &ann.key, json!({})).await.status, 200);
    }
    let (status, code, ..) = app.post(ROUTE, &ann.key, json!({})).await.failure();
    assert_eq!((status, code), (429, 1006));
    assert_eq!(app.get("/api/v1/knowledge-bases", &ann.key).await.data().as_array().map(Vec::len), Some(16));
}
