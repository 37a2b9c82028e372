//! What a database failure means to a caller. Not here: status codes; the driver's own words stay in the log.

use crate::error::Error;
use sqlx::error::ErrorKind;

/// Primary result codes of SQLite that an operator can do something about.
const SQLITE_BUSY: i32 = 5;
const SQLITE_FULL: i32 = 13;

/// Makes the closure for `map_err`; `doing` completes "failed while ...".
pub(super) fn fault(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| translate(error, doing)
}

fn translate(error: sqlx::Error, doing: &'static str) -> Error {
    if let sqlx::Error::Database(database) = &error {
        if database.kind() == ErrorKind::UniqueViolation {
            return Error::Conflict(conflict(database.message()).to_string());
        }
        // Extended codes keep the primary one in their low byte.
        let code = database.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
        if code == Some(SQLITE_FULL) {
            tracing::error!(%error, doing, "the disk is full");
            return Error::Unavailable { reason: "the disk of the database is full".into() };
        }
        if code == Some(SQLITE_BUSY) {
            tracing::warn!(%error, doing, "the database is busy");
            return Error::Unavailable { reason: "the database is busy; try again".into() };
        }
    }
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return Error::Unavailable { reason: "the database is busy; try again".into() };
    }
    Error::Internal(anyhow::Error::new(error).context(format!("the database failed while {doing}")))
}

/// SQLite names the columns of the broken constraint in its message.
fn conflict(message: &str) -> &'static str {
    if message.contains("users.email") {
        "user with this email already exists"
    } else if message.contains("users.username") {
        "user with this username already exists"
    } else {
        "a row with this id already exists"
    }
}
