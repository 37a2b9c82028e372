//! Models over HTTP.
//!
//! Not here: which sources exist and who may change what (`library::models`).

use crate::domain::{EmbeddingParameters, ModelParameters};
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::envelope;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{GoJson, PathIds, Query};
use crate::http::go_json::{Bind, Rules};
use crate::library::models::{ModelChange, NewModel};
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::http) struct CreateModelRequest {
    name: String,
    #[serde(rename = "type")]
    model_type: String,
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

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::http) struct UpdateModelRequest {
    name: String,
    description: String,
    parameters: Option<ParametersRequest>,
    is_default: Option<bool>,
}

impl Bind for UpdateModelRequest {
    const NAME: &'static str = "UpdateModelRequest";
}

/// An object whose keys beyond the contract's are the settings of a plugin.
#[derive(Deserialize, Default)]
#[serde(default)]
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
pub(in crate::http) async fn list(State(state): State<AppState>, caller: Caller, query: Query) -> ApiResult {
    let with_builtin = query.get("builtin") == Some("true");
    Ok(envelope::data(&state.library.list_models(caller.scope(), with_builtin).await?))
}

pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    Ok(envelope::data(&state.library.get_model(caller.scope(), &id).await?))
}

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

pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    state.library.delete_model(caller.scope(), &id).await?;
    Ok(envelope::message("Model deleted"))
}
