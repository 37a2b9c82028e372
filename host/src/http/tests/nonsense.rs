//! Nonsense on every route of the table: bodies, queries and ids that nobody means; each is refused or taken, none is our fault.
//!
//! Not here: which text a mistake gets (`bad_input`).

use super::TestApp;
use super::support::Answer;
use crate::http::routes_listed;
use crate::limits::BODY_BYTES_MAX;
use axum::body::Body;
use axum::http::{Method, Request};
use proptest::prelude::{Just, any, prop_oneof};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Names that some route knows, and some that none does.
static NAMES: [&str; 22] = [
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
        // What ends the tests' own tenant, and what costs a bcrypt each, is not asked so often.
        let asks_others = pattern.starts_with("/api/v1/initialization/");
        let is_dear = asks_others || pattern.starts_with("/api/v1/auth/");
        let cases = if is_dear { cases.min(8) } else { cases };
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

#[tokio::test]
async fn twenty_megabytes_are_refused_everywhere() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let kb = super::knowledge::a_kb(&app, &ann).await;
    let body = axum::body::Bytes::from(format!("{{\"name\":\"{}\"}}", "x".repeat(20_000_000.max(BODY_BYTES_MAX + 1))));
    for (method, pattern) in routes_listed() {
        if method == Method::GET || method == Method::DELETE {
            continue;
        }
        let path: Vec<&str> = pattern.split('/').map(|segment| if segment.starts_with('{') { kb.as_str() } else { segment }).collect();
        let answer = send(&app, &method, &path.join("/"), &ann.key, body.clone()).await;
        let reads_no_body = pattern.ends_with("/auth/logout") || pattern.starts_with("/api/v1/initialization/");
        assert!((400..500).contains(&answer.status) || reads_no_body, "{method} {pattern}: {} {}", answer.status, answer.text());
    }
    assert_eq!(app.get("/api/v1/models", &ann.key).await.status, 200);
}
