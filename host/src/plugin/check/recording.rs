//! Recorded calls: `exchanges/*.json` in a plugin's folder, each a request with the exchanges that answered it.
//!
//! Not here: playing them (`tape`). Secrets stand in them by name only.

use super::request::{CallRequest, ModelSpec};
use crate::limits;
use anyhow::{Context, bail};
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A call with everything that went over the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    pub model: ModelSpec,
    pub request: CallRequest,
    pub exchanges: Vec<RecordedExchange>,
    /// What the call gave: `answer`, or `error` with its kind and text.
    pub result: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedExchange {
    pub method: String,
    pub url: String,
    /// Names only: a value may be a secret.
    #[serde(default)]
    pub headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Content::is_empty")]
    pub body: Content,
    pub status: u16,
    #[serde(default)]
    pub response_headers: BTreeMap<String, String>,
    /// As they arrived.
    #[serde(default)]
    pub chunks: Vec<Content>,
}

/// Bytes of a body: text where they are some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    Base64 { base64: String },
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Content {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64 { base64: base64::engine::general_purpose::STANDARD.encode(bytes) },
        }
    }

    pub(super) fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Base64 { base64 } => base64::engine::general_purpose::STANDARD.decode(base64).context("a body is no base64"),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl Recording {
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        let size = std::fs::metadata(file).with_context(|| format!("can not read {shown}"))?.len();
        if size > limits::RECORDING_BYTES_MAX {
            bail!("{shown} is larger than {} MiB; record a shorter call", limits::RECORDING_BYTES_MAX >> 20);
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("can not read {shown}"))?;
        let recording: Self =
            serde_json::from_str(&text).map_err(|error| anyhow::anyhow!("{shown}:{}: {error}; record it again", error.line()))?;
        for exchange in &recording.exchanges {
            for content in exchange.chunks.iter().chain([&exchange.body]) {
                content.bytes().with_context(|| shown.to_string())?;
            }
        }
        Ok(recording)
    }

    /// All `*.json` of a folder, by file name; a missing folder holds none.
    pub fn read_folder(folder: &Path) -> anyhow::Result<Vec<(String, Self)>> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.ends_with(".json")).collect();
        names.sort();
        if names.len() > limits::RECORDINGS_MAX {
            bail!("{} holds more than {} recordings", folder.display(), limits::RECORDINGS_MAX);
        }
        names.into_iter().map(|name| Self::read(&folder.join(&name)).map(|recording| (name, recording))).collect()
    }

    pub fn to_text(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_as_they_were() {
        for bytes in [&b"plain"[..], "知识".as_bytes(), &[0xff, 0, 0x80], &[]] {
            let text = serde_json::to_string(&Content::of(bytes)).unwrap();
            assert_eq!(serde_json::from_str::<Content>(&text).unwrap().bytes().unwrap(), bytes);
        }
        assert!(Content::Base64 { base64: "*".into() }.bytes().is_err());
    }

    #[test]
    fn broken_recording_names_its_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "{\n  \"modle\": {}\n}").unwrap();
        let error = format!("{:#}", Recording::read_folder(folder.path()).unwrap_err());
        assert!(error.contains("a.json:2:") && error.contains("modle"), "{error}");
        assert!(Recording::read_folder(&folder.path().join("missing")).unwrap().is_empty());
    }
}
