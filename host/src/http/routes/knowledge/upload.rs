//! An upload: the parts of a multipart body, the file streamed on while it comes in.
//!
//! Not here: types, names, duplicates and quota (`library::knowledge`).

use crate::domain::Knowledge;
use crate::files::FileWriter;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{PathIds, too_large};
use crate::http::go_json::{self, Bind};
use crate::http::openapi::{Unavailable, UnsupportedType};
use crate::http::{AppState, RequestId};
use crate::library::knowledge::{NewDocument, Taken};
use crate::limits::{BODY_WAIT, FORM_FIELD_BYTES_MAX, FORM_FIELDS_MAX, UPLOAD_BYTES_MAX};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::future::Future;
use utoipa::ToSchema;

/// What a form held; the first of a repeated name counts.
#[derive(Default)]
struct Form {
    file: Option<(String, FileWriter)>,
    metadata: Option<Vec<u8>>,
    enable_multimodel: Option<Vec<u8>>,
}

#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Metadata(Option<BTreeMap<String, String>>);

impl Bind for Metadata {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = "map[string]string";
}

/// A document and what is to be known about it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes")]
struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// A JSON object whose values are texts.
    #[schema(nullable = false, example = "{\"source\":\"intranet\"}")]
    metadata: Option<String>,
    /// `true` or `false`.
    #[schema(nullable = false)]
    enable_multimodel: Option<String>,
}

/// The contract's answer to content that is there already.
#[derive(Serialize, ToSchema)]
pub(super) struct Duplicate {
    #[schema(example = "duplicate_file")]
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) data: Knowledge,
    pub(super) success: bool,
}

#[utoipa::path(
    post,
    path = "/api/v1/knowledge-bases/{id}/knowledge/file",
    tag = "knowledge",
    summary = "Upload a document",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "Taken; it is processed in the background.", body = Data<Knowledge>),
        (status = 409, description = "The knowledge base has this content already.", body = Duplicate),
        (status = 415, response = UnsupportedType),
        (status = 503, response = Unavailable),
    )
)]
pub(in crate::http) async fn upload(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    PathIds([kb_id]): PathIds<1>,
    request: Request,
) -> ApiResult {
    let kb = state.library.get_knowledge_base(caller.scope(), &kb_id).await?;
    let form = read_form(&state, request).await?;
    let Some((file_name, upload)) = form.file else { return Err(failed("http: no such file")) };
    let metadata = parse_metadata(form.metadata.as_deref().unwrap_or_default())?;
    let enable_multimodal = parse_bool(form.enable_multimodel.as_deref().unwrap_or_default())?;
    let document = NewDocument { file_name, metadata, enable_multimodal, upload, request_id: request_id.0.to_string() };
    match state.documents.create_from_file(caller.scope(), &kb, document).await? {
        Taken::Created(knowledge) => Ok(envelope::data(&knowledge)),
        Taken::Duplicate(existing) => Err(ApiError::raw(
            StatusCode::CONFLICT,
            json!(Duplicate {
                code: "duplicate_file",
                message: format!("File already exists: {}", existing.file_name),
                data: existing,
                success: false,
            }),
        )),
    }
}

fn failed(reason: impl Into<String>) -> ApiError {
    ApiError::with_details(Code::BadRequest, "File upload failed", reason)
}

async fn read_form(state: &AppState, request: Request) -> ApiResult<Form> {
    let is_form = is_form(request.headers());
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| {
        failed(if is_form { "no multipart boundary param in Content-Type" } else { "request Content-Type isn't multipart/form-data" })
    })?;
    let mut form = Form::default();
    let mut fields = 0;
    while let Some(field) = in_time(parts.next_field()).await? {
        fields += 1;
        if fields > FORM_FIELDS_MAX {
            return Err(failed(format!("a form of more than {FORM_FIELDS_MAX} fields")));
        }
        match (field.name(), field.file_name()) {
            (Some("file"), Some(name)) if form.file.is_none() => {
                let name = name.rsplit('/').next().unwrap_or_default().to_owned();
                let writer = state.documents.begin_upload().await?;
                form.file = Some((name, store(field, writer).await?));
            }
            (Some("metadata"), None) if form.metadata.is_none() => form.metadata = Some(read_text(field).await?),
            (Some("enable_multimodel"), None) if form.enable_multimodel.is_none() => {
                form.enable_multimodel = Some(read_text(field).await?);
            }
            // The next field skips what is left of this one.
            (Some(_) | None, Some(_) | None) => {}
        }
    }
    Ok(form)
}

async fn store(mut field: Field<'_>, mut writer: FileWriter) -> ApiResult<FileWriter> {
    while let Some(bytes) = in_time(field.chunk()).await? {
        writer.write(&bytes).await?;
    }
    Ok(writer)
}

async fn read_text(mut field: Field<'_>) -> ApiResult<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(bytes) = in_time(field.chunk()).await? {
        text.extend_from_slice(&bytes);
        if text.len() > FORM_FIELD_BYTES_MAX {
            return Err(failed(format!("a form field of more than {FORM_FIELD_BYTES_MAX} bytes")));
        }
    }
    Ok(text)
}

/// A client that sends nothing for too long is not waited for.
async fn in_time<T>(piece: impl Future<Output = Result<T, MultipartError>>) -> ApiResult<T> {
    match tokio::time::timeout(BODY_WAIT, piece).await {
        Ok(Ok(piece)) => Ok(piece),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large(UPLOAD_BYTES_MAX)),
        Ok(Err(error)) => Err(failed(in_other_words(error.body_text()))),
        Err(_) => Err(failed("the upload stopped")),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    sent.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("multipart/form-data"))
}

/// The reference's words for a form that ends too early.
fn in_other_words(text: String) -> String {
    match text.as_str() {
        "incomplete multipart stream" => "multipart: NextPart: EOF".to_owned(),
        cut if cut.ends_with("received with incomplete data") => "unexpected EOF".to_owned(),
        _ => text,
    }
}

fn parse_metadata(text: &[u8]) -> ApiResult<Option<BTreeMap<String, String>>> {
    if text.is_empty() {
        return Ok(None);
    }
    let metadata: Metadata = go_json::from_text(text).map_err(|error| error.in_details(Code::BadRequest, "Invalid metadata format"))?;
    Ok(metadata.0)
}

/// As Go reads truth values; empty is none.
fn parse_bool(text: &[u8]) -> ApiResult<Option<bool>> {
    match text {
        b"" => Ok(None),
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(Some(true)),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(Some(false)),
        other => {
            let shown = json!(String::from_utf8_lossy(other));
            let reason = format!("strconv.ParseBool: parsing {shown}: invalid syntax");
            Err(ApiError::with_details(Code::BadRequest, "Invalid enable_multimodel format", reason))
        }
    }
}
