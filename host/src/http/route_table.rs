//! Routes by method, as the contract's server keeps them: one tree for each method, static segments before parameters, redirects over a slash.
//!
//! Not here: which routes exist (`router`).

use super::extract::page_not_found;
use super::middleware::Facts;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::any;
use std::fmt::Write as _;
use std::sync::Arc;
use tower::ServiceExt;

/// Collects routes; a wrong method is an unknown path here, never 405, and HEAD has no tree.
pub(super) struct RouteTable<S> {
    get: Router<S>,
    post: Router<S>,
    put: Router<S>,
    delete: Router<S>,
    listed: Vec<(Method, &'static str)>,
}

macro_rules! adders {
    ($($name:ident $method:ident),+) => {
        $(pub(super) fn $name<H, T>(mut self, path: &'static str, handler: H) -> Self
        where
            H: Handler<T, S>,
            T: 'static,
        {
            self.$name = self.$name.route(path, any(handler));
            self.listed.push((Method::$method, path));
            self
        })+
    };
}

impl<S: Clone + Send + Sync + 'static> RouteTable<S> {
    pub(super) fn new() -> Self {
        Self { get: Router::new(), post: Router::new(), put: Router::new(), delete: Router::new(), listed: Vec::new() }
    }

    adders!(get GET, post POST, put PUT, delete DELETE);

    /// Every route as method and pattern.
    pub(super) fn listed(&self) -> &[(Method, &'static str)] {
        &self.listed
    }

    pub(super) fn with_state(self, state: &S) -> Dispatch {
        let tree = |routes: Router<S>| routes.fallback(|| async { page_not_found() }).with_state(state.clone());
        Dispatch { get: tree(self.get), post: tree(self.post), put: tree(self.put), delete: tree(self.delete), listed: self.listed.into() }
    }
}

/// The finished trees.
#[derive(Clone)]
pub(super) struct Dispatch {
    get: Router,
    post: Router,
    put: Router,
    delete: Router,
    listed: Arc<[(Method, &'static str)]>,
}

impl Dispatch {
    pub(super) async fn run(&self, request: Request) -> Response {
        let method = request.method();
        let found = self.listed.iter().filter(|(listed, pattern)| listed == method && matches(pattern, request.uri().path()));
        // Static segments win over parameters.
        if let (Some((_, pattern)), Some(facts)) =
            (found.min_by_key(|(_, pattern)| pattern.matches('{').count()), request.extensions().get::<Facts>())
        {
            facts.route(pattern, request.uri().path());
        }
        let tree = match *request.method() {
            Method::GET => &self.get,
            Method::POST => &self.post,
            Method::PUT => &self.put,
            Method::DELETE => &self.delete,
            _ => return page_not_found(),
        };
        match tree.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn has(&self, method: &Method, path: &str) -> bool {
        self.listed.iter().any(|(listed, pattern)| listed == method && matches(pattern, path))
    }

    /// The redirect for a path that differs from a route of the same method by a trailing slash only.
    pub(super) fn slash_redirect(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
        let path = uri.path();
        if path == "/" || self.has(method, path) {
            return None;
        }
        let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        if !self.has(method, &other) {
            return None;
        }
        let mut location = safe_prefix(headers);
        location.push_str(&other);
        if let Some(query) = uri.query() {
            // Writing to a String can not fail.
            let _ = write!(location, "?{query}");
        }
        Some(redirect(method, &location))
    }
}

/// The answer to a path that can not be decoded.
pub(super) fn bad_path() -> Response {
    let mut response = Response::new(Body::from("400 Bad Request"));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn redirect(method: &Method, location: &str) -> Response {
    let is_get = *method == Method::GET;
    let body = if is_get { Body::from(format!("<a href=\"{}\">Moved Permanently</a>.\n\n", escape(location))) } else { Body::empty() };
    let mut response = Response::new(body);
    *response.status_mut() = if is_get { StatusCode::MOVED_PERMANENTLY } else { StatusCode::TEMPORARY_REDIRECT };
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    if is_get {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;").replace('\'', "&#39;")
}

/// `X-Forwarded-Prefix`, reduced to what can not change the redirect's host.
fn safe_prefix(headers: &HeaderMap) -> String {
    let sent = headers.get("x-forwarded-prefix").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut prefix = String::new();
    for segment in sent.split('/') {
        let segment: String = segment.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-').collect();
        if !segment.is_empty() {
            prefix.push('/');
            prefix.push_str(&segment);
        }
    }
    prefix
}

/// Whether a path fits a pattern; a parameter takes one segment that is not empty.
fn matches(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(want), Some(give)) if want == give || (want.starts_with('{') && !give.is_empty()) => {}
            (Some(_), _) | (None, Some(_)) => return false,
        }
    }
}

/// The path as the contract's server sees it: decoded, so that `%2F` separates segments, then encoded again where it must be.
pub(super) fn normalise_path(uri: &Uri) -> Option<Uri> {
    if !uri.path().contains('%') {
        return None;
    }
    let decoded = percent_decode(uri.path());
    let text = String::from_utf8_lossy(&decoded);
    let mut path = String::with_capacity(uri.path().len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a String can not fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    path.parse().ok()
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_takes_one_segment() {
        assert!(matches("/a/{id}", "/a/b"));
        for path in ["/a/", "/a", "/a/b/c", "/b/b", "a/b"] {
            assert!(!matches("/a/{id}", path), "{path}");
        }
    }

    #[test]
    fn paths_are_decoded_before_they_are_matched() {
        let normal = |text: &str| normalise_path(&text.parse().expect("a path")).map(|uri| uri.to_string());
        assert_eq!(normal("/a/b?x=%2F"), None);
        assert_eq!(normal("/a%2Fb?x=%2F"), Some("/a/b?x=%2F".into()));
        assert_eq!(normal("/mod%65ls/%E4%B8%AD%3F%25"), Some("/models/%E4%B8%AD%3F%25".into()));
        assert_eq!(normal("/%ff"), Some("/%EF%BF%BD".into()));
    }

    #[test]
    fn a_prefix_can_not_leave_the_host() {
        let prefix = |text: &'static str| {
            safe_prefix(&HeaderMap::from_iter([("x-forwarded-prefix".parse().expect("a name"), HeaderValue::from_static(text))]))
        };
        assert_eq!(prefix("/kb/v1/"), "/kb/v1");
        assert_eq!(prefix("//evil.example/x"), "/evilexample/x");
        assert_eq!(prefix("../.."), "");
    }
}
