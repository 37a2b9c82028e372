//! Trying models before they are saved: 200 whatever comes of it.
//!
//! Not here: pictures (`multimodal`).

use super::shapes;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::ApiResult;
use crate::http::extract::GoJson;
use crate::http::go_json::{Bind, Rules, Unused};
use crate::http::{AppState, RequestId};
use crate::library::initialization::{Endpoint, Probe};
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// A chat model or a reranker.
#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct RemoteModelCheckRequest {
    #[schema(required, min_length = 1)]
    model_name: String,
    #[schema(required, min_length = 1)]
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
#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct RerankCheckRequest {
    #[schema(required, min_length = 1)]
    model_name: String,
    #[schema(required, min_length = 1)]
    base_url: String,
    api_key: String,
}

impl Bind for RerankCheckRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = concat!(
        r#"struct { ModelName string "json:\"modelName\" binding:\"required\""; "#,
        r#"BaseURL string "json:\"baseUrl\" binding:\"required\""; APIKey string "json:\"apiKey\"" }"#
    );

    fn check(&self, rules: &mut Rules) {
        rules.text("ModelName", &self.model_name).required();
        rules.text("BaseURL", &self.base_url).required();
    }
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::http) struct EmbeddingTestRequest {
    #[schema(required, min_length = 1)]
    source: String,
    #[schema(required, min_length = 1)]
    model_name: String,
    base_url: String,
    api_key: String,
}

impl Bind for EmbeddingTestRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = concat!(
        r#"struct { Source string "json:\"source\" binding:\"required\""; ModelName string "json:\"modelName\" binding:\"required\""; "#,
        r#"BaseURL string "json:\"baseUrl\""; APIKey string "json:\"apiKey\""; Dimension int "json:\"dimension\"" }"#
    );
    const UNUSED: &'static [(&'static str, Unused)] = &[("dimension", Unused::Integer)];

    fn check(&self, rules: &mut Rules) {
        rules.text("Source", &self.source).required();
        rules.text("ModelName", &self.model_name).required();
    }
}

fn told(probe: &Probe) -> Response {
    envelope::data(&json!({"available": probe.available, "message": probe.message}))
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/remote/check",
    tag = "initialization",
    summary = "Try a chat model",
    operation_id = "probes_remote",
    request_body = RemoteModelCheckRequest,
    responses((status = 200, description = "Whether it answers.", body = Data<shapes::ModelProbe>))
)]
pub(in crate::http) async fn remote(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<RemoteModelCheckRequest>,
) -> ApiResult {
    let endpoint = Endpoint { source: String::new(), model_name: request.model_name, base_url: request.base_url, api_key: request.api_key };
    Ok(told(&state.initialization.check_chat(caller.scope(), &request_id.0, endpoint).await))
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/embedding/test",
    tag = "initialization",
    summary = "Try an embedding model",
    operation_id = "probes_embedding",
    request_body = EmbeddingTestRequest,
    responses((status = 200, description = "Whether it answers.", body = Data<shapes::EmbeddingProbe>))
)]
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

#[utoipa::path(
    post,
    path = "/api/v1/initialization/rerank/check",
    tag = "initialization",
    summary = "Try a reranker",
    operation_id = "probes_rerank",
    request_body = RerankCheckRequest,
    responses((status = 200, description = "Whether it answers.", body = Data<shapes::ModelProbe>))
)]
pub(in crate::http) async fn rerank(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    GoJson(request): GoJson<RerankCheckRequest>,
) -> ApiResult {
    let endpoint = Endpoint { source: String::new(), model_name: request.model_name, base_url: request.base_url, api_key: request.api_key };
    Ok(told(&state.initialization.check_rerank(caller.scope(), &request_id.0, endpoint).await))
}
