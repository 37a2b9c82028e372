//! A response that is no success, as the error of the contract that it is.
//!
//! Not here: services that hide a refusal in a success; their plugins look for themselves.

use crate::{Body, Error, Result};

/// More of a refusal is not read.
const BODY_BYTES_MAX: usize = 64 << 10;
/// More of it is not shown.
const MESSAGE_CHARS_MAX: usize = 1_000;
/// A service that wants to be left alone for longer is not waited for.
const RETRY_AFTER_MS_MAX: f64 = 86_400_000.0;

impl Body {
    /// The response itself when it is a success; else the error that its status means, with the service's own sentence.
    ///
    /// ```
    /// use knowhost_plugin_sdk::testing::{Exchange, Host};
    /// use knowhost_plugin_sdk::{Ctx, Error, Result};
    ///
    /// async fn version(ctx: &Ctx) -> Result<String> {
    ///     ctx.get("https://api.example.com/version").await?.accepted().await?.json().await
    /// }
    ///
    /// let exchange = Exchange::new("GET", "https://api.example.com/version").status(401).body("{\"error\": \"the key is old\"}");
    /// let answer = Host::new([exchange]).run::<(), _, _>(|ctx| async move { version(&ctx).await }).result();
    /// assert_eq!(answer, Err(Error::unauthorised("the service answered 401: the key is old")));
    /// ```
    pub async fn accepted(mut self) -> Result<Self> {
        if self.is_success() {
            return Ok(self);
        }
        let (status, retry_after_ms) = (self.status(), retry_after_ms(&self));
        let body = self.excerpt(BODY_BYTES_MAX).await;
        let message = message(&body);
        let text =
            if message.is_empty() { format!("the service answered {status}") } else { format!("the service answered {status}: {message}") };
        Err(match status {
            400 | 405 | 409 | 415 | 422 => Error::invalid(text),
            401 => Error::unauthorised(text),
            402 | 403 => Error::denied(text),
            404 => Error::not_found(text),
            413 => Error::too_long(text),
            429 => Error::rate_limited(text, retry_after_ms),
            _ => Error::upstream(text),
        })
    }
}

/// In seconds; a date is not understood, as a plugin has no clock.
fn retry_after_ms(body: &Body) -> Option<u32> {
    let ms = body.header("retry-after")?.trim().parse::<f64>().ok()? * 1_000.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie within")]
    (0.0..=RETRY_AFTER_MS_MAX).contains(&ms).then_some(ms.ceil() as u32)
}

/// The sentence in the usual places of a JSON error, else the text itself; that of a page is not worth showing.
fn message(body: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let found = json.as_ref().and_then(|json| {
        let places = [&json["error"]["message"], &json["error"], &json["message"], &json["detail"]];
        places.into_iter().find_map(|place| place.as_str().map(str::to_owned))
    });
    let text = match found {
        Some(text) => text,
        None if body.trim_start().starts_with(['<', '{', '[']) => String::new(),
        None => body.to_owned(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{Exchange, Host};
    use crate::{Error, Result};

    fn answer(exchange: Exchange) -> Result<u16> {
        let call = |ctx: crate::StreamCtx<()>| async move { Ok(ctx.get("https://a.example/").await?.accepted().await?.status()) };
        Host::new([exchange]).run::<(), _, _>(call).result()
    }

    fn exchange(status: u16) -> Exchange {
        Exchange::new("GET", "https://a.example/").status(status)
    }

    #[test]
    fn each_status_becomes_its_error() {
        assert_eq!(answer(exchange(204)), Ok(204));
        let limited = exchange(429).header("Retry-After", "1.5").body("slow down");
        assert_eq!(answer(limited), Err(Error::rate_limited("the service answered 429: slow down", Some(1_500))));
        assert_eq!(answer(exchange(429).header("retry-after", "Tue, 1 Jan")), Err(Error::rate_limited("the service answered 429", None)));
        assert_eq!(answer(exchange(500).body("<html>no</html>")), Err(Error::upstream("the service answered 500")));
        assert_eq!(answer(exchange(404).body("{\"message\":\"no\\nmodel\"}")), Err(Error::not_found("the service answered 404: no model")));
        assert_eq!(answer(exchange(413)), Err(Error::too_long("the service answered 413")));
        assert_eq!(answer(exchange(302)), Err(Error::upstream("the service answered 302")));
    }
}
