//! Nonsense on every route of the table: bodies, queries and ids that nobody means; each is refused or taken, none is our fault.
//!
//! Not here: which text a mistake gets (`bad_input`).

use super::TestApp;
use super::matrix::{TABLE, ids_of};
use super::matrix_rows::{Ids, rows};
use super::support::Answer;
use crate::http::routes_listed;
use crate::library::LibrarySettings;
use crate::library::initialization::InitializationSettings;
use crate::limits::BODY_BYTES_MAX;
use crate::provider::testing::PlayedModels;
use axum::body::Body;
use axum::http::{Method, Request};
use proptest::prelude::{Just, any, prop_oneof};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::sync::Mutex;

/// Names that some route knows, and some that none does.
static NAMES: [&str; 43] = [
    "name",
    "title",
    "description",
    "config",
    "chunking_config",
    "parameters",
    "query",
    "query_text",
    "knowledge_base_id",
    "source_id",
    "target_id",
    "url",
    "image_info",
    "content",
    "is_enabled",
    "messages",
    "session_strategy",
    "match_count",
    "email",
    "password",
    "source",
    "username",
    "refreshToken",
    "old_password",
    "new_password",
    "models",
    "modelName",
    "baseUrl",
    "apiKey",
    "llm",
    "embedding",
    "rerank",
    "multimodal",
    "documentSplitting",
    "nodeExtract",
    "dimension",
    "chunkSize",
    "tags",
    "text",
    "llmConfig",
    "dataset_id",
    "chat_id",
    "nobody knows",
];

fn a_value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!("\u{0}")),
        Just(json!("x".repeat(5_000))),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(&NAMES[..]), inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()),
        ]
    })
    .boxed()
}

fn an_object() -> BoxedStrategy<Vec<u8>> {
    proptest::collection::vec((proptest::sample::select(&NAMES[..]), a_value()), 0..6)
        .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>().to_string().into_bytes())
        .boxed()
}

fn a_body() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        4 => an_object(),
        2 => (an_object(), any::<proptest::sample::Index>()).prop_map(|(mut body, at)| {
            body.truncate(at.index(body.len()));
            body
        }),
        2 => proptest::collection::vec(any::<u8>(), 0..64),
        1 => a_value().prop_map(|value| value.to_string().into_bytes()),
        1 => (1..5_000_usize).prop_map(|depth| "[".repeat(depth).into_bytes()),
        1 => (1..5_000_usize).prop_map(|depth| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).into_bytes()),
        1 => proptest::sample::select(vec!["1e400", "-1e400", "999999999999999999999999", "0.1e-999", "1E+2", "-0"])
            .prop_map(|number| NAMES.map(|name| format!("\"{name}\":{number}")).join(",")).prop_map(|body| format!("{{{body}}}").into_bytes()),
        1 => Just(b"{\"name\":\"\xff\xfe\",\"query\":\"\xc3\"}".to_vec()),
    ]
    .boxed()
}

/// A segment of a path, percent-encoded; never one that ends the path.
fn an_id() -> BoxedStrategy<String> {
    let encode = |text: String| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    prop_oneof![
        "[^/\\x00]{1,40}".prop_map(encode),
        Just("%00".to_owned()),
        Just("%FF%FE".to_owned()),
        Just("a".repeat(3_000)),
        Just("18446744073709551615".to_owned()),
        Just("..".to_owned()),
        any::<u128>().prop_map(|number| uuid::Uuid::from_u128(number).to_string()),
    ]
    .boxed()
}

fn a_query() -> BoxedStrategy<String> {
    let number = prop_oneof![any::<i64>().prop_map(|number| number.to_string()), "[^&#\\x00-\\x20\\x7f-\u{10ffff}]{0,12}"];
    let name =
        proptest::sample::select(vec!["page", "page_size", "ids", "message_id", "limit", "before_time", "query", "match_count", "x"]);
    proptest::collection::vec((name, number), 0..4)
        .prop_map(|pairs| pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
        .boxed()
}

/// Without a look at the description: nonsense is not described.
async fn send(app: &TestApp, method: &Method, uri: &str, key: &str, body: impl Into<Body>) -> Answer {
    let request = Request::builder().method(method).uri(uri).header("host", "kb.example").header("x-api-key", key);
    app.send(request.body(body.into()).expect("a request")).await
}

#[tokio::test]
async fn no_route_fails_by_nonsense_and_the_server_still_serves() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = super::knowledge::a_kb(&app, &ann).await;
    let mut runner = TestRunner::new(Config::default());
    let cases = runner.config().cases;
    let mut wrong = Vec::new();
    for (method, pattern) in routes_listed() {
        let asks_others = pattern.starts_with("/api/v1/initialization/");
        for _ in 0..cases {
            let mut value = |strategy: BoxedStrategy<Vec<u8>>| strategy.new_tree(&mut runner).expect("a value").current();
            let body = value(a_body());
            let query = value(a_query().prop_map(String::into_bytes).boxed());
            let id = String::from_utf8(value(an_id().prop_map(String::into_bytes).boxed())).expect("ASCII");
            let path: Vec<&str> = pattern
                .split('/')
                .map(|segment| match segment {
                    "{id}" if pattern.starts_with("/api/v1/knowledge-bases/") && method != Method::DELETE && body.len() % 2 == 0 => {
                        kb.as_str()
                    }
                    _ if segment.starts_with('{') => id.as_str(),
                    _ => segment,
                })
                .collect();
            let uri = format!("{}?{}", path.join("/"), String::from_utf8_lossy(&query));
            if uri.parse::<axum::http::Uri>().is_err() {
                continue;
            }
            let answer = send(&app, &method, &uri, &ann.key, body.clone()).await;
            // A model server that does not answer is not our fault.
            if answer.status == 500 || (answer.status > 500 && !asks_others) {
                wrong.push(format!("{method} {uri} with {}: {}", String::from_utf8_lossy(&body), answer.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(app.get("/api/v1/models", &ann.key).await.status, 200);
    assert_eq!(app.get(&format!("/api/v1/knowledge-bases/{kb}"), &ann.key).await.status, 200);
}

/// Every route with a body, as the description names them: method and pattern, and whether it is a form.
fn routes_with_a_body() -> Vec<(String, bool)> {
    let document: Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).expect("the document");
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if let Some(kinds) = operation["requestBody"]["content"].as_object() {
                routes.push((format!("{} {path}", method.to_uppercase()), kinds.contains_key("multipart/form-data")));
            }
        }
    }
    assert!(routes.len() > 30, "{routes:?}");
    routes
}

/// A route with ids of the caller's own; the open ones have none.
fn own_path(route: &str, ids: &Ids) -> (Method, String) {
    let (method, pattern) = route.split_once(' ').expect("a method and a path");
    let row = rows(TABLE).into_iter().find(|row| row.route == route);
    let path = row.map_or_else(|| pattern.to_owned(), |row| row.request(ids).0);
    (method.parse().expect("a method"), path)
}

#[tokio::test]
async fn what_is_no_body_of_a_route_is_refused_and_the_server_still_serves() {
    let models = PlayedModels { installed: Mutex::new(Some(Vec::new())), ..PlayedModels::default() };
    let app = TestApp::build(LibrarySettings::default(), InitializationSettings::default(), models).await;
    app.work();
    let ann = app.tester("ann").await;
    let ids = ids_of(&app, &ann).await;
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(4_000), close.repeat(4_000)).into_bytes();
    let bodies: [(&str, Vec<u8>); 10] = [
        ("half an object", b"{\"name\":".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a number", b"7".to_vec()),
        ("a text", b"\"text\"".to_vec()),
        ("no JSON", b"nonsense".to_vec()),
        ("no UTF-8", b"\xff\xfe\x00".to_vec()),
        ("deep lists", nested("[", "]")),
        ("deep objects", nested("{\"a\":", "}")),
        ("a huge number", b"{\"a\":1e999".to_vec()),
        ("20 MB", format!("{{\"name\":\"{}\"}}", "x".repeat(20_000_000)).into_bytes()),
    ];
    let mut wrong = Vec::new();
    for (route, is_form) in routes_with_a_body() {
        let (method, path) = own_path(&route, &ids);
        let credentials = if path == "/api/v1/auth/change-password" {
            ("authorization", format!("Bearer {}", ann.token))
        } else if path.contains("/plugins/") {
            ("x-api-key", super::support::OPERATOR_KEY.to_owned())
        } else {
            ("x-api-key", ann.key.clone())
        };
        for (what, body) in &bodies {
            let request = Request::builder().method(&method).uri(&path).header("host", "kb.example").header(credentials.0, &credentials.1);
            let answer = app.send(request.body(Body::from(body.clone())).expect("a request")).await;
            let wanted = if body.len() > BODY_BYTES_MAX && !is_form { 413 } else { 400 };
            if answer.status != wanted && !(route.starts_with("POST /api/v1/plugins/") && answer.status == 404) {
                wrong.push(format!("{route} with {what}: {} {}", answer.status, answer.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(app.get("/api/v1/models", &ann.key).await.status, 200);
    assert_eq!(app.get(&format!("/api/v1/knowledge-bases/{}", ids["kb"]), &ann.key).await.status, 200);
}
