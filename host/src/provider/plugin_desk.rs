//! What an operator sees of the plugins and does with them.
//!
//! Not here: how a plugin is loaded (`plugin`), and who is the operator (`library`, `http::auth`).

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The operator's desk; the plugin room stands behind it. All of it reads files, and `allow` compiles: not for a thread that serves requests.
pub trait PluginDesk: Send + Sync {
    /// Shipped ones first, then the folder.
    fn list(&self) -> Result<Vec<PluginListing>>;

    /// Pins the plugin `name` and loads it beside the one it replaces; new calls go to it, calls under way end where they are.
    /// `digest`: of the file that the operator has seen; another file is a conflict.
    fn allow(&self, name: &str, digest: Option<&str>) -> Result<PluginListing>;

    /// As `allow`, for a native library: it will run as the server itself. The file is always the one of this digest.
    fn allow_native(&self, name: &str, digest: &str) -> Result<PluginListing>;

    /// Narrows or widens what an allowed plugin may do, never beyond what its manifest asks for. It holds for calls that begin afterwards.
    fn grant(&self, name: &str, change: &PluginGrantsChange) -> Result<PluginListing>;

    /// Goes back to the file that was allowed before this one; once more, and the newer one runs again. No call fails meanwhile.
    fn roll_back(&self, name: &str) -> Result<PluginListing>;

    /// Takes the permission back: no new calls, and those under way end with an error.
    fn deny(&self, name: &str) -> Result<()>;
}

/// How a component came to run; `doctor` shows it, a test reads that a second start compiles nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadedFrom {
    Cache,
    Compiler,
    /// A native library, or linked in: there is nothing to compile.
    Library,
}

/// What a plugin is built as; one source gives all three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PluginForm {
    /// WebAssembly, in a sandbox with limits.
    #[default]
    Component,
    /// A library of this machine, which runs as the server itself.
    Native,
    /// Part of the server's own binary.
    Linked,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PluginState {
    /// In this binary.
    Shipped,
    /// Third-party, allowed and loaded.
    Allowed,
    /// In the folder, not allowed yet.
    #[default]
    Waiting,
    /// Allowed under another digest: the file was changed.
    Changed { allowed_digest: String },
    /// A native library that nobody allowed to run as the server itself.
    NativeRefused,
    /// Shipped or allowed, but its files are not there or not the right ones; `get` is what `models get` fetches them by.
    NeedsFiles { reason: String, get: String },
    /// Allowed or waiting, and it can not be loaded.
    Broken { reason: String },
}

/// What an operator granted of what a manifest asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginGrants {
    pub allowed_hosts: Vec<String>,
    pub allowed_models: Vec<String>,
    /// Each secret, and where it may be sent.
    pub secrets: BTreeMap<String, Vec<String>>,
}

/// New grants; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PluginGrantsChange {
    pub allowed_hosts: Option<Vec<String>>,
    pub allowed_models: Option<Vec<String>>,
    pub secrets: Option<BTreeMap<String, Vec<String>>>,
}

/// A file that was allowed before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginVersion {
    pub version: String,
    /// SHA-256 of the file.
    pub digest: String,
}

/// One plugin: who it is, what it asks for, how it stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = Plugin)]
pub struct PluginListing {
    pub name: String,
    pub title: String,
    pub version: String,
    pub licence: String,
    /// SHA-256 of its file; of the manifest where it is linked in.
    pub digest: String,
    #[serde(default)]
    pub form: PluginForm,
    /// Read off what it exports; empty while it is not loaded.
    pub kinds: Vec<String>,
    pub profile: String,
    pub allowed_hosts: Vec<String>,
    /// Each secret, and where it may be sent.
    pub secrets: BTreeMap<String, Vec<String>>,
    pub allowed_models: Vec<String>,
    pub cache_bytes_max: u64,
    /// Of an instance; 0: nobody can limit it, because it is native.
    pub memory_bytes_max: u64,
    /// CPU time of a turn; 0: as above.
    pub turn_ms_max: u64,
    /// Names of the models it brings.
    pub models: Vec<String>,
    /// Files that it reads while it warms up, and their sizes in bytes.
    #[serde(default)]
    pub files: BTreeMap<String, u64>,
    /// File in the plugin folder; `None` for shipped ones.
    pub file: Option<String>,
    #[serde(flatten)]
    pub state: PluginState,
    pub loaded_from: Option<LoadedFrom>,
    pub load_time_us: u64,
    pub instances: usize,
    /// Linear memory of its instances; 0 for native ones, whose memory is the server's.
    pub memory_bytes: usize,
    /// Why calls to it are refused at the moment: it failed again and again.
    pub paused: Option<String>,
    /// Of what it asks for; `None` for shipped plugins, which have all of it, and for those that are not allowed.
    #[serde(default)]
    pub granted: Option<PluginGrants>,
    /// What `roll_back` would go back to.
    #[serde(default)]
    pub previous: Option<PluginVersion>,
}
