//! What every request passes: request id, one log line, a net under panics.
//!
//! Not here: authentication (`auth`), cross-origin headers (`cors`), redirects (`route_table`).

use super::envelope;
use super::error::Reason;
use crate::limits::REQUEST_ID_CHARS_MAX;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use serde_json::json;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
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

/// Names the request and echoes the name.
pub(super) async fn request_id(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers().get(&X_REQUEST_ID));
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_bytes(id.0.as_bytes()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// One line for each request, when its answer begins; failures carry their reason here and nowhere else.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let reason = response.extensions().get::<Reason>().map(|reason| reason.0.as_str()).unwrap_or_default();
    let id = id.as_ref();
    if status >= 500 {
        tracing::error!(request_id = id, %method, path, status, elapsed_ms, reason, "request");
    } else if reason.is_empty() {
        tracing::info!(request_id = id, %method, path, status, elapsed_ms, "request");
    } else {
        tracing::info!(request_id = id, %method, path, status, elapsed_ms, reason, "request");
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
    fn unfit_ids_are_replaced() {
        assert_eq!(of(b"abc 1").as_ref(), "abc 1");
        assert_eq!(of("中".repeat(36).leak().as_bytes()).as_ref(), "中".repeat(36));
        for unfit in [b"".as_slice(), b"a\tb", b"\xff\xfe", "x".repeat(37).leak().as_bytes()] {
            let id = of(unfit);
            assert_eq!(uuid::Uuid::parse_str(&id).expect("a UUID").get_version_num(), 4, "{unfit:?}");
        }
    }
}
