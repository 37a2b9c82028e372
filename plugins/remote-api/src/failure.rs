//! What a service says when it refuses, and which error that is.
//!
//! Not here: broken connections; those are faults of the host's exchange.

use knowhost_plugin_sdk::{Body, Error};
use serde_json::Value;

/// More of a refusal is not read.
const BODY_BYTES_MAX: usize = 64 << 10;
/// More of a message is not shown.
const MESSAGE_CHARS_MAX: usize = 1_000;
/// How services word "more text than the model takes".
const TOO_LONG: [&str; 8] = [
    "context_length_exceeded",
    "context length",
    "context window",
    "maximum context",
    "too many tokens",
    "input is too long",
    "prompt is too long",
    "exceeds the maximum number of tokens",
];

/// A response that is no success.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: String,
    retry_after_ms: Option<u32>,
}

impl Refusal {
    pub(crate) async fn read(body: &mut Body) -> Self {
        let retry_after_ms = retry_after(body);
        Self { status: body.status(), body: body.excerpt(BODY_BYTES_MAX).await, retry_after_ms }
    }

    pub(crate) fn into_error(self) -> Error {
        let message = serde_json::from_str::<Value>(&self.body).ok().as_ref().and_then(message).unwrap_or_else(|| plain(&self.body));
        error(self.status, &message, &self.body, self.retry_after_ms)
    }
}

/// The error object of a response or stream that began well: `{"error": ...}`, also where it only has a message and a code.
pub(crate) fn error_in(value: &Value) -> Option<Error> {
    let error_value = value.get("error").filter(|error| !error.is_null())?;
    let message = message(value).unwrap_or_else(|| error_value.to_string());
    let status = error_value.get("code").or_else(|| value.get("code")).and_then(status_of).unwrap_or(500);
    Some(error_with(status, &message, &error_value.to_string(), None, "the service broke the answer off"))
}

fn status_of(code: &Value) -> Option<u16> {
    let code = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
    u16::try_from(code).ok().filter(|code| (400..600).contains(code))
}

fn error(status: u16, message: &str, body: &str, retry_after_ms: Option<u32>) -> Error {
    error_with(status, message, body, retry_after_ms, &format!("the service answered {status} {}", reason(status)))
}

fn error_with(status: u16, message: &str, body: &str, retry_after_ms: Option<u32>, what: &str) -> Error {
    let text = if message.is_empty() { what.trim_end().to_owned() } else { format!("{}: {message}", what.trim_end()) };
    let lower = body.to_lowercase();
    let too_long = TOO_LONG.iter().any(|phrase| lower.contains(phrase));
    match status {
        413 => Error::too_long(text),
        400 | 422 | 500 if too_long => Error::too_long(text),
        401 => Error::unauthorised(text),
        402 | 403 => Error::denied(text),
        404 => Error::not_found(text),
        429 => Error::rate_limited(text, retry_after_ms),
        400 | 405 | 409 | 415 | 422 => Error::invalid(text),
        _ => Error::upstream(text),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Payload Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// The service's own sentence, in the places where services put it.
fn message(value: &Value) -> Option<String> {
    let error = value.get("error").unwrap_or(&Value::Null);
    let places = [error.get("message"), Some(error), value.get("message"), value.get("detail"), value.get("error_msg"), value.get("msg")];
    let found = places.into_iter().flatten().find_map(|place| match place {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(items) if !items.is_empty() => Some(place.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    })?;
    Some(shorten(&found))
}

/// A body that is no JSON; the text of an HTML page is not worth showing.
fn plain(body: &str) -> String {
    let body = body.trim();
    if body.starts_with('<') || body.starts_with('{') { String::new() } else { shorten(body) }
}

fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// `retry-after-ms`, or `retry-after` in seconds. A date is not understood, as a plugin has no clock.
fn retry_after(body: &Body) -> Option<u32> {
    let parsed = |name: &str, factor: f64| {
        let number: f64 = body.header(name)?.trim().parse().ok()?;
        let ms = number * factor;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie within")]
        (0.0..=86_400_000.0).contains(&ms).then_some(ms.ceil() as u32)
    };
    parsed("retry-after-ms", 1.0).or_else(|| parsed("retry-after", 1_000.0))
}
