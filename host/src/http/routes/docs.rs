//! The description of the API and a page to read it, for everybody; both work without any other server.
//!
//! Not here: the description itself (`http::openapi`).

use crate::http::openapi;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

const PAGE: &str = include_str!("../docs/page.html");
const STYLE: &str = include_str!("../docs/page.css");
const SCRIPT: &str = include_str!("../docs/page.js");

#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "system",
    summary = "This description",
    responses(
        (status = 200, description = "OpenAPI 3.1.", body = Object),
        (status = 304, description = "The same as If-None-Match names."),
    )
)]
pub(in crate::http) async fn openapi(headers: HeaderMap) -> Response {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| File::new("application/json; charset=utf-8", openapi::text().to_owned())).answer(&headers)
}

#[utoipa::path(
    get,
    path = "/docs",
    tag = "system",
    summary = "This description as a page",
    responses(
        (status = 200, description = "HTML.", body = String, content_type = "text/html"),
        (status = 304, description = "The same as If-None-Match names."),
    )
)]
pub(in crate::http) async fn page(headers: HeaderMap) -> Response {
    static FILE: OnceLock<File> = OnceLock::new();
    let page = || PAGE.replace("/*style*/", STYLE).replace("/*script*/", SCRIPT);
    let mut response = FILE.get_or_init(|| File::new("text/html; charset=utf-8", page())).answer(&headers);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// A text that stays the same as long as the server runs.
struct File {
    content_type: &'static str,
    text: String,
    etag: String,
}

impl File {
    fn new(content_type: &'static str, text: String) -> Self {
        let digest = hex::encode(Sha256::digest(&text));
        Self { content_type, text, etag: format!("\"{}\"", &digest[..16]) }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|sent| sent.to_str().ok()).is_some_and(|sent| self.is_named_in(sent));
        let mut response = Response::new(if known { Body::empty() } else { Body::from(self.text.clone()) });
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        // A browser asks again each time, and gets the text again only after an update.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, etag);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    /// `If-None-Match`: a list of tags, weak ones included, or a star.
    fn is_named_in(&self, sent: &str) -> bool {
        sent.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == "*" || tag == self.etag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_not_sent_again() {
        let file = File::new("text/plain", "text".into());
        for known in [file.etag.clone(), format!("\"x\", W/{}", file.etag), "*".into()] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&known).expect("a header"))]);
            assert_eq!(file.answer(&headers).status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\""))]);
        assert_eq!(file.answer(&headers).status(), StatusCode::OK);
        assert_eq!(file.answer(&HeaderMap::new()).headers()[header::ETAG], file.etag.as_str());
    }
}
