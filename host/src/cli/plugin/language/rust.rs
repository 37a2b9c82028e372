//! Plugins in Rust: Cargo builds them for `wasm32-wasip2`.
//!
//! Not here: what all languages share (`language`).

use super::template::Filler;
use super::{Blueprint, NewFile};
use crate::cli::plugin::arguments::KindName;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-wasip2";
/// The SDK of this server, as a package that stands alone.
static SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../../../../plugin-sdk/templates/rust/", $name))
    };
}

fn source(kind: KindName) -> &'static str {
    match kind {
        KindName::Embedder => template!("embedder.rs"),
        KindName::Reranker => template!("reranker.rs"),
        KindName::ChatModel => template!("chat-model.rs"),
        KindName::Catalogue => template!("catalogue.rs"),
        KindName::Tokenizer => template!("tokenizer.rs"),
    }
}

pub(super) fn files(blueprint: &Blueprint<'_>) -> Result<Vec<NewFile>> {
    let is_sdk =
        |folder: &Path| std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("\"knowhost-plugin-sdk\""));
    let filler = Filler::new(blueprint, "knowhost-plugin-sdk", is_sdk, "")?;
    let own = [
        ("Cargo.toml", template!("Cargo.toml.template")),
        ("src/lib.rs", source(blueprint.kind)),
        ("README.md", template!("README.md.template")),
        (".gitignore", template!("gitignore.template")),
    ];
    Ok(filler.files(&own, SDK))
}

pub(super) fn lacking(folder: &Path) -> Option<String> {
    let rustc = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).current_dir(folder).output();
    let Ok(output) = rustc else {
        return Some("Rust is missing: install rustup (https://rustup.rs)".to_owned());
    };
    let libraries = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_core = |name: &str| name.starts_with("libcore") && name.ends_with(".rlib");
    let is_there = std::fs::read_dir(libraries)
        .is_ok_and(|mut files| files.any(|file| file.is_ok_and(|file| file.file_name().to_str().is_some_and(is_core))));
    (!is_there).then(|| format!("the Rust target {TARGET} is missing; run: rustup target add {TARGET}"))
}

/// Cargo's own messages go to the terminal.
pub(super) fn build(folder: &Path, release: bool) -> Result<Vec<u8>> {
    if let Some(lacking) = lacking(folder) {
        bail!("{lacking}");
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--lib", "--target", TARGET, "--message-format=json-render-diagnostics"]);
    if release {
        cargo.arg("--release");
    }
    cargo.current_dir(folder).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = cargo.output().context("can not run cargo")?;
    if !output.status.success() {
        bail!("{} does not build; what is wrong stands above", folder.join("src").display());
    }
    let manifest = folder.join("Cargo.toml").canonicalize()?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let component = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
        let is_ours = message["reason"] == "compiler-artifact" && Path::new(message["manifest_path"].as_str()?) == manifest;
        let files = message["filenames"].as_array().filter(|_| is_ours)?;
        files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(str::to_owned)
    });
    let component = component.ok_or_else(|| {
        anyhow!("{}: it builds no component; [lib] needs crate-type = [\"cdylib\", \"rlib\"]", folder.join("Cargo.toml").display())
    })?;
    std::fs::read(&component).with_context(|| format!("can not read {component}"))
}
