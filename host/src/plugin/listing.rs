//! What an operator is shown about a plugin.
//!
//! Not here: how it is printed (`cli`, `http`).

use super::wasm::LoadedFrom;
use knowhost_plugin_sdk::manifest::Manifest;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginState {
    /// In this binary.
    Shipped,
    /// Third-party, allowed and loaded.
    Allowed,
    /// In the folder, not allowed yet.
    Waiting,
    /// Allowed under another digest: the file was changed.
    Changed { allowed_digest: String },
    /// Allowed or waiting, and it can not be loaded.
    Broken { reason: String },
}

/// One plugin: who it is, what it asks for, how it stands.
#[derive(Clone, Debug)]
pub struct PluginListing {
    pub name: String,
    pub title: String,
    pub version: String,
    pub licence: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// Read off the component's exports; empty while it is not loaded.
    pub kinds: Vec<String>,
    pub profile: String,
    pub allowed_hosts: Vec<String>,
    /// Each secret, and where it may be sent.
    pub secrets: Vec<(String, Vec<String>)>,
    pub allowed_models: Vec<String>,
    pub cache_bytes_max: u64,
    pub memory_bytes_max: u64,
    pub turn_ms_max: u64,
    /// Names of the models it brings.
    pub models: Vec<String>,
    /// File in the plugin folder; `None` for shipped ones.
    pub file: Option<String>,
    pub state: PluginState,
    pub loaded_from: Option<LoadedFrom>,
    pub load_time_us: u64,
    pub instances: usize,
    /// Linear memory of its instances.
    pub memory_bytes: usize,
    /// Why calls to it are refused at the moment: it failed again and again.
    pub paused: Option<String>,
}

impl PluginListing {
    /// Everything that the manifest says.
    pub(super) fn of(manifest: &Manifest, digest: String, state: PluginState) -> Self {
        let limits = super::loaded::instance_limits(manifest);
        Self {
            name: manifest.name.clone(),
            title: manifest.title.clone(),
            version: manifest.version.clone(),
            licence: manifest.licence.clone(),
            digest,
            kinds: Vec::new(),
            profile: format!("{:?}", manifest.profile).to_lowercase(),
            allowed_hosts: manifest.allowed_hosts.iter().map(ToString::to_string).collect(),
            secrets: manifest
                .secrets
                .iter()
                .map(|secret| (secret.name.clone(), secret.hosts.iter().map(ToString::to_string).collect()))
                .collect(),
            allowed_models: manifest.allowed_models.clone(),
            cache_bytes_max: manifest.cache_bytes_max,
            memory_bytes_max: limits.memory_bytes_max as u64,
            turn_ms_max: u64::try_from(limits.turn_cpu_max.as_millis()).unwrap_or(u64::MAX),
            models: manifest.models.iter().map(|model| model.name.clone()).collect(),
            file: None,
            state,
            loaded_from: None,
            load_time_us: 0,
            instances: 0,
            memory_bytes: 0,
            paused: None,
        }
    }

    /// A file that has no readable manifest.
    pub(super) fn unreadable(file: &str, reason: String) -> Self {
        Self {
            name: file.trim_end_matches(".wasm").to_owned(),
            title: String::new(),
            version: String::new(),
            licence: String::new(),
            digest: String::new(),
            kinds: Vec::new(),
            profile: String::new(),
            allowed_hosts: Vec::new(),
            secrets: Vec::new(),
            allowed_models: Vec::new(),
            cache_bytes_max: 0,
            memory_bytes_max: 0,
            turn_ms_max: 0,
            models: Vec::new(),
            file: Some(file.to_owned()),
            state: PluginState::Broken { reason },
            loaded_from: None,
            load_time_us: 0,
            instances: 0,
            memory_bytes: 0,
            paused: None,
        }
    }
}
