//! Between columns and values: texts that may be stored, JSON columns, times. Not here: any table.

use crate::domain::Timestamp;
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A text that may be stored: no NUL (Postgres can not hold it, so no dialect does) and at most `chars_max` characters.
pub(super) fn check_text(field: &'static str, value: &str, chars_max: usize) -> Result<()> {
    check_no_nul(field, value)?;
    // Bytes bound characters from above, so most texts are not counted.
    if value.len() > chars_max && value.chars().count() > chars_max {
        return Err(Error::Validation { message: format!("{field} is longer than {chars_max} characters"), details: Some(field.into()) });
    }
    Ok(())
}

pub(super) fn check_no_nul(field: &'static str, value: &str) -> Result<()> {
    if value.contains('\0') {
        return Err(Error::BadRequest(format!("{field} must not contain a NUL character")));
    }
    Ok(())
}

pub(super) fn check_optional(field: &'static str, value: Option<&String>, chars_max: usize) -> Result<()> {
    value.map_or(Ok(()), |value| check_text(field, value, chars_max))
}

/// For texts that no caller typed, such as parsed documents: what can not be stored is left out.
pub(super) fn without_nul(value: &str) -> String {
    value.replace('\0', "")
}

/// JSON text for a column; NUL is refused in its escaped form too, as it comes back as a NUL.
pub(super) fn to_json<T: Serialize + ?Sized>(field: &'static str, value: &T) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|error| broken(field, &error))?;
    if text.contains("\\u0000") {
        let parsed: serde_json::Value = serde_json::from_str(&text).map_err(|error| broken(field, &error))?;
        if holds_nul(&parsed) {
            return Err(Error::BadRequest(format!("{field} must not contain a NUL character")));
        }
    }
    Ok(text)
}

fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(holds_nul),
        serde_json::Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
    }
}

pub(super) fn from_json<T: DeserializeOwned>(field: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| broken(field, &error))
}

pub(super) fn time(field: &'static str, text: &str) -> Result<Timestamp> {
    Timestamp::parse(text).ok_or_else(|| Error::Internal(anyhow::anyhow!("the column {field} holds {text:?}, which is no time")))
}

pub(super) fn optional_time(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>> {
    text.map(|text| time(field, text)).transpose()
}

/// A word of the contract in a column.
pub(super) fn word<T>(field: &'static str, text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    parse(text).ok_or_else(|| Error::Internal(anyhow::anyhow!("the column {field} holds the unknown word {text:?}")))
}

/// A list of ids for `in (select value from json_each(?))`.
pub(super) fn id_list<S: AsRef<str>>(ids: &[S]) -> String {
    let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
    serde_json::Value::from(ids).to_string()
}

/// A fresh id where the caller gave none.
pub(super) fn id_or_new(id: &str) -> String {
    if id.is_empty() { uuid::Uuid::new_v4().to_string() } else { id.to_string() }
}

fn broken(field: &'static str, error: &serde_json::Error) -> Error {
    Error::Internal(anyhow::anyhow!("the column {field} and its JSON do not fit: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_counts_characters_and_not_bytes() {
        assert!(check_text("name", &"学".repeat(255), 255).is_ok());
        assert!(matches!(check_text("name", &"学".repeat(256), 255), Err(Error::Validation { .. })));
    }

    #[test]
    fn nul_is_refused_in_plain_and_in_json_but_an_escaped_backslash_is_not_nul() {
        assert!(matches!(check_text("name", "a\0b", 255), Err(Error::BadRequest(_))));
        assert!(matches!(to_json("separators", &vec!["a\0"]), Err(Error::BadRequest(_))));
        assert!(to_json("separators", &vec!["\\u0000"]).is_ok());
    }
}
