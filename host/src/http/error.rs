//! The only table from a failure to status, contract code and envelope.
//!
//! Not here: what failed (`crate::error`) and where it is logged (`middleware`, with the request id).

use super::envelope;
use super::go_json::BindError;
use crate::error::Error;
use crate::provider::{ProviderError, ProviderErrorKind};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The contract's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    BadRequest = 1000,
    Unauthorized = 1001,
    Forbidden = 1002,
    NotFound = 1003,
    Conflict = 1005,
    TooManyRequests = 1006,
    Internal = 1007,
    Unavailable = 1008,
    Timeout = 1009,
    Validation = 1010,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::Validation => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// A failure on its way to the client.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: Value,
    retry_after_s: Option<u64>,
    /// For the log only.
    reason: String,
}

pub type ApiResult<T = Response> = Result<T, ApiError>;

/// What the request log adds to its line; travels as an extension of the response.
#[derive(Clone, Debug)]
pub(super) struct Reason(pub(super) String);

impl ApiError {
    /// `details` is `null`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::build(code.status(), code, message.into(), Value::Null)
    }

    pub fn with_details(code: Code, message: impl Into<String>, details: impl Into<String>) -> Self {
        Self::build(code.status(), code, message.into(), Value::String(details.into()))
    }

    /// A body that is not the envelope: login failures, authentication, duplicates.
    pub fn raw(status: StatusCode, body: Value) -> Self {
        let reason = body.to_string();
        Self { status, body, retry_after_s: None, reason }
    }

    /// Keeps status and code of `error`, but says `message`, with the error's own text as details.
    pub fn under(message: &str, error: Error) -> Self {
        match &error {
            Error::Internal(_) | Error::Provider(_) | Error::RateLimited { .. } => Self::from(error),
            Error::BadRequest(_)
            | Error::Validation { .. }
            | Error::Unauthorized(_)
            | Error::Forbidden(_)
            | Error::NotFound { .. }
            | Error::Conflict(_)
            | Error::TooLarge(_)
            | Error::UnsupportedType { .. }
            | Error::Timeout(_)
            | Error::Unavailable { .. } => {
                let details = error.to_string();
                let (status, code) = place(&error);
                Self::build(status, code, message.to_owned(), Value::String(details))
            }
        }
    }

    /// A broken rule as the routes tell it whose input errors have code 1000: in `message`, or under a fixed one.
    pub fn input(error: Error, fixed: Option<&str>) -> Self {
        let Error::Validation { message: text, .. } = error else { return error.into() };
        match fixed {
            Some(message) => Self::with_details(Code::BadRequest, message, text),
            None => Self::new(Code::BadRequest, text),
        }
    }

    fn build(status: StatusCode, code: Code, message: String, details: Value) -> Self {
        let reason = details.as_str().map_or_else(|| message.clone(), |details| format!("{message}: {details}"));
        let body = json!({"error": {"code": code as u16, "details": details, "message": message}, "success": false});
        Self { status, body, retry_after_s: None, reason }
    }

    /// A fault of ours: the text is logged, the client gets a general sentence.
    fn internal(reason: String) -> Self {
        let body = json!({"error": {"code": Code::Internal as u16, "message": "Internal server error"}, "success": false});
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body, retry_after_s: None, reason }
    }

    fn retry_after(mut self, retry_after_ms: Option<u64>) -> Self {
        self.retry_after_s = Some(retry_after_ms.map_or(1, |milliseconds| milliseconds.div_ceil(1000).max(1)));
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// The table.
fn place(error: &Error) -> (StatusCode, Code) {
    match error {
        Error::BadRequest(_) => (StatusCode::BAD_REQUEST, Code::BadRequest),
        Error::Validation { .. } => (StatusCode::BAD_REQUEST, Code::Validation),
        Error::Unauthorized(_) => (StatusCode::UNAUTHORIZED, Code::Unauthorized),
        Error::Forbidden(_) => (StatusCode::FORBIDDEN, Code::Forbidden),
        Error::NotFound { .. } => (StatusCode::NOT_FOUND, Code::NotFound),
        Error::Conflict(_) => (StatusCode::CONFLICT, Code::Conflict),
        Error::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, Code::BadRequest),
        Error::UnsupportedType { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadRequest),
        Error::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests),
        Error::Timeout(_) => (StatusCode::GATEWAY_TIMEOUT, Code::Timeout),
        Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        Error::Provider(error) => place_provider(error),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
    }
}

fn place_provider(error: &ProviderError) -> (StatusCode, Code) {
    match error.kind {
        ProviderErrorKind::Invalid | ProviderErrorKind::TooLong | ProviderErrorKind::Unsupported => {
            (StatusCode::BAD_REQUEST, Code::BadRequest)
        }
        ProviderErrorKind::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests),
        ProviderErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, Code::Timeout),
        ProviderErrorKind::Unauthorised
        | ProviderErrorKind::Denied
        | ProviderErrorKind::NotFound
        | ProviderErrorKind::Upstream
        | ProviderErrorKind::PluginFault
        | ProviderErrorKind::Cancelled => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let (status, code) = place(&error);
        match error {
            Error::Internal(fault) => Self::internal(format!("{fault:#}")),
            Error::Validation { message, details } => Self::build(status, code, message, details.map_or(Value::Null, Value::String)),
            Error::UnsupportedType { message, details } => Self::build(status, code, message, Value::String(details)),
            Error::RateLimited { message, retry_after_ms } => Self::build(status, code, message, Value::Null).retry_after(retry_after_ms),
            Error::Provider(error) => {
                let answer = Self::build(status, code, error.to_string(), Value::Null);
                match error.kind {
                    ProviderErrorKind::RateLimited { retry_after_ms } => answer.retry_after(retry_after_ms.map(u64::from)),
                    ProviderErrorKind::Invalid
                    | ProviderErrorKind::Unauthorised
                    | ProviderErrorKind::Denied
                    | ProviderErrorKind::NotFound
                    | ProviderErrorKind::TooLong
                    | ProviderErrorKind::Upstream
                    | ProviderErrorKind::Unsupported
                    | ProviderErrorKind::PluginFault
                    | ProviderErrorKind::Timeout
                    | ProviderErrorKind::Cancelled => answer,
                }
            }
            Error::BadRequest(message)
            | Error::Unauthorized(message)
            | Error::Forbidden(message)
            | Error::NotFound { what: message }
            | Error::Conflict(message)
            | Error::TooLarge(message)
            | Error::Timeout(message)
            | Error::Unavailable { reason: message } => Self::build(status, code, message, Value::Null),
        }
    }
}

impl BindError {
    /// `E(400, 1000, <bind error>)`.
    pub fn in_message(self) -> ApiError {
        ApiError::new(Code::BadRequest, self.into_text())
    }

    /// `E(400, code, message, <bind error>)`; `code` is 1000 or 1010.
    pub fn in_details(self, code: Code, message: &str) -> ApiError {
        ApiError::with_details(code, message, self.into_text())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = envelope::json(self.status, &self.body);
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Reason(self.reason));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_status_and_code() {
        let texts = || "text".to_owned();
        for (error, status, code) in [
            (Error::BadRequest(texts()), 400, 1000),
            (Error::Validation { message: texts(), details: None }, 400, 1010),
            (Error::Unauthorized(texts()), 401, 1001),
            (Error::Forbidden(texts()), 403, 1002),
            (Error::not_found("text"), 404, 1003),
            (Error::Conflict(texts()), 409, 1005),
            (Error::TooLarge(texts()), 413, 1000),
            (Error::RateLimited { message: texts(), retry_after_ms: Some(1500) }, 429, 1006),
            (Error::Timeout(texts()), 504, 1009),
            (Error::Unavailable { reason: texts() }, 503, 1008),
        ] {
            let answer = ApiError::from(error);
            assert_eq!(answer.status.as_u16(), status);
            assert_eq!(answer.body, json!({"error": {"code": code, "details": null, "message": "text"}, "success": false}));
        }
    }

    #[test]
    fn a_refused_type_comes_with_those_that_are_taken() {
        let answer = ApiError::from(Error::UnsupportedType { message: "unsupported file type".into(), details: "taken: pdf".into() });
        let body = json!({"error": {"code": 1000, "details": "taken: pdf", "message": "unsupported file type"}, "success": false});
        assert_eq!((answer.status.as_u16(), answer.body), (415, body));
    }

    #[test]
    fn our_own_faults_keep_their_text_for_the_log() {
        let answer = ApiError::from(Error::internal(anyhow::anyhow!("disk on fire").context("saving")));
        assert_eq!(answer.body, json!({"error": {"code": 1007, "message": "Internal server error"}, "success": false}));
        assert_eq!(answer.reason, "saving: disk on fire");
        let under = ApiError::under("Failed", Error::internal(anyhow::anyhow!("secret")));
        assert!(!under.body.to_string().contains("secret"));
    }

    #[test]
    fn too_many_requests_say_when_to_come_back() {
        let response = ApiError::from(Error::RateLimited { message: "slow".into(), retry_after_ms: Some(1500) }).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
