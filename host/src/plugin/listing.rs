//! What an operator is shown about a plugin, made from its manifest.
//!
//! Not here: how it is printed (`cli`, `http`).

use crate::provider::{PluginForm, PluginListing, PluginState};
use knowhost_plugin_sdk::manifest::Manifest;
use std::collections::BTreeMap;

/// Everything that the manifest says.
pub(super) fn of_manifest(manifest: &Manifest, digest: String, form: PluginForm, state: PluginState) -> PluginListing {
    let limits = super::loaded::instance_limits(manifest);
    // Nobody can hold a native plugin to limits of memory and time.
    let is_held = form == PluginForm::Component;
    PluginListing {
        name: manifest.name.clone(),
        title: manifest.title.clone(),
        version: manifest.version.clone(),
        licence: manifest.licence.clone(),
        digest,
        form,
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
        memory_bytes_max: if is_held { limits.memory_bytes_max as u64 } else { 0 },
        turn_ms_max: if is_held { u64::try_from(limits.turn_cpu_max.as_millis()).unwrap_or(u64::MAX) } else { 0 },
        models: manifest.models.iter().map(|model| model.name.clone()).collect(),
        files: manifest.files.iter().map(|file| (file.name.clone(), file.size_bytes)).collect(),
        file: None,
        state,
        loaded_from: None,
        load_time_us: 0,
        instances: 0,
        memory_bytes: 0,
        paused: None,
        granted: None,
        previous: None,
    }
}

/// A file that has no readable manifest.
pub(super) fn unreadable(file: &str, form: PluginForm, reason: String) -> PluginListing {
    PluginListing {
        name: file.rsplit_once('.').map_or(file, |(name, _)| name).to_owned(),
        title: String::new(),
        version: String::new(),
        licence: String::new(),
        digest: String::new(),
        form,
        kinds: Vec::new(),
        profile: String::new(),
        allowed_hosts: Vec::new(),
        secrets: BTreeMap::new(),
        allowed_models: Vec::new(),
        cache_bytes_max: 0,
        memory_bytes_max: 0,
        turn_ms_max: 0,
        models: Vec::new(),
        files: BTreeMap::new(),
        file: Some(file.to_owned()),
        state: PluginState::Broken { reason },
        loaded_from: None,
        load_time_us: 0,
        instances: 0,
        memory_bytes: 0,
        paused: None,
        granted: None,
        previous: None,
    }
}
