//! `knowhost plugin install` and `remove`: files of the plugins folder.
//!
//! Not here: permissions (`desk`); what is installed waits for `allow`, and needs no network.

use super::super::output::Output;
use super::super::{EXIT_DONE, EXIT_FAILED};
use super::desk::Desk;
use super::pack;
use crate::config::Settings;
use crate::limits;
use crate::plugin::{PluginState, is_native, read_component};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(super) fn run(settings: &Settings, file: &Path, output: &Output) -> Result<u8> {
    let (name, version, place) = put(settings, file)?;
    output.line(format!("Installed {name} {version} as {}.", place.display()));
    output.line(format!("It waits for `knowhost plugin allow {name}`, which shows what it asks for."));
    output.value(&json!({ "installed": name, "version": version, "file": place }));
    Ok(EXIT_DONE)
}

/// The plugin's name, out of a component or a pack.
pub(super) fn name_of(file: &Path) -> Result<String> {
    let bytes = component(file)?;
    Ok(read_component(&bytes).with_context(|| file.display().to_string())?.name)
}

fn component(file: &Path) -> Result<Vec<u8>> {
    let about = std::fs::metadata(file).with_context(|| format!("can not read {}", file.display()))?;
    if !about.is_file() || about.len() > limits::PLUGIN_COMPONENT_BYTES_MAX {
        bail!("{} is no file of at most {} MiB", file.display(), limits::PLUGIN_COMPONENT_BYTES_MAX >> 20);
    }
    let bytes = std::fs::read(file).with_context(|| format!("can not read {}", file.display()))?;
    if pack::is_pack(&bytes) { pack::component(bytes).with_context(|| file.display().to_string()) } else { Ok(bytes) }
}

/// Puts the component into the plugins folder, in the place of another version of it. Gives name, version and place.
pub(super) fn put(settings: &Settings, file: &Path) -> Result<(String, String, PathBuf)> {
    let bytes = component(file)?;
    let manifest = read_component(&bytes).with_context(|| file.display().to_string())?;
    let folder = settings.data_dir.join("plugins");
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make {}", folder.display()))?;
    // Under whatever name it lies there: two files with one plugin would be none.
    let extension = if is_native(&bytes) { "so" } else { "wasm" };
    let place = match find(&folder, &manifest.name)? {
        Some(place) if place.extension().is_some_and(|found| found == extension) => place,
        Some(other) => bail!("{} is there in another form; remove it first: knowhost plugin remove {}", other.display(), manifest.name),
        None => folder.join(format!("{}.{extension}", manifest.name)),
    };
    let temporary = place.with_extension(format!("{extension}.{}.new", std::process::id()));
    let written = std::fs::write(&temporary, &bytes).and_then(|()| std::fs::rename(&temporary, &place));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(|| format!("can not write {}", place.display()))?;
    Ok((manifest.name, manifest.version, place))
}

fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can not read {}", folder.display()))?;
    let is_it = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "wasm" || extension == "so")
            && std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= limits::PLUGIN_COMPONENT_BYTES_MAX)
            && std::fs::read(path).is_ok_and(|bytes| read_component(&bytes).is_ok_and(|manifest| manifest.name == name))
    };
    Ok(entries.flatten().map(|entry| entry.path()).find(is_it))
}

pub(super) async fn remove(settings: Settings, name: &str, yes: bool, output: &Output) -> Result<u8> {
    let folder = settings.data_dir.join("plugins");
    let desk = Desk::find(settings).await?;
    let plugin = desk.list().await?.into_iter().find(|plugin| plugin.name == name);
    let plugin = plugin.ok_or_else(|| anyhow!("no plugin is called {name:?}; see `knowhost plugin list`"))?;
    let Some(file) = plugin.file.filter(|_| plugin.state != PluginState::Shipped) else {
        bail!("{name} ships with this server and can not be removed");
    };
    if !yes && !output.confirm(&format!("Delete {file} and end its calls? Model rows of {name} will have no answer.")) {
        output.warn("Nothing was removed; --yes skips the question.");
        return Ok(EXIT_FAILED);
    }
    match plugin.state {
        // Its old version may still be in use.
        PluginState::Allowed | PluginState::Changed { .. } | PluginState::NeedsFiles { .. } => desk.deny(name).await?,
        PluginState::Waiting | PluginState::NativeRefused | PluginState::Shipped | PluginState::Broken { .. } => {}
    }
    let path = folder.join(&file);
    std::fs::remove_file(&path).with_context(|| format!("can not delete {}", path.display()))?;
    output.line(format!("Removed {name}."));
    output.value(&json!({ "removed": name, "file": path }));
    Ok(EXIT_DONE)
}
