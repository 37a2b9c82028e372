//! An address to import. Not here: fetching it (`ingest`), and which addresses are taken (`library::knowledge`).

use super::upload::Duplicate;
use crate::domain::Knowledge;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{JsonBody, PathIds};
use crate::http::go_json::{Bind, BindError, Rules};
use crate::http::{AppState, RequestId};
use crate::library::knowledge::{NewAddress, Taken};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct UrlRequest {
    /// http or https, at most 2048 bytes.
    #[schema(required, min_length = 1)]
    url: String,
    /// As the knowledge base is set if absent.
    enable_multimodel: Option<bool>,
}

impl Bind for UrlRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str =
        r#"struct { URL string "json:\"url\" binding:\"required\""; EnableMultimodel *bool "json:\"enable_multimodel\"" }"#;

    fn check(&self, rules: &mut Rules) {
        rules.text("URL", &self.url).required();
    }
}

/// Whose knowledge base it is is checked before the body is looked at, as the contract has it.
#[utoipa::path(
    post,
    path = "/api/v1/knowledge-bases/{id}/knowledge/url",
    tag = "knowledge",
    summary = "Import what stands at an address",
    request_body = UrlRequest,
    responses(
        (status = 201, description = "Taken; it is fetched in the background.", body = Data<Knowledge>),
        (status = 409, description = "The knowledge base has this address already.", body = Duplicate),
    )
)]
pub(in crate::http) async fn import_url(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([kb_id]): PathIds<1>,
    body: JsonBody,
) -> ApiResult {
    let kb = state.library.get_knowledge_base(caller.scope(), &kb_id).await?;
    let request: UrlRequest = body.bind().map_err(BindError::in_message)?;
    let address = NewAddress { url: request.url, enable_multimodal: request.enable_multimodel, request_id: request_id.0.to_string() };
    match state.documents.create_from_url(caller.scope(), &kb, address).await? {
        Taken::Created(knowledge) => Ok(envelope::created(&knowledge)),
        Taken::Duplicate(existing) => Err(ApiError::raw(
            StatusCode::CONFLICT,
            json!({
                "code": "duplicate_url",
                "message": format!("URL already exists: {}", existing.source),
                "data": existing,
                "success": false,
            }),
        )),
    }
}
