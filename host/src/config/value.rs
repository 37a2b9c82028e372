//! Values as the layers hold them: each remembers where it was written, so that a mistake can be named.
//!
//! Not here: which keys exist (`keys`) and what they mean (`load`).

use serde_json::Value;
use std::collections::BTreeMap;

/// A setting that stops the start: which one, where it stands, and what is accepted.
#[derive(Debug, thiserror::Error)]
#[error("{key} ({place}): {problem}")]
pub struct LoadError {
    pub key: String,
    pub place: String,
    pub problem: String,
}

impl LoadError {
    pub(super) fn new(key: impl Into<String>, place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), place: place.into(), problem: problem.into() }
    }
}

/// A value and the place it came from.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) place: String,
}

pub(super) type Entries = BTreeMap<String, Entry>;

pub(super) fn set(entries: &mut Entries, key: &str, value: Value, place: &str) {
    entries.insert(key.to_owned(), Entry { value, place: place.to_owned() });
}

pub(super) fn entry<'a>(entries: &'a Entries, key: &str) -> Result<&'a Entry, LoadError> {
    entries.get(key).ok_or_else(|| LoadError::new(key, "settings", "has no value"))
}

pub(super) fn text(entries: &Entries, key: &str) -> Result<String, LoadError> {
    as_text(key, entry(entries, key)?)
}

pub(super) fn as_text(key: &str, entry: &Entry) -> Result<String, LoadError> {
    match &entry.value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(LoadError::new(key, &entry.place, "a text is accepted here")),
    }
}

pub(super) fn boolean(entries: &Entries, key: &str) -> Result<bool, LoadError> {
    as_boolean(key, entry(entries, key)?)
}

pub(super) fn as_boolean(key: &str, entry: &Entry) -> Result<bool, LoadError> {
    match as_text(key, entry)?.to_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        other => Err(LoadError::new(key, &entry.place, format!("{other:?} is not accepted; write true or false"))),
    }
}

pub(super) fn as_number(key: &str, entry: &Entry) -> Result<f64, LoadError> {
    let text = as_text(key, entry)?;
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(LoadError::new(key, &entry.place, format!("{text:?} is not a number"))),
    }
}

pub(super) fn number(entries: &Entries, key: &str, min: f64, max: f64) -> Result<f64, LoadError> {
    let entry = entry(entries, key)?;
    let number = as_number(key, entry)?;
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(LoadError::new(key, &entry.place, format!("{number} is not accepted; write a number from {min} to {max}")))
    }
}

pub(super) fn list(entries: &Entries, key: &str) -> Result<Vec<String>, LoadError> {
    let text = text(entries, key)?;
    Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

pub(super) fn word<T: Copy>(entries: &Entries, key: &str, words: &[(&str, T)]) -> Result<T, LoadError> {
    let entry = entry(entries, key)?;
    let text = as_text(key, entry)?;
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        LoadError::new(key, &entry.place, format!("{text:?} is not accepted; write {}", names.join(" or ")))
    })
}
