//! Requests to the server, and its refusals.
//!
//! Not here: what is asked.

use knowhost_plugin_sdk::{Body, Ctx, Error, Model, Request, Result};
use serde_json::Value;

const DEFAULT_BASE_URL: &str = "http://localhost:11434";
/// More of a refusal is not read.
const BODY_BYTES_MAX: usize = 16 << 10;

pub(crate) fn request(ctx: &Ctx, model: &Model, method: &str, path: &str) -> Request {
    let request = ctx.request(method, model.url(DEFAULT_BASE_URL, path));
    // A server behind a gate; the plain one wants no key.
    let has_key = model.setting_bool("api_key_present") == Some(true) && !model.base_url.trim().is_empty();
    if has_key { request.bearer("api_key") } else { request }
}

/// The response if its status says success; else the server's own words.
pub(crate) async fn accepted(mut body: Body) -> Result<Body> {
    if body.is_success() { Ok(body) } else { Err(refusal(&mut body).await) }
}

pub(crate) async fn refusal(body: &mut Body) -> Error {
    let status = body.status();
    let text = body.excerpt(BODY_BYTES_MAX).await;
    let message = serde_json::from_str::<Value>(&text).ok().and_then(|value| Some(value.get("error")?.as_str()?.to_owned()));
    let message = message.unwrap_or_else(|| text.trim().chars().take(500).collect());
    let told = if message.is_empty() { format!("Ollama answered {status}") } else { format!("Ollama answered {status}: {message}") };
    match status {
        401 => Error::unauthorised(told),
        403 => Error::denied(told),
        404 => Error::not_found(told),
        413 => Error::too_long(told),
        429 => Error::rate_limited(told, None),
        _ if message.contains("context length") => Error::too_long(told),
        400..=499 => Error::invalid(told),
        _ => Error::upstream(told),
    }
}

/// A line `{"error": ..}` in a response that began with status 200.
pub(crate) fn broken_off(message: &str) -> Error {
    let told = format!("Ollama broke off: {message}");
    if message.contains("not found") || message.contains("does not exist") { Error::not_found(told) } else { Error::upstream(told) }
}

/// The model's name, which every call but `status` and `models` needs.
pub(crate) fn model_name(model: &Model) -> Result<&str> {
    let name = model.name.trim();
    if name.is_empty() { Err(Error::invalid("model name is required")) } else { Ok(name) }
}
