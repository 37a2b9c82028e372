//! `knowhost plugin new`: a folder that builds, is tested and passes the check.
//!
//! Not here: what stands in it (`language` and `plugin-sdk/templates`).

use super::super::EXIT_DONE;
use super::super::output::Output;
use super::arguments::New;
use super::language::Blueprint;
use anyhow::{Context, Result, bail};
use knowhost_plugin_sdk::manifest::Manifest;
use serde_json::json;
use std::path::PathBuf;

pub(super) fn run(command: &New, output: &Output) -> Result<u8> {
    let here = command.dir.as_os_str() == ".";
    let folder = if here { PathBuf::from(&command.name) } else { command.dir.join(&command.name) };
    let shown = folder.display();
    let files = command.lang.files(&Blueprint { name: &command.name, kind: command.kind, sdk: command.sdk.as_deref() })?;
    // The rules of names are the manifest's.
    let manifest = files.iter().find(|file| file.path == super::source::MANIFEST).map(|file| Manifest::parse(&file.text));
    if let Some(Err(error)) = manifest {
        bail!("{:?} is no name for a plugin: {}", command.name, error.text);
    }
    if folder.exists() {
        bail!("{shown} is there already; choose another name, or remove it");
    }
    for file in &files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("can not make {}", parent.display()))?;
        }
        std::fs::write(&path, &file.text).with_context(|| format!("can not write {}", path.display()))?;
    }
    let (kind, language) = (command.kind.name(), command.lang.name());
    let article = if kind.starts_with('e') { "an" } else { "a" };
    output.line(format!("Made {shown}, {article} {kind} in {language}. Next:"));
    output.line(format!("  cd {shown}\n  knowhost plugin build --release\n  knowhost plugin check {}.wasm", command.name));
    if let Some(lacking) = command.lang.lacking(Some(&folder)) {
        output.warn(&format!("Before that: {lacking}"));
    }
    output.value(&json!({ "folder": folder, "files": files.iter().map(|file| &file.path).collect::<Vec<_>>() }));
    Ok(EXIT_DONE)
}
