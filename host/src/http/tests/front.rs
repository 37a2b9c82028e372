//! What all requests meet before a handler: redirects, unknown paths, cross-origin headers, request ids, the gate.

use super::TestApp;
use crate::http::{middleware, routes_listed};
use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::routing::get;
use tower::ServiceExt;

#[tokio::test]
async fn health_answers_without_credentials() {
    let app = TestApp::new().await;
    let answer = app.call(Method::GET, "/health", &[], "").await;
    assert_eq!((answer.status, answer.text()), (200, r#"{"status":"ok"}"#));
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
}

#[tokio::test]
async fn a_trailing_slash_redirects_before_everything_else() {
    let app = TestApp::new().await;
    let get = app.call(Method::GET, "/api/v1/models/?a=1&b=%2F", &[("origin", "https://other.example")], "").await;
    assert_eq!((get.status, get.header("location")), (301, "/api/v1/models?a=1&b=%2F"));
    assert_eq!(get.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(get.text(), "<a href=\"/api/v1/models?a=1&amp;b=%2F\">Moved Permanently</a>.\n\n");
    assert!(get.headers.get("x-request-id").is_none() && get.headers.get("access-control-allow-origin").is_none());
    let put = app.call(Method::PUT, "/api/v1/models/x/", &[("x-forwarded-prefix", "/kb")], "{}").await;
    assert_eq!((put.status, put.header("location"), put.text()), (307, "/kb/api/v1/models/x", ""));
    let delete = app.call(Method::DELETE, "/api/v1/models/", &[], "").await;
    assert_eq!(delete.status, 401, "no DELETE route differs by a slash only");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_401_then_404() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::GET, "/"),
        (Method::PATCH, "/api/v1/models"),
        (Method::POST, "/health"),
        (Method::HEAD, "/health"),
        (Method::HEAD, "/api/v1/models"),
        (Method::GET, "/api/v1/MODELS"),
        (Method::GET, "/api/v1//models"),
        (Method::GET, "/api/v1/models/a%2Fb"),
        (Method::DELETE, "/api/v1/auth/me"),
    ] {
        let stranger = app.call(method.clone(), path, &[], "").await;
        assert_eq!(stranger.status, 401, "{method} {path}");
        let known = app.call(method.clone(), path, &[("x-api-key", &ann.key)], "").await;
        let body = if method == Method::HEAD { "" } else { "404 page not found" };
        assert_eq!((known.status, known.text()), (404, body), "{method} {path}");
        assert_eq!(known.header("content-type"), "text/plain");
        assert!(!known.header("x-request-id").is_empty());
    }
    let options = app.call(Method::OPTIONS, "/api/v1/models", &[], "").await;
    assert_eq!((options.status, options.text()), (404, "404 page not found"));
}

#[tokio::test]
async fn foreign_pages_get_cross_origin_headers_and_own_ones_none() {
    let app = TestApp::new().await;
    let foreign = [("origin", "https://other.example")];
    let preflight = app.call(Method::OPTIONS, "/anything/at/all", &foreign, "").await;
    assert_eq!((preflight.status, preflight.text()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET,POST,PUT,PATCH,DELETE,OPTIONS"),
        ("access-control-allow-headers", "Origin,Content-Type,Accept,Authorization,X-Api-Key,X-Request-Id"),
        ("access-control-max-age", "43200"),
        ("x-request-id", ""),
    ] {
        assert_eq!(preflight.header(name), value, "{name}");
    }
    let refused = app.call(Method::GET, "/api/v1/models", &foreign, "").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, "*"));
    assert_eq!(refused.header("access-control-expose-headers"), "Content-Length,Access-Control-Allow-Origin");
    for own in ["http://kb.example", "https://kb.example"] {
        let answer = app.call(Method::GET, "/health", &[("origin", own)], "").await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{own}");
    }
}

#[tokio::test]
async fn the_request_id_is_echoed_or_replaced() {
    let app = TestApp::new().await;
    let kept = app.call(Method::GET, "/health", &[("x-request-id", "my id")], "").await;
    assert_eq!(kept.header("x-request-id"), "my id");
    let long = "x".repeat(37);
    let replaced = app.call(Method::GET, "/health", &[("x-request-id", &long)], "").await;
    assert_eq!(replaced.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn every_bad_credential_has_its_own_text() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let stale = {
        let fresh = app.put(&format!("/api/v1/tenants/{}", ann.tenant_id), &ann.key, serde_json::json!({"api_key": ""})).await.data();
        assert_ne!(fresh["api_key"], ann.key.as_str());
        ann.key.clone()
    };
    let bearer = format!("Bearer {}", ann.token);
    let refresh = format!("Bearer {}", ann.refresh);
    let lower = format!("bearer {}", ann.token);
    for (headers, text) in [
        (vec![], "missing authentication"),
        (vec![("authorization", "Bearer nonsense")], "missing authentication"),
        (vec![("authorization", refresh.as_str())], "missing authentication"),
        (vec![("authorization", lower.as_str())], "missing authentication"),
        (vec![("x-api-key", "")], "missing authentication"),
        (vec![("x-api-key", "sk-nope")], "invalid API key format"),
        (vec![("x-api-key", stale.as_str())], "invalid API key"),
        (vec![("authorization", "Bearer nonsense"), ("x-api-key", stale.as_str())], "invalid API key"),
    ] {
        let answer = app.call(Method::GET, "/api/v1/models", &headers, "").await;
        let wanted = format!(r#"{{"error":"Unauthorized: {text}"}}"#);
        assert_eq!((answer.status, answer.text()), (401, wanted.as_str()), "{headers:?}");
    }
    let both = [("authorization", bearer.as_str()), ("x-api-key", "sk-nope")];
    assert_eq!(app.call(Method::GET, "/api/v1/models", &both, "").await.status, 200, "a good token wins over a bad key");
}

#[tokio::test]
async fn every_route_but_the_open_ones_is_behind_the_gate() {
    let app = TestApp::new().await;
    let open = ["/health", "/docs", "/api/v1/openapi.json", "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh"];
    for (method, pattern) in routes_listed() {
        let path = pattern.replace(['{', '}'], "");
        for headers in [&[][..], &[("authorization", "Bearer x.y.z")], &[("x-api-key", "sk-AAECAwQFBgcICQoL")]] {
            let answer = app.call(method.clone(), &path, headers, "{}").await;
            let text = answer.text();
            let refused = answer.status == 401 && text.starts_with("{\"error\":\"Unauthorized: ");
            assert_eq!(refused, !open.contains(&pattern), "{method} {pattern} {headers:?}: {text}");
        }
    }
}

#[tokio::test]
async fn a_panic_ends_its_own_request_only() {
    async fn broken() {
        panic!("the secret reason");
    }
    let router = Router::new().route("/", get(broken)).layer(from_fn(middleware::catch_panic));
    let request = axum::http::Request::builder().uri("/").body(axum::body::Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 500);
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
    let text = std::str::from_utf8(&body).expect("UTF-8");
    assert!(text.starts_with("{\"error\":\"Internal Server Error\"") && !text.contains("secret"), "{text}");
}
