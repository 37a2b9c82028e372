//! Cross-origin headers, as the contract's clients in browsers expect them.
//!
//! Not here: any check of origins; every origin is welcome, because credentials travel in headers that pages must know.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

const PREFLIGHT: [(HeaderName, &str); 5] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST,PUT,PATCH,DELETE,OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Origin,Content-Type,Accept,Authorization,X-Api-Key,X-Request-Id"),
    (header::ACCESS_CONTROL_MAX_AGE, "43200"),
];

const ANSWER: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Length,Access-Control-Allow-Origin"),
];

/// Answers preflights for any path and marks other answers to foreign pages.
pub(super) async fn cors(request: Request, next: Next) -> Response {
    if !is_foreign(request.headers()) {
        return next.run(request).await;
    }
    if request.method() == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        set(response.headers_mut(), &PREFLIGHT);
        return response;
    }
    let mut response = next.run(request).await;
    set(response.headers_mut(), &ANSWER);
    response
}

fn set(headers: &mut HeaderMap, values: &[(HeaderName, &'static str)]) {
    for (name, value) in values {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
}

/// An `Origin` that is not this server's own address.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).filter(|origin| !origin.is_empty()) else { return false };
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    let own = |scheme: &[u8]| origin.as_bytes().strip_prefix(scheme) == Some(host);
    !own(b"http://") && !own(b"https://")
}
