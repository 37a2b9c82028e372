//! Trying models before they are saved: 200 whatever comes of it.
//!
//! Not here: pictures (`multimodal`).

use crate::http::auth::Caller;
use crate::http::envelope;
use crate::http::error::ApiResult;
use crate::http::extract::GoJson;
use crate::http::go_json::{Bind, Rules};
use crate::http::{AppState, RequestId};
use crate::library::initialization::{Endpoint, Probe};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

/// A chat model or a reranker.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct RemoteModelCheckRequest {
    model_name: String,
    base_url: String,
    api_key: String,
}

impl Bind for RemoteModelCheckRequest {
    const NAME: &'static str = "RemoteModelCheckRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("ModelName", &self.model_name).required();
        rules.text("BaseURL", &self.base_url).required();
    }
}

/// The same fields, of a request that the reference does not name.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct RerankCheckRequest {
    model_name: String,
    base_url: String,
    api_key: String,
}

impl Bind for RerankCheckRequest {
    const NAME: &'static str = "";

    fn check(&self, rules: &mut Rules) {
        rules.text("ModelName", &self.model_name).required();
        rules.text("BaseURL", &self.base_url).required();
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct EmbeddingTestRequest {
    source: String,
    model_name: String,
    base_url: String,
    api_key: String,
}

impl Bind for EmbeddingTestRequest {
    const NAME: &'static str = "";

    fn check(&self, rules: &mut Rules) {
        rules.text("Source", &self.source).required();
        rules.text("ModelName", &self.model_name).required();
    }
}

fn told(probe: &Probe) -> Response {
    envelope::data(&json!({"available": probe.available, "message": probe.message}))
}

pub(in crate::http) async fn remote(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<RemoteModelCheckRequest>,
) -> ApiResult {
    let endpoint = Endpoint { source: String::new(), model_name: request.model_name, base_url: request.base_url, api_key: request.api_key };
    Ok(told(&state.initialization.check_chat(caller.scope(), &request_id.0, endpoint).await))
}

pub(in crate::http) async fn embedding(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<EmbeddingTestRequest>,
) -> ApiResult {
    let endpoint =
        Endpoint { source: request.source, model_name: request.model_name, base_url: request.base_url, api_key: request.api_key };
    let probe = state.initialization.test_embedding(caller.scope(), &request_id.0, endpoint).await;
    Ok(envelope::data(&json!({"available": probe.available, "message": probe.message, "dimension": probe.dimension})))
}

pub(in crate::http) async fn rerank(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<RerankCheckRequest>,
) -> ApiResult {
    let endpoint = Endpoint { source: String::new(), model_name: request.model_name, base_url: request.base_url, api_key: request.api_key };
    Ok(told(&state.initialization.check_rerank(caller.scope(), &request_id.0, endpoint).await))
}
