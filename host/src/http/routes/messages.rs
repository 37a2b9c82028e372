//! Messages over HTTP.
//!
//! Not here: how they came to be.

use crate::domain::{Message, Timestamp};
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data, Done};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{PathIds, Query};
use crate::http::openapi::BadRequest;
use crate::limits;
use axum::extract::State;

/// When a client names no number, or none that is one.
const LIMIT: i64 = 20;

#[utoipa::path(
    get,
    path = "/api/v1/messages/{session_id}/load",
    tag = "messages",
    summary = "The newest messages of a session, oldest first",
    params(
        ("limit" = Option<i64>, Query, description = "0 to 100; 20 if absent."),
        ("before_time" = Option<Timestamp>, Query, description = "Only messages before."),
    ),
    responses(
        (status = 200, description = "The messages.", body = Data<Vec<Message>>),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn load(
    State(state): State<AppState>,
    caller: Caller,
    PathIds([session_id]): PathIds<1>,
    query: Query,
) -> ApiResult {
    let limit = limit(query.get("limit").unwrap_or_default());
    let before = before(query.get("before_time").unwrap_or_default())?;
    Ok(envelope::data(&state.library.load_messages(caller.scope(), &session_id, before, limit).await?))
}

/// A negative number asks for all that a page holds.
fn limit(text: &str) -> i64 {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => limits::PAGE_SIZE_MAX,
        Ok(number) => number.min(limits::PAGE_SIZE_MAX),
        Err(_) => LIMIT,
    }
}

/// A plus sign that was sent bare has become a space.
fn before(text: &str) -> ApiResult<Option<Timestamp>> {
    if text.is_empty() {
        return Ok(None);
    }
    // RFC 3339 allows small letters, and a space between day and hour; the contract's server takes neither.
    let is_strict = text.as_bytes().get(10) == Some(&b'T') && !text.ends_with('z');
    let time = if is_strict { Timestamp::parse(text).or_else(|| Timestamp::parse(&text.replace(' ', "+"))) } else { None };
    time.map(Some).ok_or_else(|| ApiError::new(Code::BadRequest, "Invalid time format, please use RFC3339Nano format"))
}

#[utoipa::path(
    delete,
    path = "/api/v1/messages/{session_id}/{id}",
    tag = "messages",
    summary = "Delete a message",
    responses((status = 200, description = "Deleted, or was not there.", body = Done))
)]
pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([session_id, id]): PathIds<2>) -> ApiResult {
    state.library.delete_message(caller.scope(), &session_id, &id).await?;
    Ok(envelope::message("Message deleted successfully"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_lenient_and_bounded() {
        for (text, number) in [("", 20), ("x", 20), ("1.5", 20), ("0", 0), ("7", 7), ("-1", 100), ("5000", 100)] {
            assert_eq!(limit(text), number, "{text}");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        let time = Timestamp::parse("2026-01-02T03:04:05.678901+08:00");
        assert_eq!(before("2026-01-02T03:04:05.678901+08:00").ok().flatten(), time);
        assert_eq!(before("2026-01-02T03:04:05.678901 08:00").ok().flatten(), time);
        assert_eq!(before("").ok(), Some(None));
        for text in
            ["yesterday", "2026-01-02", "2026-01-02 03:04:05Z", "2026-01-02t03:04:05Z", "2026-01-02T03:04:05z", "9999-12-31T23:59:59-01:00"]
        {
            assert!(before(text).is_err(), "{text}");
        }
    }
}
