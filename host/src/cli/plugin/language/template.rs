//! What new plugins of every language are filled with: manifests and recorded calls, the same for all, and the SDK.
//!
//! Not here: the sources (`rust`, `python`, `javascript`).

use super::{Blueprint, NewFile};
use crate::cli::plugin::arguments::KindName;
use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

macro_rules! shared {
    ($name:literal) => {
        include_str!(concat!("../../../../../plugin-sdk/templates/shared/", $name))
    };
}

fn manifest(kind: KindName) -> &'static str {
    match kind {
        KindName::Embedder => shared!("plugin.embedder.toml"),
        KindName::Reranker => shared!("plugin.reranker.toml"),
        KindName::ChatModel => shared!("plugin.chat-model.toml"),
        KindName::Catalogue => shared!("plugin.catalogue.toml"),
        KindName::Tokenizer => shared!("plugin.tokenizer.toml"),
    }
}

/// A recorded call, where the kind needs a service.
fn exchange(kind: KindName) -> Option<(&'static str, &'static str)> {
    match kind {
        KindName::Embedder => Some(("embed.json", shared!("exchanges/embed.json"))),
        KindName::Reranker => Some(("rerank.json", shared!("exchanges/rerank.json"))),
        KindName::ChatModel => Some(("chat.json", shared!("exchanges/chat.json"))),
        KindName::Catalogue => Some(("models.json", shared!("exchanges/models.json"))),
        KindName::Tokenizer => None,
    }
}

/// Puts the words of one plugin into the templates.
pub(super) struct Filler<'a> {
    blueprint: &'a Blueprint<'a>,
    sdk: String,
    /// Version of the tool that makes components, where one has to be installed.
    componentize: &'a str,
}

impl<'a> Filler<'a> {
    /// `is_sdk` looks at the folder that the blueprint names; `what` should lie there.
    pub(super) fn new(blueprint: &'a Blueprint<'a>, what: &str, is_sdk: impl Fn(&Path) -> bool, componentize: &'a str) -> Result<Self> {
        let sdk = match blueprint.sdk {
            None => "sdk".to_owned(),
            Some(folder) => {
                let folder = folder.canonicalize().with_context(|| format!("can not find the SDK at {}", folder.display()))?;
                if !is_sdk(&folder) {
                    bail!("{} holds no {what}; leave --sdk out to use the one of this server", folder.display());
                }
                folder.display().to_string()
            }
        };
        Ok(Self { blueprint, sdk, componentize })
    }

    /// The templates of a language, what all have, and the SDK.
    pub(super) fn files(&self, own: &[(&str, &str)], sdk: &[(&str, &str)]) -> Vec<NewFile> {
        let plain = |path: String, text: &str| NewFile { path, text: text.to_owned() };
        let own = own.iter().copied().chain([("plugin.toml", manifest(self.blueprint.kind))]);
        let mut files: Vec<NewFile> = own.map(|(path, text)| NewFile { path: path.to_owned(), text: self.fill(text) }).collect();
        files.extend(exchange(self.blueprint.kind).map(|(name, text)| plain(format!("exchanges/{name}"), text)));
        if self.blueprint.sdk.is_none() {
            files.extend(sdk.iter().map(|(path, text)| plain(format!("sdk/{path}"), text)));
        }
        files
    }

    fn fill(&self, text: &str) -> String {
        let comment = match self.blueprint.sdk {
            None => "The SDK of the server that made this folder; put that of a newer one in its place with `knowhost plugin new`.",
            Some(_) => "The SDK of a checkout.",
        };
        let exchanges = match exchange(self.blueprint.kind) {
            Some(_) => {
                "`exchanges/` holds recorded calls of the service, which the tests and `knowhost plugin check` play; `knowhost plugin record` makes them."
            }
            None => "It needs no service, so nothing is recorded.",
        };
        text.replace("{{name}}", self.blueprint.name)
            .replace("{{kind}}", self.blueprint.kind.name())
            .replace("{{sdk}}", &self.sdk)
            .replace("{{sdk_comment}}", comment)
            .replace("{{exchanges}}", exchanges)
            .replace("{{componentize}}", self.componentize)
    }
}

/// Sources lie anywhere in the folder, but not among tools, environments and products.
pub(super) fn sources(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let is_source = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let is_left_out = name.starts_with('.') || matches!(name, "node_modules" | "__pycache__" | "target" | "exchanges");
        if path.is_dir() {
            return !is_left_out && !path.join("pyvenv.cfg").exists();
        }
        path.extension().and_then(OsStr::to_str).is_some_and(|ending| endings.contains(&ending))
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_source).collect()
}

/// Runs the SDK's build script, which tells what is wrong on the terminal, and gives the component that it wrote.
pub(super) fn run_script(program: &Path, script: &Path, folder: &Path) -> Result<Vec<u8>> {
    let place = tempfile::tempdir().context("can not make a temporary folder")?;
    let out = place.path().join("component.wasm");
    let mut command = Command::new(program);
    // Its own words would stand in the output of `--json`.
    command.arg(script).arg(folder).arg("-o").arg(&out).arg("--without-manifest");
    let done = command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).status();
    let done = done.with_context(|| format!("can not run {}", program.display()))?;
    if !done.success() {
        bail!("{} does not build; what is wrong stands above", folder.display());
    }
    std::fs::read(&out).map_err(|error| anyhow!("{} wrote no component: {error}", script.display()))
}
