//! Two tenants who must not see each other, on every route of the library.

use super::TestApp;
use super::support::{BUILTIN_MODEL, OPERATOR_KEY};
use crate::library::LibrarySettings;
use serde_json::{Value, json};

#[tokio::test]
async fn tenants_see_themselves_only() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let foreign = format!("/api/v1/tenants/{}", ann.tenant_id);
    let missing = "/api/v1/tenants/99999999".to_owned();
    for path in [&foreign, &missing] {
        for (answer, message) in [
            (app.get(path, &bob.key).await, "Failed to retrieve tenant"),
            (app.put(path, &bob.key, json!({"name": "mine"})).await, "Failed to update tenant"),
            (app.delete(path, &bob.key).await, "Failed to delete tenant"),
        ] {
            assert_eq!(answer.failure(), (404, 1003, message.into(), json!("tenant not found")), "{path}");
        }
    }
    let list = app.get("/api/v1/tenants", &bob.key).await.data();
    assert_eq!(list["items"].as_array().expect("a list").len(), 1);
    assert_eq!(list["items"][0]["id"], bob.tenant_id);
    assert_eq!(app.get(&foreign, &ann.key).await.data()["name"], "ann's Workspace");
}

#[tokio::test]
async fn a_created_tenant_is_not_its_creators() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let body = json!({
        "name": "t2", "id": 77, "api_key": "sk-mine", "status": "off", "storage_quota": 1, "storage_used": 5,
        "deleted_at": "2025-01-01T00:00:00Z",
    });
    let made = app.post("/api/v1/tenants", &ann.key, body).await;
    assert_eq!(made.status, 201);
    let made = made.data();
    assert_ne!(made["id"], 77);
    assert_eq!((&made["status"], &made["storage_used"], &made["deleted_at"]), (&json!("active"), &json!(0), &Value::Null));
    assert_eq!(made["storage_quota"], 10_737_418_240_i64);
    let path = format!("/api/v1/tenants/{}", made["id"]);
    assert_eq!(app.get(&path, &ann.key).await.status, 404);
    assert_eq!(app.get(&path, made["api_key"].as_str().expect("a key")).await.status, 200);
}

#[tokio::test]
async fn creation_can_be_the_operators() {
    let app = TestApp::with(LibrarySettings { tenant_creation_by_operator: true, ..LibrarySettings::default() }).await;
    let ann = app.tester("ann").await;
    let refused = app.post("/api/v1/tenants", &ann.key, json!({"name": "t2"})).await;
    assert_eq!(refused.failure().0, 403);
    assert_eq!(app.post("/api/v1/tenants", OPERATOR_KEY, json!({"name": "t2"})).await.status, 201);
    let all = app.get("/api/v1/tenants", OPERATOR_KEY).await.data();
    let all = all["items"].as_array().expect("a list");
    assert_eq!((all.len(), &all[0]["name"], &all[0]["api_key"]), (2, &json!("t2"), &json!("***")));
    let (status, code, ..) = app.get("/api/v1/models", OPERATOR_KEY).await.failure();
    assert_eq!((status, code), (403, 1002), "the operator is no tenant");
}

#[tokio::test]
async fn a_tenants_key_changes_only_when_asked() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let path = format!("/api/v1/tenants/{}", ann.tenant_id);
    let named = app.put(&path, &ann.key, json!({"description": "d", "storage_quota": 1, "status": "off"})).await.data();
    assert_eq!((&named["description"], &named["name"], &named["status"]), (&json!("d"), &json!("ann's Workspace"), &json!("active")));
    assert_eq!((&named["api_key"], &named["storage_quota"]), (&json!(ann.key), &json!(10_737_418_240_i64)));
    let whole = app.put(&path, &ann.key, named.clone()).await.data();
    assert_eq!(whole["api_key"], named["api_key"]);
    assert_eq!(app.put(&path, &ann.key, json!({"api_key": "sk-chosen"})).await.failure().0, 400);
    let engines = app.put(&path, &ann.key, json!({"retriever_engines": {"engines": []}})).await.data();
    assert_eq!(engines["retriever_engines"], json!({"engines": []}));
    let rotated = app.put(&path, &ann.key, json!({"api_key": ""})).await.data();
    let fresh = rotated["api_key"].as_str().expect("a key");
    assert_ne!(fresh, ann.key);
    assert_eq!(app.get(&path, &ann.key).await.status, 401);
    assert_eq!(app.get(&path, fresh).await.status, 200);
}

#[tokio::test]
async fn a_deleted_tenant_is_out_at_once() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let answer = app.delete(&format!("/api/v1/tenants/{}", ann.tenant_id), &ann.key).await;
    assert_eq!(answer.json(), json!({"message": "Tenant deleted successfully", "success": true}));
    let by_key = app.get("/api/v1/models", &ann.key).await;
    assert_eq!((by_key.status, by_key.json()), (401, json!({"error": "Unauthorized: invalid API key"})));
    let by_token = app.bearer(axum::http::Method::GET, "/api/v1/models", &ann.token, json!({})).await;
    assert_eq!(by_token.status, 401);
    let login = app.open_post("/api/v1/auth/login", json!({"email": ann.email, "password": "secret12"})).await;
    assert_eq!((login.status, login.json().get("tenant")), (200, None));
    let token = login.json()["token"].as_str().expect("a token").to_owned();
    let by_token = app.bearer(axum::http::Method::GET, "/api/v1/models", &token, json!({})).await;
    assert_eq!(by_token.json(), json!({"error": "Unauthorized: invalid tenant"}));
}

#[tokio::test]
async fn models_of_others_do_not_exist() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let new = json!({"name": "m", "type": "Embedding", "source": "remote", "parameters": {"api_key": "secret"}});
    let model = app.post("/api/v1/models", &ann.key, new).await.data();
    let foreign = format!("/api/v1/models/{}", model["id"].as_str().expect("an id"));
    for path in [foreign.as_str(), "/api/v1/models/none", "/api/v1/models/%00%ff'--"] {
        for answer in [app.get(path, &bob.key).await, app.put(path, &bob.key, json!({"name": "x"})).await, app.delete(path, &bob.key).await]
        {
            assert_eq!(answer.failure(), (404, 1003, "Model not found".into(), Value::Null), "{path}");
        }
    }
    assert_eq!(app.get("/api/v1/models", &bob.key).await.data(), json!([]));
    assert_eq!(app.get(&foreign, &ann.key).await.data(), model);
}

#[tokio::test]
async fn built_in_models_are_read_only_and_keep_their_secrets() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let path = format!("/api/v1/models/{BUILTIN_MODEL}");
    let model = app.get(&path, &ann.key).await.data();
    assert_eq!((&model["tenant_id"], &model["parameters"]["api_key"]), (&json!(0), &json!("***")));
    assert_eq!(app.put(&path, &ann.key, json!({"name": "mine"})).await.failure().0, 403);
    assert_eq!(app.delete(&path, &ann.key).await.failure().0, 403);
    let all = app.get("/api/v1/models?builtin=true", &ann.key).await;
    assert!(all.text().contains(BUILTIN_MODEL) && !all.text().contains("hidden"));
    assert_eq!(app.get("/api/v1/models", &ann.key).await.data(), json!([]));
}

#[tokio::test]
async fn knowledge_bases_of_others_do_not_exist() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let kb = app.post("/api/v1/knowledge-bases", &ann.key, json!({"id": "chosen", "tenant_id": bob.tenant_id, "name": "kb"})).await.data();
    assert_ne!(kb["id"], "chosen");
    assert_eq!(kb["tenant_id"], ann.tenant_id);
    let foreign = format!("/api/v1/knowledge-bases/{}", kb["id"].as_str().expect("an id"));
    for path in [foreign.as_str(), "/api/v1/knowledge-bases/none"] {
        for answer in [app.get(path, &bob.key).await, app.put(path, &bob.key, json!({"name": "x"})).await, app.delete(path, &bob.key).await]
        {
            assert_eq!(answer.failure(), (404, 1003, "knowledge base not found".into(), Value::Null), "{path}");
        }
    }
    assert_eq!(app.get("/api/v1/knowledge-bases", &bob.key).await.data(), json!([]));
    assert_eq!(app.get(&foreign, &ann.key).await.data(), kb);
}
