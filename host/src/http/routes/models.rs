//! Models over HTTP.
//!
//! Not here: which sources exist and who may change what (`library::models`).

use crate::domain::{EmbeddingParameters, Model, ModelParameters, ModelType};
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data, Done};
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{GoJson, PathIds, Query};
use crate::http::go_json::{Bind, Rules};
use crate::http::openapi::TooMany;
use crate::library::models::{ModelChange, NewModel};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct CreateModelRequest {
    #[schema(required, min_length = 1, max_length = 255)]
    name: String,
    #[serde(rename = "type")]
    #[schema(required, value_type = ModelType)]
    model_type: String,
    /// `local`, `remote`, `aliyun` or the name of an allowed plugin.
    #[schema(required, min_length = 1, example = "remote")]
    source: String,
    description: String,
    parameters: ParametersRequest,
    is_default: bool,
}

impl Bind for CreateModelRequest {
    const NAME: &'static str = "CreateModelRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Name", &self.name).required();
        rules.text("Type", &self.model_type).required();
        rules.text("Source", &self.source).required();
    }
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct UpdateModelRequest {
    /// Empty keeps the present one.
    #[schema(max_length = 255)]
    name: String,
    /// Empty keeps the present one.
    description: String,
    /// Replaces as a whole.
    #[schema(nullable = false)]
    parameters: Option<ParametersRequest>,
    #[schema(nullable = false)]
    is_default: Option<bool>,
}

impl Bind for UpdateModelRequest {
    const NAME: &'static str = "UpdateModelRequest";
}

/// An object whose keys beyond the contract's are the settings of a plugin.
#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default)]
#[schema(as = ModelParametersRequest)]
struct ParametersRequest {
    base_url: String,
    api_key: String,
    embedding_parameters: EmbeddingParameters,
    #[serde(rename = "*")]
    settings: Map<String, Value>,
}

impl From<ParametersRequest> for ModelParameters {
    fn from(sent: ParametersRequest) -> Self {
        Self { base_url: sent.base_url, api_key: sent.api_key, embedding_parameters: sent.embedding_parameters, settings: sent.settings }
    }
}

#[utoipa::path(
    post,
    path = "/api/v1/models",
    tag = "models",
    summary = "Configure a model",
    request_body = CreateModelRequest,
    responses(
        (status = 201, description = "Created. A `local` model is fetched first: `downloading`.", body = Data<Model>),
        (status = 429, response = TooMany),
    )
)]
pub(in crate::http) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    GoJson(request): GoJson<CreateModelRequest>,
) -> ApiResult {
    let new = NewModel {
        name: request.name,
        model_type: request.model_type,
        source: request.source,
        description: request.description,
        parameters: request.parameters.into(),
        is_default: request.is_default,
    };
    let created = state.library.create_model(caller.scope(), new).await;
    Ok(envelope::created(&created.map_err(|error| ApiError::input(error, None))?))
}

/// `?builtin=true` shows the built-in models too.
#[utoipa::path(
    get,
    path = "/api/v1/models",
    tag = "models",
    summary = "The caller's models, oldest first",
    params(("builtin" = Option<bool>, Query, description = "true: the built-in models too.")),
    responses((status = 200, description = "The list.", body = Data<Vec<Model>>))
)]
pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller, query: Query) -> ApiResult {
    let with_builtin = query.get("builtin") == Some("true");
    Ok(envelope::data(&state.library.list_models(caller.scope(), with_builtin).await?))
}

#[utoipa::path(
    get,
    path = "/api/v1/models/{id}",
    tag = "models",
    summary = "Read a model",
    responses((status = 200, description = "The model.", body = Data<Model>))
)]
pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    Ok(envelope::data(&state.library.get_model(caller.scope(), &id).await?))
}

#[utoipa::path(
    put,
    path = "/api/v1/models/{id}",
    tag = "models",
    summary = "Change a model",
    request_body = UpdateModelRequest,
    responses((status = 200, description = "The model as it is now.", body = Data<Model>))
)]
pub(in crate::http) async fn update(
    State(state): State<AppState>,
    caller: Caller,
    PathIds([id]): PathIds<1>,
    GoJson(request): GoJson<UpdateModelRequest>,
) -> ApiResult {
    let sent = |text: String| Some(text).filter(|text| !text.is_empty());
    let change = ModelChange {
        name: sent(request.name),
        description: sent(request.description),
        parameters: request.parameters.map(ModelParameters::from).filter(|parameters| *parameters != ModelParameters::default()),
        is_default: request.is_default,
    };
    let updated = state.library.update_model(caller.scope(), &id, change).await;
    Ok(envelope::data(&updated.map_err(|error| ApiError::input(error, None))?))
}

#[utoipa::path(
    delete,
    path = "/api/v1/models/{id}",
    tag = "models",
    summary = "Delete a model",
    responses((status = 200, description = "Deleted.", body = Done))
)]
pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    state.library.delete_model(caller.scope(), &id).await?;
    Ok(envelope::message("Model deleted"))
}
