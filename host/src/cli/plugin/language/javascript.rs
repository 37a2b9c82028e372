//! Plugins in JavaScript: componentize-qjs builds them, through the SDK's `build.mjs`.
//!
//! Not here: what all languages share (`language`, `template`).

use super::template::{self, Filler};
use super::{Blueprint, NewFile};
use crate::cli::plugin::arguments::KindName;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version of componentize-qjs that the SDK's `build.mjs` takes.
const COMPONENTIZE: &str = "0.4.5";
const NODE_MIN: u32 = 20;
/// The SDK of this server.
static SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk-js.rs"));

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../../../../plugin-sdk/templates/js/", $name))
    };
}

/// Source and test.
fn sources(kind: KindName) -> (&'static str, &'static str) {
    match kind {
        KindName::Embedder => (template!("embedder.js"), template!("embedder.test.js")),
        KindName::Reranker => (template!("reranker.js"), template!("reranker.test.js")),
        KindName::ChatModel => (template!("chat-model.js"), template!("chat-model.test.js")),
        KindName::Catalogue => (template!("catalogue.js"), template!("catalogue.test.js")),
        KindName::Tokenizer => (template!("tokenizer.js"), template!("tokenizer.test.js")),
    }
}

pub(super) fn files(blueprint: &Blueprint<'_>) -> Result<Vec<NewFile>> {
    let filler = Filler::new(blueprint, "build.mjs and knowhost-plugin.js", is_sdk, COMPONENTIZE)?;
    let (source, test) = sources(blueprint.kind);
    let own = [
        ("package.json", template!("package.json.template")),
        ("plugin.js", source),
        ("plugin.test.js", test),
        ("README.md", template!("README.md.template")),
        (".gitignore", template!("gitignore.template")),
    ];
    Ok(filler.files(&own, SDK))
}

fn is_sdk(folder: &Path) -> bool {
    folder.join("build.mjs").is_file() && folder.join("knowhost-plugin.js").is_file()
}

/// The SDK's folder: the one that `package.json` names.
fn sdk(folder: &Path) -> Result<PathBuf> {
    let package = std::fs::read(folder.join("package.json")).unwrap_or_else(|_| b"{}".to_vec());
    let package: Value = serde_json::from_slice(&package).with_context(|| folder.join("package.json").display().to_string())?;
    let named = package["dependencies"]["knowhost-plugin"].as_str().and_then(|place| place.strip_prefix("file:"));
    let found =
        named.into_iter().chain(["sdk", "node_modules/knowhost-plugin"]).map(|place| folder.join(place)).find(|place| is_sdk(place));
    found.ok_or_else(|| anyhow!("{} holds no sdk; `knowhost plugin new` in another folder makes one to copy", folder.display()))
}

pub(super) fn lacking(folder: Option<&Path>) -> Option<String> {
    let advice = format!("install Node {NODE_MIN} or newer (https://nodejs.org)");
    let Ok(node) = Command::new("node").arg("--version").stdin(Stdio::null()).output() else {
        return Some(format!("Node is missing: {advice}"));
    };
    let version = String::from_utf8_lossy(&node.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MIN) {
        return Some(format!("Node {version} is too old: {advice}"));
    }
    let folder = folder?;
    let sdk = sdk(folder).ok();
    let is_there = std::iter::once(folder).chain(sdk.as_deref()).any(|place| place.join("node_modules/componentize-qjs").exists());
    let shown = folder.display();
    // Where a package names it, one line fetches it and the SDK.
    let named = std::fs::read_to_string(folder.join("package.json")).is_ok_and(|text| text.contains("componentize-qjs"));
    let what = if named { String::new() } else { format!(" componentize-qjs@{COMPONENTIZE}") };
    (!is_there).then(|| format!("componentize-qjs is missing; run: npm install --prefix {shown}{what}"))
}

pub(super) fn build(folder: &Path) -> Result<Vec<u8>> {
    if let Some(lacking) = lacking(Some(folder)) {
        bail!("{lacking}");
    }
    let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
    template::run_script(Path::new("node"), &sdk(&folder)?.join("build.mjs"), &folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_the_one_that_the_sdk_takes() {
        let script = SDK.iter().find(|(path, _)| *path == "build.mjs").unwrap().1;
        assert!(script.contains(&format!("COMPONENTIZE = \"{COMPONENTIZE}\"")));
        assert!(SDK.iter().any(|(path, _)| *path == "wit/v0.1/worlds.wit") && !SDK.iter().any(|(path, _)| path.contains("tests")));
    }

    #[test]
    fn sdk_is_the_one_that_the_package_names() {
        let folder = tempfile::tempdir().unwrap();
        assert!(sdk(folder.path()).unwrap_err().to_string().contains("holds no sdk"));
        for place in ["sdk", "other"] {
            std::fs::create_dir(folder.path().join(place)).unwrap();
            for file in ["build.mjs", "knowhost-plugin.js"] {
                std::fs::write(folder.path().join(place).join(file), "").unwrap();
            }
        }
        assert_eq!(sdk(folder.path()).unwrap(), folder.path().join("sdk"));
        std::fs::write(folder.path().join("package.json"), r#"{ "dependencies": { "knowhost-plugin": "file:other" } }"#).unwrap();
        assert_eq!(sdk(folder.path()).unwrap(), folder.path().join("other"));
        std::fs::write(folder.path().join("package.json"), "{").unwrap();
        assert!(format!("{:#}", sdk(folder.path()).unwrap_err()).contains("package.json"));
    }
}
