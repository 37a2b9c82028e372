//! Takes requests apart: JSON bodies, queries and path ids, with the contract's leniency and error texts.
//!
//! Not here: who asks (`auth`).

use super::error::{ApiError, ApiResult, Code};
use super::go_json::{self, Bind, BindError, Rules};
use crate::error::Error;
use crate::limits::{BODY_BYTES_MAX, BODY_WAIT, PAGE_SIZE_MAX};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::json;
use std::num::IntErrorKind;
use utoipa::IntoParams;

/// A JSON body before it is bound, whatever its content type says.
pub struct JsonBody(Bytes);

impl JsonBody {
    pub fn bind<T: Bind>(&self) -> Result<T, BindError> {
        go_json::from_slice(&self.0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> ApiResult<Self> {
        read_limited(request.into_body(), BODY_BYTES_MAX).await.map(Self)
    }
}

/// A JSON body bound at once; a bind error answers `E(400, 1000, <bind error>)`.
pub struct GoJson<T>(pub T);

impl<S: Send + Sync, T: Bind> FromRequest<S> for GoJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let body = JsonBody::from_request(request, state).await?;
        body.bind().map(Self).map_err(BindError::in_message)
    }
}

/// Reads a body that must not be longer than `bytes_max` nor take longer than [`BODY_WAIT`].
pub async fn read_limited(body: Body, bytes_max: usize) -> ApiResult<Bytes> {
    let read = tokio::time::timeout(BODY_WAIT, axum::body::to_bytes(body, bytes_max)).await;
    let read = read.map_err(|_| ApiError::new(Code::BadRequest, "The request body took too long"))?;
    read.map_err(|error| {
        let too_long = std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit exceeded"));
        if too_long { too_large(bytes_max as u64) } else { ApiError::new(Code::BadRequest, "unexpected EOF") }
    })
}

/// The answer to a body beyond its limit.
pub fn too_large(bytes_max: u64) -> ApiError {
    Error::TooLarge(format!("Request body too large: at most {bytes_max} bytes are accepted")).into()
}

/// What a `Content-Length` announces.
pub fn announced_length(headers: &axum::http::HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The query as pairs, in order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// As the contract's server reads it: a pair with a semicolon or a broken escape is no pair.
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.contains(';') && whole_escapes(pair));
        Self(pairs.flat_map(|pair| url::form_urlencoded::parse(pair.as_bytes())).map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeated name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// An integer; absent or empty is 0.
    pub fn integer(&self, name: &str) -> Result<i64, BindError> {
        match self.get(name) {
            None | Some("") => Ok(0),
            Some(text) => parse_integer(text),
        }
    }

    /// A number; absent or empty is `None`.
    pub fn float(&self, name: &str) -> Result<Option<f64>, BindError> {
        match self.get(name) {
            None | Some("") => Ok(None),
            Some(text) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                Ok(_) | Err(_) => Err(BindError::new(format!("strconv.ParseFloat: parsing {}: invalid syntax", quote(text)))),
            },
        }
    }

    pub fn pagination(&self) -> Result<Pagination, BindError> {
        Pagination { page: self.integer("page")?, page_size: self.integer("page_size")? }.checked()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.uri.query().map(Self::parse).unwrap_or_default())
    }
}

/// Decimal digits with at most one sign, as `strconv.ParseInt` reads them.
pub fn parse_integer(text: &str) -> Result<i64, BindError> {
    text.parse::<i64>().map_err(|error| {
        let too_far = matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        let reason = if too_far { "value out of range" } else { "invalid syntax" };
        BindError::new(format!("strconv.ParseInt: parsing {}: {reason}", quote(text)))
    })
}

fn quote(text: &str) -> String {
    json!(text).to_string()
}

/// Whether two digits follow each percent sign.
pub(super) fn whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// Which page a list shows; 0 or empty counts as absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Pagination {
    /// From 1.
    #[param(minimum = 0)]
    page: i64,
    /// 20 if absent.
    #[param(minimum = 0, maximum = 100)]
    page_size: i64,
}

impl Pagination {
    pub fn page(&self) -> i64 {
        if self.page == 0 { 1 } else { self.page }
    }

    pub fn page_size(&self) -> i64 {
        if self.page_size == 0 { 20 } else { self.page_size }
    }

    /// Rows before the page.
    pub fn offset(&self) -> i64 {
        (self.page() - 1).saturating_mul(self.page_size())
    }
}

impl Bind for Pagination {
    const NAME: &'static str = "Pagination";

    fn check(&self, rules: &mut Rules) {
        rules.rule("Page", "min", self.page >= 0);
        if self.page_size < 0 {
            rules.rule("PageSize", "min", false);
        } else {
            rules.rule("PageSize", "max", self.page_size <= PAGE_SIZE_MAX);
        }
    }
}

/// The parameters of a path, in order: `PathIds([id])`; decoded, and refused only if one in the middle of the path is empty.
pub struct PathIds<const N: usize>(pub [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for PathIds<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let fault = || Error::internal(anyhow::anyhow!("the route has not {N} parameters"));
        let params =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::new(Code::NotFound, "record not found"))?;
        let mut values = params.iter().map(|(_, value)| value.to_owned());
        let mut ids = [const { String::new() }; N];
        for id in &mut ids {
            *id = values.next().ok_or_else(fault)?;
        }
        if let Some(text) = refusal(parts.uri.path()).filter(|_| ids.iter().any(String::is_empty)) {
            return Err(ApiError::new(Code::BadRequest, text));
        }
        Ok(Self(ids))
    }
}

/// The contract's words for an id that is empty; elsewhere such an id is one that does not exist.
fn refusal(path: &str) -> Option<&'static str> {
    match path.trim_start_matches("/api/v1/").split('/').next()? {
        "knowledge-bases" => Some("Knowledge base ID cannot be empty"),
        "knowledge" | "chunks" => Some("Knowledge ID cannot be empty"),
        "sessions" => Some("invalid session id"),
        _ => None,
    }
}

/// What unmatched paths and methods answer to somebody who is known.
pub(super) fn page_not_found() -> axum::response::Response {
    let mut response = axum::response::Response::new(Body::from("404 page not found"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<(i64, i64, i64), String> {
        Query::parse(query).pagination().map(|page| (page.page(), page.page_size(), page.offset())).map_err(BindError::into_text)
    }

    #[test]
    fn pages_have_defaults_and_bounds() {
        assert_eq!(page(""), Ok((1, 20, 0)));
        assert_eq!(page("page=0&page_size="), Ok((1, 20, 0)));
        assert_eq!(page("page=3&page_size=100"), Ok((3, 100, 200)));
        for (query, text) in [
            ("page=x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            ("page=1.0", "strconv.ParseInt: parsing \"1.0\": invalid syntax"),
            ("page=99999999999999999999", "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"),
            ("page=-1", "Key: 'Pagination.Page' Error:Field validation for 'Page' failed on the 'min' tag"),
            ("page_size=101", "Key: 'Pagination.PageSize' Error:Field validation for 'PageSize' failed on the 'max' tag"),
            ("page_size=-1", "Key: 'Pagination.PageSize' Error:Field validation for 'PageSize' failed on the 'min' tag"),
        ] {
            assert_eq!(page(query), Err(text.to_owned()), "{query}");
        }
        assert_eq!(page("page=9223372036854775807&page_size=100").map(|page| page.2), Ok(i64::MAX));
    }

    #[test]
    fn repeated_names_are_all_found() {
        let query = Query::parse("ids=a&ids=b%20c&x=1&ids=&");
        assert_eq!(query.all("ids"), ["a", "b c", ""]);
        assert_eq!(query.get("x"), Some("1"));
        assert_eq!(query.get("y"), None);
        assert_eq!(Query::parse("ids=%zz&page=1;x=2&%&ids=%41").0, [("ids".to_owned(), "A".to_owned())]);
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_413() {
        let error = read_limited(Body::from(vec![b'x'; 11]), 10).await.expect_err("too long");
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(read_limited(Body::from(vec![b'x'; 10]), 10).await.expect("fits").len(), 10);
    }
}
