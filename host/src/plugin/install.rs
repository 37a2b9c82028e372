//! The models that plugins bring, as an operator sees them, and putting their files in place.
//!
//! Not here: fetching over the network (`cli`), and loading what was put there (`incomplete`).

use super::binary::{Binary, manifest_of};
use super::config::PluginsConfig;
use super::files::PluginFiles;
use super::folder;
use super::lock::Lock;
use crate::provider::{BUILTIN_CHAT, BUILTIN_EMBED, BUILTIN_RERANK};
use anyhow::{Context, anyhow, bail};
use knowhost_plugin_sdk::manifest::{Manifest, ManifestFile, ModelKind};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const COPY_BYTES: usize = 1 << 20;

/// A model that a shipped or allowed plugin brings.
#[derive(Clone, Debug)]
pub struct BroughtModel {
    pub name: String,
    /// The contract's word: `Embedding`, `Rerank`, `KnowledgeQA`.
    pub model_type: &'static str,
    pub title: String,
    pub dimension: Option<u32>,
    pub plugin: String,
    /// Used where nothing else is configured.
    pub is_default: bool,
    /// What it needs on disk beside the server: the component's size, or that of its files.
    pub size_bytes: u64,
    pub has_files: bool,
    /// Some file lies in its folder, whether it is the right one or not.
    pub has_any_file: bool,
    /// Why it can not be used yet.
    pub lacking: Option<String>,
}

/// Reads manifests and looks at files; nothing is loaded, and no folder is made.
pub fn brought_models(config: &PluginsConfig) -> anyhow::Result<Vec<BroughtModel>> {
    let mut models = Vec::new();
    for (manifest, bytes) in manifests(config)? {
        let files = PluginFiles::of(&config.models_dir, &manifest);
        for model in &manifest.models {
            let (model_type, default) = match model.kind {
                ModelKind::Embedder => ("Embedding", BUILTIN_EMBED),
                ModelKind::Reranker => ("Rerank", BUILTIN_RERANK),
                ModelKind::ChatModel => ("KnowledgeQA", BUILTIN_CHAT),
            };
            models.push(BroughtModel {
                name: model.name.clone(),
                model_type,
                title: model.title.clone().unwrap_or_else(|| manifest.title.clone()),
                dimension: model.dimension,
                plugin: manifest.name.clone(),
                is_default: model.name == default,
                size_bytes: if manifest.files.is_empty() { bytes } else { files.size_bytes() },
                has_files: !manifest.files.is_empty(),
                has_any_file: files.listed().iter().any(|file| files.path(file).exists()),
                lacking: files.lacking(),
            });
        }
    }
    Ok(models)
}

/// Manifests of the shipped and the allowed plugins, with the sizes of their components.
fn manifests(config: &PluginsConfig) -> anyhow::Result<Vec<(Manifest, u64)>> {
    let mut found = Vec::new();
    for component in &config.shipped {
        found.push((manifest_of(&component.bytes)?, component.bytes.len() as u64));
    }
    for table in &config.linked {
        found.push((Binary::Linked(table).manifest()?, 0));
    }
    let lock = Lock::read(&config.lock_file)?;
    for file in folder::scan(&config.plugins_dir) {
        if let Ok(manifest) = file.manifest
            && lock.find(&manifest.name).is_some_and(|entry| entry.allows(&file.digest, file.form))
        {
            found.push((manifest, file.bytes.len() as u64));
        }
    }
    Ok(found)
}

/// The files of one plugin, to be put in place.
pub struct Installation {
    pub plugin: String,
    files: PluginFiles,
}

impl Installation {
    /// `name`: of a model, or of the plugin that brings it.
    pub fn find(config: &PluginsConfig, name: &str) -> anyhow::Result<Self> {
        let manifests = manifests(config)?;
        let is_it = |manifest: &Manifest| manifest.name == name || manifest.models.iter().any(|model| model.name == name);
        let Some((manifest, _)) = manifests.iter().find(|(manifest, _)| is_it(manifest)) else {
            let with_files = manifests.iter().filter(|(manifest, _)| !manifest.files.is_empty());
            let names: Vec<&str> = with_files.flat_map(|(manifest, _)| manifest.models.iter().map(|model| model.name.as_str())).collect();
            bail!("no plugin here brings a model {name:?}; models with files are: {}", names.join(", "));
        };
        if manifest.files.is_empty() {
            bail!("{name} is part of the plugin {} and needs no files", manifest.name);
        }
        Ok(Self { plugin: manifest.name.clone(), files: PluginFiles::of(&config.models_dir, manifest) })
    }

    /// Whether every file is there and the right one.
    pub fn is_complete(&self) -> bool {
        self.files.lacking().is_none() && self.files.read().is_ok()
    }

    /// Why the plugin can not start yet, by the names and sizes of its files.
    pub fn lacking(&self) -> Option<String> {
        self.files.lacking()
    }

    pub fn folder(&self) -> &Path {
        self.files.folder()
    }

    /// Each address once.
    pub fn urls(&self) -> Vec<String> {
        let mut urls: Vec<String> = self.files.listed().iter().filter_map(|file| file.url.clone()).collect();
        urls.dedup();
        urls
    }

    /// A fresh place for a download, in the folder where the files will lie. It goes away with its handle's owner calling `remove_file`.
    pub fn download_path(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder();
        std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
        Ok(folder.join(format!(".download.{}", std::process::id())))
    }

    /// Takes what it can find of the plugin's files out of `from`: a folder, an archive, or one of the files. Gives the names that it put in place;
    /// a file of the right name with another content is an error.
    pub fn take(&self, from: &Path) -> anyhow::Result<Vec<String>> {
        let shown = from.display();
        let about = std::fs::metadata(from).with_context(|| format!("can not read {shown}"))?;
        let mut taken = Vec::new();
        if about.is_dir() {
            for file in self.files.listed() {
                let places = [Some(file.name.as_str()), file.member.as_deref()].into_iter().flatten().map(|place| from.join(place));
                if let Some(place) = places.into_iter().find(|place| place.is_file()) {
                    self.put(file, &mut open(&place)?, &place.display().to_string())?;
                    taken.push(file.name.clone());
                }
            }
        } else if let Some(file) = self.files.listed().iter().find(|file| from.file_name().is_some_and(|name| name == file.name.as_str())) {
            self.put(file, &mut open(from)?, &shown.to_string())?;
            taken.push(file.name.clone());
        } else {
            self.unpack(from, &mut taken)?;
        }
        if taken.is_empty() {
            let wanted = self.files.listed().iter().map(|file| file.member.as_deref().unwrap_or(&file.name));
            bail!("{shown} holds none of {}", wanted.collect::<Vec<_>>().join(", "));
        }
        Ok(taken)
    }

    /// Takes what was fetched from `url`: an archive, or the one file itself.
    pub fn take_download(&self, url: &str, path: &Path) -> anyhow::Result<Vec<String>> {
        let whole = self.files.listed().iter().find(|file| file.url.as_deref() == Some(url) && file.member.is_none());
        match whole {
            Some(file) => {
                self.put(file, &mut open(path)?, url)?;
                Ok(vec![file.name.clone()])
            }
            None => self.take(path).with_context(|| format!("what came from {url}")),
        }
    }

    fn unpack(&self, from: &Path, taken: &mut Vec<String>) -> anyhow::Result<()> {
        let shown = from.display().to_string();
        let mut archive = zip::ZipArchive::new(open(from)?)
            .map_err(|error| anyhow!("{shown} is neither a ZIP archive nor a file of the plugin ({error})"))?;
        for file in self.files.listed() {
            let member = file.member.as_deref().unwrap_or(&file.name);
            // Also for archives that somebody packed anew, without the folders.
            let place = [member, file.name.as_str()].into_iter().find_map(|name| archive.index_for_name(name));
            if let Some(place) = place {
                let mut reader = archive.by_index(place).with_context(|| format!("{member} in {shown}"))?;
                self.put(file, &mut reader, &format!("{member} in {shown}"))?;
                taken.push(file.name.clone());
            }
        }
        Ok(())
    }

    /// Writes a file under another name, checks it, and renames it: it is there whole and right, or not at all.
    fn put(&self, file: &ManifestFile, from: &mut dyn Read, shown: &str) -> anyhow::Result<()> {
        let folder = self.folder();
        std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
        let temporary = folder.join(format!(".{}.{}.new", file.name, std::process::id()));
        let written = write_checked(file, from, &temporary, shown);
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written?;
        let place = self.files.path(file);
        std::fs::rename(&temporary, &place).with_context(|| format!("can not put {} in place", place.display()))?;
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("can not write {}", folder.display()))
    }
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("can not read {}", path.display()))
}

fn write_checked(file: &ManifestFile, from: &mut dyn Read, to: &Path, shown: &str) -> anyhow::Result<()> {
    let cannot_write = || format!("can not write {}", to.display());
    match std::fs::remove_file(to) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(cannot_write),
    }
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o644).open(to).with_context(cannot_write)?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; COPY_BYTES]);
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).with_context(|| format!("can not read {shown}")),
        };
        size += count as u64;
        if size > file.size_bytes {
            bail!("{shown} is not the {} that the plugin lists: it is longer than {} bytes", file.name, file.size_bytes);
        }
        hash.update(&buffer[..count]);
        out.write_all(&buffer[..count]).with_context(cannot_write)?;
    }
    let found = hex::encode(hash.finalize());
    if found != file.sha256 {
        bail!("{shown} is not the {} that the plugin lists: its SHA-256 is {found}, not {}", file.name, file.sha256);
    }
    out.sync_all().with_context(cannot_write)
}
