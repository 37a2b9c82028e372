//! Sending a request to the service: address, key, fields that strict services refuse.
//!
//! Not here: what the fields mean.

use crate::failure;
use knowhost_plugin_sdk::{Body, Ctx, Error, HostFault, Model, Result};
use serde_json::{Map, Value};

pub(crate) const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// A request to one address of the service.
pub(crate) struct Call<'a> {
    pub(crate) model: &'a Model,
    pub(crate) url: String,
    pub(crate) body: Map<String, Value>,
    /// Fields that are left out in a second try when a strict service refuses them by name.
    pub(crate) optional: &'a [&'a str],
    pub(crate) streamed: bool,
    pub(crate) timeout_ms: Option<u32>,
}

impl Call<'_> {
    /// The response, if its status says success; else the error with the service's own words.
    pub(crate) async fn send(&mut self, ctx: &Ctx) -> Result<Result<Body, HostFault>> {
        let mut body = match self.exchange(ctx).await {
            Ok(body) => body,
            Err(fault) => return Ok(Err(fault)),
        };
        if body.is_success() {
            return Ok(Ok(body));
        }
        let refusal = failure::Refusal::read(&mut body).await;
        drop(body);
        let refused: Vec<&str> = if matches!(refusal.status, 400 | 422) {
            self.optional.iter().copied().filter(|field| refusal.body.contains(field) && self.body.contains_key(*field)).collect()
        } else {
            vec![]
        };
        if refused.is_empty() {
            return Err(refusal.into_error());
        }
        for field in refused {
            self.body.shift_remove(field);
        }
        let mut body = match self.exchange(ctx).await {
            Ok(body) => body,
            Err(fault) => return Ok(Err(fault)),
        };
        if body.is_success() { Ok(Ok(body)) } else { Err(failure::Refusal::read(&mut body).await.into_error()) }
    }

    async fn exchange(&self, ctx: &Ctx) -> Result<Body, HostFault> {
        let accept = if self.streamed { "text/event-stream" } else { "application/json" };
        let mut request = ctx.post(self.url.clone()).header("Accept", accept).json(&self.body);
        if self.streamed {
            request = request.header("Cache-Control", "no-cache");
        }
        if self.model.setting_bool("api_key_present") == Some(true) {
            request = request.bearer("api_key");
        }
        if let Some(ms) = self.timeout_ms {
            request = request.timeout_ms(ms);
        }
        request.await
    }
}

/// The model's name, which every form needs.
pub(crate) fn model_name(model: &Model) -> Result<Value> {
    if model.name.trim().is_empty() {
        return Err(Error::invalid("model name is required"));
    }
    Ok(Value::String(model.name.clone()))
}

/// A number as it was written: 0.3, not 0.30000001192092896.
pub(crate) fn number(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}
