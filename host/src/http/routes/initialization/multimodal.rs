//! The test of a vision model: a form with a picture.
//!
//! Not here: what the model is asked (`library::initialization`).

use super::shapes;
use crate::domain::StorageConfig;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{read_limited, too_large};
use crate::http::go_json::{self, Bind};
use crate::http::{AppState, RequestId};
use crate::library::initialization::{PictureTest, Storage};
use crate::limits::{BODY_BYTES_MAX, BODY_WAIT, FORM_FIELD_BYTES_MAX, FORM_FIELDS_MAX, TEST_IMAGE_BYTES_MAX, UPLOAD_BYTES_MAX};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::future::Future;

/// The contract knows seventeen fields.
const FIELDS_MAX: usize = 2 * FORM_FIELDS_MAX;

/// The texts of a form and its picture; the first of a repeated name counts.
#[derive(Default)]
struct Form {
    texts: HashMap<String, String>,
    picture: Option<Picture>,
}

struct Picture {
    media_type: String,
    /// `None`: longer than it may be.
    bytes: Option<Vec<u8>>,
}

/// JSON where a form is awaited: it names no field of it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct NoForm {}

impl Bind for NoForm {
    const NAME: &'static str = "testMultimodalForm";
}

impl Form {
    fn take(&mut self, name: &str) -> String {
        self.texts.remove(name).unwrap_or_default()
    }

    fn test(&mut self) -> PictureTest {
        let cos = StorageConfig {
            secret_id: self.take("cos_secret_id"),
            secret_key: self.take("cos_secret_key"),
            region: self.take("cos_region"),
            bucket_name: self.take("cos_bucket_name"),
            app_id: self.take("cos_app_id"),
            path_prefix: self.take("cos_path_prefix"),
            provider: String::new(),
        };
        let minio = StorageConfig {
            bucket_name: self.take("minio_bucket_name"),
            path_prefix: self.take("minio_path_prefix"),
            ..StorageConfig::default()
        };
        PictureTest {
            model_name: self.take("vlm_model"),
            base_url: self.take("vlm_base_url"),
            api_key: self.take("vlm_api_key"),
            interface_type: self.take("vlm_interface_type"),
            storage: Storage { kind: self.take("storage_type"), cos: Some(cos), minio: Some(minio) },
        }
    }
}

fn refuse(message: &str) -> ApiError {
    ApiError::new(Code::BadRequest, message)
}

/// How the text is cut is taken and does nothing, as one picture makes no chunks.
#[utoipa::path(
    post,
    path = "/api/v1/initialization/multimodal/test",
    tag = "initialization",
    summary = "Try a vision model on a picture, which is kept nowhere",
    operation_id = "multimodal_test",
    request_body(content = shapes::PictureForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "What it saw.", body = Data<shapes::PictureTested>))
)]
pub(in crate::http) async fn test(State(state): State<AppState>, caller: Caller, request_id: RequestId, request: Request) -> ApiResult {
    let mut form = read_form(request).await?;
    let mut test = form.test();
    state.initialization.check_picture_test(&mut test)?;
    let picture = form.picture.ok_or_else(|| refuse("获取上传图片失败"))?;
    if !picture.media_type.starts_with("image/") {
        return Err(refuse("只允许上传图片文件"));
    }
    let bytes = picture.bytes.ok_or_else(|| refuse("图片文件大小不能超过10MB"))?;
    let probe = state.initialization.test_picture(caller.scope(), &request_id.0, &test, &picture.media_type, bytes).await;
    let time = probe.processing_time_ms;
    Ok(envelope::data(&match probe.outcome {
        Ok((caption, ocr)) => json!({"success": true, "caption": caption, "ocr": ocr, "processing_time": time}),
        Err(message) => json!({"success": false, "message": message, "processing_time": time}),
    }))
}

async fn read_form(request: Request) -> ApiResult<Form> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().is_some_and(|kind| kind.trim() == "application/json") {
        let body = read_limited(request.into_body(), BODY_BYTES_MAX).await?;
        return go_json::from_slice::<NoForm>(&body).map(|_| Form::default()).map_err(|_| unreadable());
    }
    // Whoever sends no form has sent no field.
    if !content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        return Ok(Form::default());
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
    let mut form = Form::default();
    let mut fields = 0;
    while let Some(field) = in_time(parts.next_field()).await? {
        fields += 1;
        if fields > FIELDS_MAX {
            return Err(unreadable());
        }
        let Some(name) = field.name().map(str::to_owned) else { continue };
        if field.file_name().is_some() {
            if name == "image" && form.picture.is_none() {
                let media_type = field.content_type().unwrap_or_default().to_owned();
                form.picture = Some(Picture { media_type, bytes: read(field, TEST_IMAGE_BYTES_MAX).await? });
            }
        } else {
            let text = read(field, FORM_FIELD_BYTES_MAX).await?.ok_or_else(unreadable)?;
            form.texts.entry(name).or_insert_with(|| String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(form)
}

fn unreadable() -> ApiError {
    refuse("表单参数解析失败")
}

/// `None`: longer than `bytes_max`; the rest is read and dropped.
async fn read(mut field: Field<'_>, bytes_max: usize) -> ApiResult<Option<Vec<u8>>> {
    let mut bytes = Some(Vec::new());
    while let Some(piece) = in_time(field.chunk()).await? {
        bytes = bytes.filter(|bytes| bytes.len() + piece.len() <= bytes_max);
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes)
}

/// A client that sends nothing for too long is not waited for.
async fn in_time<T>(piece: impl Future<Output = Result<T, MultipartError>>) -> ApiResult<T> {
    match tokio::time::timeout(BODY_WAIT, piece).await {
        Ok(Ok(piece)) => Ok(piece),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large(UPLOAD_BYTES_MAX)),
        Ok(Err(_)) | Err(_) => Err(unreadable()),
    }
}
