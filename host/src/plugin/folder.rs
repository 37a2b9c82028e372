//! The components and native libraries that an operator put into the plugin folder, as files; nothing of them runs here.
//!
//! Not here: which of them are allowed (`lock`).

use super::binary::{digest_of, form_of, manifest_of};
use crate::limits;
use crate::provider::PluginForm;
use anyhow::Context;
use knowhost_plugin_sdk::manifest::Manifest;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Files looked at; more are not read.
const FILES_MAX: usize = 256;
const ENDINGS: [&str; 3] = [".wasm", ".so", ".dylib"];

pub(super) struct Found {
    /// Name in the folder.
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
    pub(super) digest: String,
    pub(super) form: PluginForm,
    pub(super) manifest: anyhow::Result<Manifest>,
}

/// Every `*.wasm`, `*.so` and `*.dylib`, by file name; what a file is says its content. A missing folder holds none.
pub(super) fn scan(folder: &Path) -> Vec<Found> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_plugin = |name: &String| ENDINGS.iter().any(|ending| name.ends_with(ending));
    let mut files: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(is_plugin).collect();
    files.sort();
    files.truncate(FILES_MAX);
    files.into_iter().map(|file| look(folder, file)).collect()
}

fn look(folder: &Path, file: String) -> Found {
    match read(&folder.join(&file)) {
        Ok(bytes) => Found { digest: digest_of(&bytes), form: form_of(&bytes), manifest: manifest_of(&bytes), file, bytes },
        Err(error) => Found { file, bytes: Vec::new(), digest: String::new(), form: PluginForm::Component, manifest: Err(error) },
    }
}

/// One byte more than allowed is read and no more, so that a large file costs nothing.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    // Opening a pipe would wait for its writer for ever.
    anyhow::ensure!(std::fs::metadata(path).is_ok_and(|file| file.is_file()), "{} is no file", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("can not read {}", path.display()))?;
    file.take(limits::PLUGIN_COMPONENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts a file in place, readable by its owner alone: whole, or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let temporary = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let cannot = || format!("can not write {}", path.display());
    let _ = std::fs::remove_file(&temporary);
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).with_context(cannot)?;
    new.write_all(bytes).and_then(|()| new.sync_all()).with_context(cannot)?;
    std::fs::rename(&temporary, path).with_context(cannot)
}
