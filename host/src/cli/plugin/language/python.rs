//! Plugins in Python: componentize-py builds them, through the SDK's `build.py`.
//!
//! Not here: what all languages share (`language`, `template`).

use super::template::{self, Filler};
use super::{Blueprint, NewFile};
use crate::cli::plugin::arguments::KindName;
use anyhow::{Context, Result, anyhow, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version of componentize-py that the SDK's `build.py` takes.
const COMPONENTIZE: &str = "0.25.1";
/// The SDK of this server.
static SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk-python.rs"));
/// Says `old`, `none` or `ready`; looks where `build.py` looks.
const PROBE: &str = "
import shutil, sys, pathlib
beside = pathlib.Path(sys.executable).with_name('componentize-py')
found = beside.exists() or shutil.which('componentize-py')
print('old' if sys.version_info < (3, 10) else 'ready' if found else 'none')";

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../../../../plugin-sdk/templates/python/", $name))
    };
}

/// Source and test.
fn sources(kind: KindName) -> (&'static str, &'static str) {
    match kind {
        KindName::Embedder => (template!("embedder.py"), template!("test_embedder.py")),
        KindName::Reranker => (template!("reranker.py"), template!("test_reranker.py")),
        KindName::ChatModel => (template!("chat-model.py"), template!("test_chat-model.py")),
        KindName::Catalogue => (template!("catalogue.py"), template!("test_catalogue.py")),
        KindName::Tokenizer => (template!("tokenizer.py"), template!("test_tokenizer.py")),
    }
}

pub(super) fn files(blueprint: &Blueprint<'_>) -> Result<Vec<NewFile>> {
    let filler = Filler::new(blueprint, "build.py and knowhost_plugin", is_sdk, COMPONENTIZE)?;
    let (source, test) = sources(blueprint.kind);
    let own = [
        ("pyproject.toml", template!("pyproject.toml.template")),
        ("plugin.py", source),
        ("test_plugin.py", test),
        ("README.md", template!("README.md.template")),
        (".gitignore", template!("gitignore.template")),
    ];
    Ok(filler.files(&own, SDK))
}

fn is_sdk(folder: &Path) -> bool {
    folder.join("build.py").is_file() && folder.join("knowhost_plugin").is_dir()
}

/// The SDK's folder: the one on the path of the tests.
fn sdk(folder: &Path) -> Result<PathBuf> {
    let project = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap_or_default();
    let project: toml::Table = project.parse().with_context(|| folder.join("pyproject.toml").display().to_string())?;
    let options = project.get("tool").and_then(|tool| tool.get("pytest")?.get("ini_options")?.get("pythonpath")?.as_array());
    let named = options.into_iter().flatten().filter_map(toml::Value::as_str);
    let found = named.chain(["sdk"]).map(|place| folder.join(place)).find(|place| is_sdk(place));
    found.ok_or_else(|| anyhow!("{} holds no sdk; `knowhost plugin new` in another folder makes one to copy", folder.display()))
}

/// The Python of the plugin's environment, else the one on the path, which is that of an environment that was activated.
fn python(folder: Option<&Path>) -> PathBuf {
    let places = folder.into_iter().flat_map(|folder| ["venv", ".venv"].map(|name| folder.join(name).join("bin/python")));
    places.into_iter().find(|place| place.is_file()).unwrap_or_else(|| "python3".into())
}

pub(super) fn lacking(folder: Option<&Path>) -> Option<String> {
    let python = python(folder);
    let said = Command::new(&python).args(["-c", PROBE]).stdin(Stdio::null()).output();
    let said = said.ok().filter(|output| output.status.success()).map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match (said.as_deref(), folder) {
        (None, _) => Some("Python is missing: install Python 3.10 or newer (https://www.python.org)".to_owned()),
        (Some("old"), _) => Some(format!("{} is older than Python 3.10: install a newer one (https://www.python.org)", python.display())),
        (Some("ready"), _) | (Some(_), None) => None,
        (Some(_), Some(folder)) => {
            let own = python.parent().filter(|bin| bin.is_dir()).map(Path::to_owned);
            let first = if own.is_none() { format!("python3 -m venv {} && ", folder.join("venv").display()) } else { String::new() };
            let pip = own.unwrap_or_else(|| folder.join("venv/bin")).join("pip");
            Some(format!("componentize-py is missing; run: {first}{} install componentize-py=={COMPONENTIZE} pytest", pip.display()))
        }
    }
}

pub(super) fn build(folder: &Path) -> Result<Vec<u8>> {
    if let Some(lacking) = lacking(Some(folder)) {
        bail!("{lacking}");
    }
    // The script runs in the folder, so the paths must not depend on where this process is. The environment's Python is a link that
    // has to stay one: behind it lies a Python without the packages.
    let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
    template::run_script(&python(Some(&folder)), &sdk(&folder)?.join("build.py"), &folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_the_one_that_the_sdk_takes() {
        let script = SDK.iter().find(|(path, _)| *path == "build.py").unwrap().1;
        assert!(script.contains(&format!("COMPONENTIZE = \"{COMPONENTIZE}\"")));
        assert!(SDK.iter().any(|(path, _)| *path == "wit/v0.1/worlds.wit") && !SDK.iter().any(|(path, _)| path.contains("test_")));
    }

    #[test]
    fn missing_tool_and_missing_sdk_are_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("venv/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::copy("/bin/false", bin.join("python")).unwrap();
        assert!(lacking(Some(folder.path())).unwrap().contains("install Python 3.10"));
        let error = sdk(folder.path()).unwrap_err().to_string();
        assert!(error.contains("holds no sdk"), "{error}");
        std::fs::write(folder.path().join("pyproject.toml"), "[tool").unwrap();
        assert!(format!("{:#}", sdk(folder.path()).unwrap_err()).contains("pyproject.toml"));
    }
}
