//! Plugins in Rust: Cargo builds them for `wasm32-wasip2`.
//!
//! Not here: what all languages share (`language`).

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

/// Manifest, source, and a recorded call where the kind needs a service.
fn templates(kind: KindName) -> (&'static str, &'static str, Option<(&'static str, &'static str)>) {
    match kind {
        KindName::Embedder => {
            (template!("plugin.embedder.toml"), template!("embedder.rs"), Some(("embed.json", template!("exchanges/embed.json"))))
        }
        KindName::Reranker => {
            (template!("plugin.reranker.toml"), template!("reranker.rs"), Some(("rerank.json", template!("exchanges/rerank.json"))))
        }
        KindName::ChatModel => {
            (template!("plugin.chat-model.toml"), template!("chat-model.rs"), Some(("chat.json", template!("exchanges/chat.json"))))
        }
        KindName::Catalogue => {
            (template!("plugin.catalogue.toml"), template!("catalogue.rs"), Some(("models.json", template!("exchanges/models.json"))))
        }
        KindName::Tokenizer => (template!("plugin.tokenizer.toml"), template!("tokenizer.rs"), None),
    }
}

pub(super) fn files(blueprint: &Blueprint<'_>) -> Result<Vec<NewFile>> {
    let (manifest, source, exchange) = templates(blueprint.kind);
    let sdk = match blueprint.sdk {
        None => "sdk".to_owned(),
        Some(folder) => {
            let folder = folder.canonicalize().with_context(|| format!("can not find the SDK at {}", folder.display()))?;
            if !std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("\"knowhost-plugin-sdk\"")) {
                bail!("{} holds no knowhost-plugin-sdk; leave --sdk out to use the one of this server", folder.display());
            }
            folder.display().to_string()
        }
    };
    let comment = match blueprint.sdk {
        None => "The SDK of the server that made this folder; put that of a newer one in its place with `knowhost plugin new`.",
        Some(_) => "The SDK of a checkout.",
    };
    let exchanges = match exchange {
        Some(_) => {
            "`exchanges/` holds recorded calls of the service, which the tests and `knowhost plugin check` play; `knowhost plugin record` makes them."
        }
        None => "It needs no service, so nothing is recorded.",
    };
    let fill = |text: &str| {
        text.replace("{{name}}", blueprint.name)
            .replace("{{kind}}", blueprint.kind.name())
            .replace("{{sdk}}", &sdk)
            .replace("{{sdk_comment}}", comment)
            .replace("{{exchanges}}", exchanges)
    };
    let file = |path: &str, text: &str| NewFile { path: path.to_owned(), text: fill(text) };
    let mut files = vec![
        file("Cargo.toml", template!("Cargo.toml.template")),
        file("plugin.toml", manifest),
        file("src/lib.rs", source),
        file("README.md", template!("README.md.template")),
        file(".gitignore", template!("gitignore.template")),
    ];
    files.extend(exchange.map(|(name, text)| NewFile { path: format!("exchanges/{name}"), text: text.to_owned() }));
    if blueprint.sdk.is_none() {
        files.extend(SDK.iter().map(|(path, text)| NewFile { path: format!("sdk/{path}"), text: (*text).to_owned() }));
    }
    Ok(files)
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
