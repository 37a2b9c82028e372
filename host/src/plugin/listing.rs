//! What an operator is shown about a plugin, made from its manifest.
//!
//! Not here: how it is printed (`cli`, `http`).

use super::lock::asked;
use crate::provider::{PluginForm, PluginGrants, PluginListing, PluginState};
use knowhost_plugin_sdk::manifest::Manifest;

/// Everything that the manifest says.
pub(super) fn of_manifest(manifest: &Manifest, digest: String, form: PluginForm, state: PluginState) -> PluginListing {
    let limits = super::loaded::instance_limits(manifest);
    // Nobody can hold a native plugin to limits of memory and time.
    let is_held = form == PluginForm::Component;
    let PluginGrants { allowed_hosts, allowed_models, secrets } = asked(manifest);
    PluginListing {
        name: manifest.name.clone(),
        title: manifest.title.clone(),
        version: manifest.version.clone(),
        licence: manifest.licence.clone(),
        digest,
        form,
        kinds: Vec::new(),
        profile: format!("{:?}", manifest.profile).to_lowercase(),
        allowed_hosts,
        secrets,
        allowed_models,
        cache_bytes_max: manifest.cache_bytes_max,
        memory_bytes_max: if is_held { limits.memory_bytes_max as u64 } else { 0 },
        turn_ms_max: if is_held { u64::try_from(limits.turn_cpu_max.as_millis()).unwrap_or(u64::MAX) } else { 0 },
        models: manifest.models.iter().map(|model| model.name.clone()).collect(),
        files: manifest.files.iter().map(|file| (file.name.clone(), file.size_bytes)).collect(),
        state,
        ..PluginListing::default()
    }
}

/// A file that has no readable manifest.
pub(super) fn unreadable(file: &str, form: PluginForm, reason: String) -> PluginListing {
    PluginListing {
        name: file.rsplit_once('.').map_or(file, |(name, _)| name).to_owned(),
        form,
        file: Some(file.to_owned()),
        state: PluginState::Broken { reason },
        ..PluginListing::default()
    }
}
