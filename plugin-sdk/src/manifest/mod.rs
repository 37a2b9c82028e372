//! The manifest of a plugin, `plugin.toml`: what it is, what it asks for, what it brings.
//!
//! Not here: how it is parsed (`parse`), where it is kept (`section`), and what an operator grants (the host).

mod parse;
#[cfg(test)]
mod tests;

pub use crate::bindings::chat_model::Task;
use std::fmt;

/// A manifest that passed every check.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// `[a-z0-9-]`, 1 to 64 characters
    pub name: String,
    /// for people
    pub title: String,
    /// three numbers, perhaps with a pre-release: `1.2.3-beta.1`
    pub version: String,
    /// SPDX expression
    pub licence: String,
    /// version of the plugin interface, `0.1`
    pub interface: String,
    pub profile: Profile,
    /// what a chat model can do; empty for other kinds
    pub tasks: Vec<Task>,
    pub allowed_hosts: Vec<AllowedHost>,
    pub secrets: Vec<SecretGrant>,
    /// JSON Schema of the settings of a model row; `None`: there are none
    pub settings: Option<serde_json::Value>,
    /// `chat`, `embed`, `rerank`
    pub allowed_models: Vec<String>,
    pub cache_bytes_max: u64,
    pub limits: Limits,
    pub models: Vec<ManifestModel>,
    /// what does not fit into the component; without all of them the plugin does not start
    pub files: Vec<ManifestFile>,
}

/// How instances are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// many calls in an instance, short turns, waits for others
    Network,
    /// one call at a time on a thread of its own, long turns, no exchanges
    Compute,
}

/// A place that the plugin wants to talk to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AllowedHost {
    /// `{base_url}`: the address in the model row, for that call
    BaseUrl,
    Origin(Origin),
}

/// Scheme, host and port of an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `http` or `https`
    pub scheme: String,
    /// lower case; IPv6 addresses in brackets
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl => f.write_str("{base_url}"),
            Self::Origin(origin) => origin.fmt(f),
        }
    }
}

/// A secret by name, and the only places it may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretGrant {
    pub name: String,
    pub hosts: Vec<AllowedHost>,
}

/// Lower limits than the host's own. The host takes the smaller of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub turn_ms_max: Option<u64>,
    pub memory_bytes_max: Option<u64>,
    pub calls_per_instance_max: Option<u64>,
    pub open_ops_max: Option<u64>,
    pub response_bytes_max: Option<u64>,
    pub exchange_ms_max: Option<u64>,
    /// texts in one call of an embedder or reranker; the host cuts longer lists
    pub texts_per_call_max: Option<u64>,
}

/// A model that the plugin itself brings.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestModel {
    pub kind: ModelKind,
    pub name: String,
    pub title: Option<String>,
    /// row length of an embedder
    pub dimension: Option<u32>,
    /// changes whenever vectors of before do not compare with vectors of after
    pub digest: Option<String>,
    /// (raw, shown) points, both rising; empty: none
    pub score_map: Vec<(f32, f32)>,
}

/// A file beside the component, which the operator fetches and the plugin reads while it warms up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// a plain file name
    pub name: String,
    /// of the file, 64 lower-case hexadecimal digits
    pub sha256: String,
    pub size_bytes: u64,
    /// `https` address of the file, or of a ZIP archive that holds it; `None`: the operator has to know where it is
    pub url: Option<String>,
    /// path inside the archive at `url`; `None`: `url` is the file itself
    pub member: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    Embedder,
    Reranker,
    ChatModel,
}

/// Why a manifest is refused: the key, and what may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// `secrets.api_key`; empty when the text is no TOML
    pub key: String,
    pub text: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { write!(f, "plugin.toml: {}", self.text) } else { write!(f, "plugin.toml: `{}`: {}", self.key, self.text) }
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Parses and checks `plugin.toml`. Unknown keys are refused.
    pub fn parse(toml: &str) -> Result<Self, ManifestError> {
        parse::manifest(toml)
    }

    pub fn secret(&self, name: &str) -> Option<&SecretGrant> {
        self.secrets.iter().find(|secret| secret.name == name)
    }
}

impl std::str::FromStr for Manifest {
    type Err = ManifestError;

    fn from_str(toml: &str) -> Result<Self, ManifestError> {
        Self::parse(toml)
    }
}
