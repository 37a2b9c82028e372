//! What the service says when it refuses, and which error that is.
//!
//! Not here: broken connections; those are faults of the host's exchange.

use knowhost_plugin_sdk::{Body, Error};
use serde_json::Value;

/// More of a refusal is not read.
const BODY_BYTES_MAX: usize = 64 << 10;

pub(crate) async fn read(body: &mut Body) -> Error {
    let status = body.status();
    let seconds = body.header("retry-after").and_then(|seconds| seconds.trim().parse::<u16>().ok());
    let said: Value = serde_json::from_str(&body.excerpt(BODY_BYTES_MAX).await).unwrap_or_default();
    let text = match said["detail"].as_str() {
        Some(detail) if !detail.is_empty() => format!("the service answered {status}: {detail}"),
        Some(_) | None => format!("the service answered {status}"),
    };
    match status {
        400 | 422 if text.contains("token limit") || text.contains("too long") => Error::too_long(text),
        400 | 422 => Error::invalid(text),
        401 => Error::unauthorised(text),
        // The account is empty.
        402 | 403 => Error::denied(text),
        404 => Error::not_found(text),
        413 => Error::too_long(text),
        429 => Error::rate_limited(text, seconds.map(|seconds| u32::from(seconds) * 1_000)),
        _ => Error::upstream(text),
    }
}
