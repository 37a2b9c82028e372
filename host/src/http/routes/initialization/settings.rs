//! Reading and saving the settings of one knowledge base.
//!
//! Not here: the routes of v0.1.3 (`earlier`).

use super::request::InitializationRequest;
use super::shapes;
use crate::domain::{KnowledgeBase, Model};
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{GoJson, PathIds};
use crate::http::openapi::TooMany;
use crate::http::{AppState, RequestId};
use crate::library::initialization::{CurrentSettings, Saved};
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

#[utoipa::path(
    get,
    path = "/api/v1/initialization/config/{id}",
    tag = "initialization",
    summary = "Read the settings of a knowledge base",
    operation_id = "settings_current",
    responses((status = 200, description = "The settings, keys included.", body = Data<shapes::CurrentSettings>))
)]
pub(in crate::http) async fn current(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    let current = state.initialization.current(caller.scope(), &id).await?;
    Ok(envelope::data(&shown(&current, true)))
}

#[utoipa::path(
    post,
    path = "/api/v1/initialization/initialize/{id}",
    tag = "initialization",
    summary = "Save the settings of a knowledge base and its models",
    operation_id = "settings_save",
    request_body = InitializationRequest,
    responses(
        (status = 200, description = "Saved. A local model that is not there yet is being fetched.", body = shapes::Told<shapes::SavedSettings>),
        (status = 429, response = TooMany),
    )
)]
pub(in crate::http) async fn save(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([id]): PathIds<1>,
    GoJson(request): GoJson<InitializationRequest>,
) -> ApiResult {
    let saved = state.initialization.save(caller.scope(), &request_id.0, &id, request.into()).await;
    let Saved { models, knowledge_base } = saved.map_err(|error| ApiError::input(error, None))?;
    let data = json!({"models": models, "knowledge_base": knowledge_base});
    Ok(envelope::json(StatusCode::OK, &json!({"data": data, "message": "知识库配置更新成功", "success": true})))
}

/// As the settings page reads it. Keys of models that can not be used now are absent.
pub(super) fn shown(current: &CurrentSettings, with_extract: bool) -> Value {
    let kb = &current.knowledge_base;
    let mut data = json!({
        "hasFiles": current.has_files,
        "rerank": rerank(current.rerank.as_ref()),
        "multimodal": multimodal(current),
        "documentSplitting": {
            "chunkSize": kb.chunking_config.chunk_size,
            "chunkOverlap": kb.chunking_config.chunk_overlap,
            "separators": kb.chunking_config.separators,
        },
    });
    if let Some(llm) = &current.llm {
        data["llm"] = model(llm);
    }
    if let Some(embedding) = &current.embedding {
        let mut shown = model(embedding);
        shown["dimension"] = embedding.parameters.embedding_parameters.dimension.into();
        data["embedding"] = shown;
    }
    if with_extract {
        data["nodeExtract"] = node_extract(kb);
    }
    data
}

fn model(model: &Model) -> Value {
    json!({
        "source": model.source,
        "modelName": model.name,
        "baseUrl": model.parameters.base_url,
        "apiKey": model.parameters.api_key,
    })
}

fn rerank(model: Option<&Model>) -> Value {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    json!({
        "enabled": model.is_some(),
        "modelName": text(model.map(|model| &model.name)),
        "baseUrl": text(model.map(|model| &model.parameters.base_url)),
        "apiKey": text(model.map(|model| &model.parameters.api_key)),
    })
}

fn multimodal(current: &CurrentSettings) -> Value {
    let mut shown = json!({"enabled": current.vision.is_some()});
    let kb = &current.knowledge_base;
    if let Some(vision) = &current.vision {
        shown["vlm"] = json!({
            "modelName": vision.name,
            "baseUrl": vision.parameters.base_url,
            "apiKey": vision.parameters.api_key,
            "interfaceType": kb.vlm_config.interface_type,
        });
    }
    let storage = &kb.storage_config;
    match storage.provider.as_str() {
        "minio" => {
            shown["storageType"] = "minio".into();
            shown["minio"] = json!({"bucketName": storage.bucket_name, "pathPrefix": storage.path_prefix});
        }
        provider if !storage.secret_id.is_empty() => {
            shown["storageType"] = provider.into();
            shown["cos"] = json!({
                "secretId": storage.secret_id,
                "secretKey": storage.secret_key,
                "region": storage.region,
                "bucketName": storage.bucket_name,
                "appId": storage.app_id,
                "pathPrefix": storage.path_prefix,
            });
        }
        _ => {}
    }
    shown
}

fn node_extract(kb: &KnowledgeBase) -> Value {
    match &kb.extract_config {
        None => json!({"enabled": false}),
        // The page goes through all three.
        Some(config) => json!({
            "enabled": true,
            "text": config.text,
            "tags": config.tags.as_deref().unwrap_or_default(),
            "nodes": config.nodes.as_deref().unwrap_or_default(),
            "relations": config.relations.as_deref().unwrap_or_default(),
        }),
    }
}
