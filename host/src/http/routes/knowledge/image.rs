//! A picture's caption and text, corrected. Not here: what follows from it (`library::images`).

use crate::domain::ImageInfo;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Done};
use crate::http::error::ApiResult;
use crate::http::extract::{GoJson, PathIds};
use crate::http::go_json::{self, Bind, BindError};
use crate::http::openapi::{TimedOut, Unavailable};
use crate::http::{AppState, RequestId};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// JSON text within JSON, as the contract has it.
#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct ImageRequest {
    /// A list with exactly one picture: url, original_url, start_pos, end_pos, caption, ocr_text.
    #[schema(required)]
    image_info: String,
}

impl Bind for ImageRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = r#"struct { ImageInfo string "json:\"image_info\"" }"#;
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Pictures(#[expect(dead_code, reason = "for its types")] Vec<Option<ImageInfo>>);

impl Bind for Pictures {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = "[]*types.ImageInfo";
}

#[utoipa::path(
    put,
    path = "/api/v1/knowledge/image/{id}/{chunk_id}",
    tag = "knowledge",
    summary = "Correct the caption and the text of a picture",
    request_body = ImageRequest,
    responses(
        (status = 200, description = "Searches see it.", body = Done),
        (status = 503, response = Unavailable),
        (status = 504, response = TimedOut),
    )
)]
pub(in crate::http) async fn update_image(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([knowledge_id, chunk_id]): PathIds<2>,
    GoJson(request): GoJson<ImageRequest>,
) -> ApiResult {
    // For the reference's words about a text that is no JSON; what it must hold is checked further in.
    go_json::from_text::<Pictures>(request.image_info.as_bytes()).map_err(BindError::in_message)?;
    state.documents.update_image(caller.scope(), &knowledge_id, &chunk_id, &request.image_info, &request_id.0).await?;
    Ok(envelope::message("Knowledge chunk image updated successfully"))
}
