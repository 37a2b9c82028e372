//! Malformed bodies on every route that takes one: a 400 with the contract's code and text, never a 500.

use super::TestApp;
use super::support::Tester;
use crate::limits::BODY_BYTES_MAX;
use axum::http::Method;
use serde_json::{Value, json};

struct Route {
    method: Method,
    path: String,
    code: i64,
    /// `None`: the bind error stands in `message`.
    message: Option<&'static str>,
}

async fn routes(app: &TestApp, ann: &Tester) -> Vec<Route> {
    let kb = app.post("/api/v1/knowledge-bases", &ann.key, json!({"name": "kb"})).await.data();
    let route = |method: Method, path: String, code: i64, message: Option<&'static str>| Route { method, path, code, message };
    let kb_path = format!("/api/v1/knowledge-bases/{}", kb["id"].as_str().expect("an id"));
    let tenant_path = format!("/api/v1/tenants/{}", ann.tenant_id);
    vec![
        route(Method::POST, "/api/v1/auth/register".into(), 1010, Some("Invalid registration parameters")),
        route(Method::POST, "/api/v1/auth/login".into(), 1010, Some("Invalid login parameters")),
        route(Method::POST, "/api/v1/auth/refresh".into(), 1010, Some("Invalid refresh token request")),
        route(Method::POST, "/api/v1/auth/change-password".into(), 1010, Some("Invalid password change request")),
        route(Method::POST, "/api/v1/tenants".into(), 1010, Some("Invalid request parameters")),
        route(Method::PUT, tenant_path, 1010, Some("Invalid request data")),
        route(Method::POST, "/api/v1/models".into(), 1000, None),
        route(Method::PUT, "/api/v1/models/none".into(), 1000, None),
        route(Method::POST, "/api/v1/knowledge-bases".into(), 1000, Some("Invalid request parameters")),
        route(Method::PUT, kb_path, 1000, Some("Invalid request parameters")),
    ]
}

#[tokio::test]
async fn malformed_json_is_told_with_its_place() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    for route in routes(&app, &ann).await {
        for (body, text) in [
            ("", "EOF"),
            ("{", "unexpected EOF"),
            ("{x", "invalid character 'x' looking for beginning of object key string"),
            ("nonsense", "invalid character 'o' in literal null (expecting 'u')"),
            ("<xml/>", "invalid character '<' looking for beginning of value"),
            (r#"{"name":"a\u0000b"}"#, "invalid character '\\x00' in string"),
        ] {
            let answer =
                app.call(route.method.clone(), &route.path, &[("x-api-key", &ann.key), ("content-type", "text/plain")], body).await;
            let wanted = match route.message {
                Some(message) => (400, route.code, message.to_owned(), json!(text)),
                None => (400, route.code, text.to_owned(), Value::Null),
            };
            assert_eq!(answer.failure(), wanted, "{} {} with {body:?}", route.method, route.path);
        }
        for body in ["[]", "7", "\"text\"", r#"{"name":7,"email":7,"refreshToken":7,"old_password":7}"#] {
            let (status, code, message, details) =
                app.call(route.method.clone(), &route.path, &[("x-api-key", &ann.key)], body).await.failure();
            assert_eq!((status, code), (400, route.code), "{} {} with {body}", route.method, route.path);
            let text = details.as_str().map_or(message, str::to_owned);
            assert!(text.starts_with("json: cannot unmarshal "), "{text}");
        }
    }
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_413() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    for route in routes(&app, &ann).await {
        let answer = app.call(route.method.clone(), &route.path, &[("x-api-key", &ann.key)], huge.clone()).await;
        let (status, code, ..) = answer.failure();
        assert_eq!((status, code), (413, 1000), "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn texts_longer_than_their_column_are_400() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let long = "x".repeat(256);
    let model = json!({"name": long, "type": "Embedding", "source": "remote"});
    for (path, body, code, message, details) in [
        ("tenants", json!({"name": long}), 1010, "Failed to create tenant", json!("name is longer than 255 characters")),
        ("models", model, 1000, "name is longer than 255 characters", Value::Null),
        ("knowledge-bases", json!({"name": long}), 1000, "Invalid request parameters", json!("name is longer than 255 characters")),
        (
            "knowledge-bases",
            json!({"name": "a", "embedding_model_id": long}),
            1000,
            "Invalid request parameters",
            json!("model id is longer than 64 characters"),
        ),
    ] {
        let answer = app.post(&format!("/api/v1/{path}"), &ann.key, body).await;
        assert_eq!(answer.failure(), (400, code, message.to_owned(), details), "{path}");
    }
    let email = format!("{}@example.com", "x".repeat(250));
    let account = json!({"username": "bob", "email": email, "password": "secret12"});
    assert_eq!(app.open_post("/api/v1/auth/register", account).await.failure().0, 400);
}

#[tokio::test]
async fn rules_are_told_field_by_field() {
    let app = TestApp::new().await;
    let answer = app.open_post("/api/v1/auth/register", json!({"username": "ab", "email": "a@b", "password": "12345"})).await;
    let line =
        |field: &str, tag: &str| format!("Key: 'RegisterRequest.{field}' Error:Field validation for '{field}' failed on the '{tag}' tag");
    let details = [line("Username", "min"), line("Email", "email"), line("Password", "min")].join("\n");
    assert_eq!(answer.failure(), (400, 1010, "Invalid registration parameters".into(), json!(details)));
    let refresh = app.open_post("/api/v1/auth/refresh", json!({})).await;
    let details = "Key: 'RefreshToken' Error:Field validation for 'RefreshToken' failed on the 'required' tag";
    assert_eq!(refresh.failure().3, json!(details));
}

#[tokio::test]
async fn tenant_ids_are_numbers() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    for id in ["abc", "-1", "+1", "0x1", "1.0", "99999999999999999999999"] {
        let answer = app.get(&format!("/api/v1/tenants/{id}"), &ann.key).await;
        assert_eq!(answer.failure(), (400, 1000, "Invalid tenant ID".into(), Value::Null), "{id}");
    }
    let zero = app.get("/api/v1/tenants/0", &ann.key).await;
    assert_eq!(zero.failure(), (400, 1000, "Failed to retrieve tenant".into(), json!("tenant ID cannot be 0")));
    let nameless = app.post("/api/v1/tenants", &ann.key, json!({})).await;
    assert_eq!(nameless.failure(), (400, 1010, "Failed to create tenant".into(), json!("tenant name cannot be empty")));
}
