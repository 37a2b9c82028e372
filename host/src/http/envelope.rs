//! The shapes of successful answers.
//!
//! Not here: failures (`error`).

use super::go_json;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Any body as JSON.
pub fn json<T: Serialize + ?Sized>(status: StatusCode, body: &T) -> Response {
    let (status, bytes) = match go_json::to_vec(body) {
        Ok(bytes) => (status, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            let fallback = br#"{"error":{"code":1007,"message":"Internal server error"},"success":false}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, fallback.to_vec())
        }
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

#[derive(Serialize, ToSchema)]
pub struct Data<T> {
    data: T,
    success: bool,
}

/// `200 {"data":..,"success":true}`.
pub fn data<T: Serialize + ?Sized>(data: &T) -> Response {
    json(StatusCode::OK, &Data { data, success: true })
}

/// `201 {"data":..,"success":true}`.
pub fn created<T: Serialize + ?Sized>(data: &T) -> Response {
    json(StatusCode::CREATED, &Data { data, success: true })
}

/// What is done has no data.
#[derive(Serialize, ToSchema)]
pub struct Done {
    message: String,
    success: bool,
}

/// `200 {"message":..,"success":true}`.
pub fn message(text: &str) -> Response {
    json(StatusCode::OK, &Done { message: text.to_owned(), success: true })
}

#[derive(Serialize, ToSchema)]
pub struct Paged<T> {
    data: T,
    page: i64,
    page_size: i64,
    success: bool,
    total: i64,
}

/// A page of a list; `page` and `page_size` are those in effect.
pub fn paged<T: Serialize>(data: &[T], total: i64, page: i64, page_size: i64) -> Response {
    json(StatusCode::OK, &Paged { data, page, page_size, success: true, total })
}
