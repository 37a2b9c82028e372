//! What every request passes: request id, one log line, a net under panics.
//!
//! Not here: authentication (`auth`), cross-origin headers (`cors`), redirects (`route_table`).

use super::envelope;
use super::error::Reason;
use crate::domain::TenantId;
use crate::limits::{ID_CHARS_MAX, REQUEST_ID_CHARS_MAX};
use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the client's own if it is fit, else a fresh one.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    fn of(value: Option<&HeaderValue>) -> Self {
        let sent = value.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        let fit = |text: &&str| !text.is_empty() && text.chars().count() <= REQUEST_ID_CHARS_MAX && !text.chars().any(char::is_control);
        match sent.filter(fit) {
            Some(text) => Self(text.into()),
            None => Self(uuid::Uuid::new_v4().to_string().into()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(None)))
    }
}

/// Echoes the request's name, which `log` gave it.
pub(super) async fn request_id(mut request: Request, next: Next) -> Response {
    let known = request.extensions().get::<RequestId>().cloned();
    let id = known.unwrap_or_else(|| RequestId::of(request.headers().get(&X_REQUEST_ID)));
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        response = named(response, &id).await;
    }
    if let Ok(value) = HeaderValue::from_bytes(id.0.as_bytes()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// A fault of ours says under which name it stands in the log.
async fn named(response: Response, id: &RequestId) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, FAULT_BYTES_MAX).await else { return Response::from_parts(parts, Body::empty()) };
    let Ok(mut body) = serde_json::from_slice::<Value>(&bytes) else { return Response::from_parts(parts, Body::from(bytes)) };
    let place = if body["error"].is_object() { &mut body["error"] } else { &mut body };
    if let Some(fields) = place.as_object_mut() {
        fields.insert("request_id".into(), json!(id.0.as_ref()));
    }
    let mut response = envelope::json(parts.status, &body);
    *response.extensions_mut() = parts.extensions;
    response
}

/// Bodies of faults are short texts of ours.
const FAULT_BYTES_MAX: usize = 64 << 10;

/// What those further in learn about a request, for its log line.
#[derive(Clone, Default)]
pub(super) struct Facts(Arc<FactsInside>);

#[derive(Default)]
struct FactsInside {
    tenant_id: OnceLock<TenantId>,
    user_id: OnceLock<String>,
    route: OnceLock<&'static str>,
    knowledge_base_id: Arc<OnceLock<String>>,
    session_id: OnceLock<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Facts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl Facts {
    /// For handlers whose path does not say it; what the path said stays.
    pub(super) fn knowledge_base(&self, id: &str) {
        note(&self.0.knowledge_base_id, id);
    }

    pub(super) fn session(&self, id: &str) {
        note(&self.0.session_id, id);
    }

    /// To be filled by whoever finds it out.
    pub(super) fn knowledge_base_place(&self) -> Arc<OnceLock<String>> {
        Arc::clone(&self.0.knowledge_base_id)
    }

    pub(super) fn caller(&self, tenant_id: TenantId, user_id: Option<&str>) {
        let _ = self.0.tenant_id.set(tenant_id);
        if let Some(user_id) = user_id {
            let _ = self.0.user_id.set(user_id.to_owned());
        }
    }

    /// The pattern that the path fits, and what its parameters name.
    pub(super) fn route(&self, pattern: &'static str, path: &str) {
        let _ = self.0.route.set(pattern);
        let mut before = "";
        for (wanted, given) in pattern.split('/').zip(path.split('/')) {
            if wanted.starts_with('{') {
                match before {
                    "knowledge-bases" | "config" | "initialize" => self.knowledge_base(given),
                    "sessions" | "continue-stream" | "knowledge-chat" | "messages" => self.session(given),
                    _ => {}
                }
            }
            before = wanted;
        }
    }
}

/// What was said first stays; clients may send any text as an id, and nothing.
fn note(place: &OnceLock<String>, id: &str) {
    if !id.is_empty() {
        let _ = place.set(id.chars().take(ID_CHARS_MAX).collect());
    }
}

/// Names each request and writes one line for it when its answer begins, redirects and preflights included; failures carry their
/// reason here and nowhere else.
pub(super) async fn log(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers().get(&X_REQUEST_ID));
    request.extensions_mut().insert(id.clone());
    let id = id.0;
    let facts = Facts::default();
    request.extensions_mut().insert(facts.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let reason = response.extensions().get::<Reason>().map(|reason| reason.0.as_str()).filter(|reason| !reason.is_empty());
    let (request_id, facts) = (id.as_ref(), &facts.0);
    let tenant_id = facts.tenant_id.get().map(|id| id.0);
    let user_id = facts.user_id.get().map(String::as_str);
    let knowledge_base_id = facts.knowledge_base_id.get().map(String::as_str);
    let session_id = facts.session_id.get().map(String::as_str);
    let route = facts.route.get().copied();
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id, %method, path, route, status, duration_ms, tenant_id, user_id, knowledge_base_id, session_id, reason, "request"
            )
        };
    }
    if status >= 500 {
        line!(error)
    } else {
        line!(info)
    }
    response
}

/// A panic below ends its own request only.
pub(super) async fn catch_panic(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".into());
            let body = json!({"error": "Internal Server Error", "message": "an unexpected error ended this request"});
            let mut response = envelope::json(StatusCode::INTERNAL_SERVER_ERROR, &body);
            response.extensions_mut().insert(Reason(format!("panic: {text}")));
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static [u8]) -> Arc<str> {
        RequestId::of(HeaderValue::from_bytes(text).ok().as_ref()).0
    }

    #[test]
    fn a_path_names_what_it_is_about() {
        let facts = Facts::default();
        facts.route("/api/v1/knowledge-bases/{id}/knowledge/url", "/api/v1/knowledge-bases/kb-1/knowledge/url");
        facts.route("/api/v1/messages/{session_id}/{id}", "/api/v1/messages/s-1/m-1");
        assert_eq!(facts.0.knowledge_base_id.get().map(String::as_str), Some("kb-1"));
        assert_eq!(facts.0.session_id.get().map(String::as_str), Some("s-1"));
        assert_eq!(facts.0.route.get().copied(), Some("/api/v1/knowledge-bases/{id}/knowledge/url"));
    }

    #[test]
    fn what_a_body_names_is_cut_short_and_does_not_replace_what_the_path_named() {
        let facts = Facts::default();
        facts.knowledge_base("");
        assert_eq!(facts.0.knowledge_base_id.get(), None);
        facts.knowledge_base(&"中".repeat(10_000));
        assert_eq!(facts.0.knowledge_base_id.get().map(|id| id.chars().count()), Some(ID_CHARS_MAX));
        facts.route("/api/v1/sessions/{id}", "/api/v1/sessions/s-1");
        facts.session("s-2");
        assert_eq!(facts.0.session_id.get().map(String::as_str), Some("s-1"));
    }

    #[tokio::test]
    async fn a_fault_of_ours_names_its_line_in_the_log() {
        let body = json!({"error": {"code": 1007, "message": "Internal server error"}, "success": false});
        let response = named(envelope::json(StatusCode::INTERNAL_SERVER_ERROR, &body), &RequestId("r-1".into())).await;
        let bytes = axum::body::to_bytes(response.into_body(), 1000).await.expect("a body");
        let body: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(body["error"]["request_id"], "r-1");
    }

    #[test]
    fn unfit_ids_are_replaced() {
        assert_eq!(of(b"abc 1").as_ref(), "abc 1");
        assert_eq!(of("中".repeat(36).leak().as_bytes()).as_ref(), "中".repeat(36));
        for unfit in [b"".as_slice(), b"a\tb", b"\xff\xfe", "x".repeat(37).leak().as_bytes()] {
            let id = of(unfit);
            assert_eq!(uuid::Uuid::parse_str(&id).expect("a UUID").get_version_num(), 4, "{unfit:?}");
        }
    }
}
