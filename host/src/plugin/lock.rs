//! `plugins.lock`: which third-party plugins the operator allowed, each pinned by its digest.
//!
//! Not here: loading them (`plugins`).

use crate::provider::PluginForm;
use anyhow::Context;
use knowhost_plugin_sdk::manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What stands under a plugin's name. The digest covers the manifest, so the grants are what was shown when it was allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) version: String,
    /// SHA-256 of the file.
    pub(super) digest: String,
    /// It may run as the server itself, without a sandbox. A native library does not load without it.
    #[serde(default)]
    pub(super) allow_native: bool,
    #[serde(default)]
    pub(super) allowed_hosts: Vec<String>,
    #[serde(default)]
    pub(super) allowed_models: Vec<String>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, Vec<String>>,
}

impl Entry {
    pub(super) fn new(manifest: &Manifest, digest: String, form: PluginForm) -> Self {
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest,
            allow_native: form == PluginForm::Native,
            allowed_hosts: manifest.allowed_hosts.iter().map(ToString::to_string).collect(),
            allowed_models: manifest.allowed_models.clone(),
            secrets: manifest
                .secrets
                .iter()
                .map(|secret| (secret.name.clone(), secret.hosts.iter().map(ToString::to_string).collect()))
                .collect(),
        }
    }

    /// Whether a file of this digest and form may be loaded.
    pub(super) fn allows(&self, digest: &str, form: PluginForm) -> bool {
        self.digest == digest && (self.allow_native || form != PluginForm::Native)
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    #[serde(default, rename = "plugin")]
    entries: Vec<Entry>,
}

impl Lock {
    /// A missing file allows nothing; a broken one stops, because guessing would either allow or forget something.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("{} is malformed", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("can not read {}", file.display())),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    pub(super) fn set(&mut self, entry: Entry) {
        self.remove(&entry.name);
        self.entries.push(entry);
        self.entries.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != name);
        self.entries.len() < before
    }

    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = format!("# Written by `knowhost plugin allow` and `deny`.\n\n{}", self.to_toml());
        let temporary = file.with_extension(format!("lock.{}.new", std::process::id()));
        let _ = std::fs::remove_file(&temporary);
        let mut new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&temporary, file).with_context(|| format!("can not write {}", file.display()))
    }

    /// By hand, because the TOML crate is built without its writing half.
    fn to_toml(&self) -> String {
        let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        let entry = |entry: &Entry| {
            let secrets: Vec<_> = entry.secrets.iter().map(|(name, hosts)| format!("{} = [{}]", quoted(name), list(hosts))).collect();
            format!(
                "[[plugin]]\nname = {}\nversion = {}\ndigest = {}\n{}allowed_hosts = [{}]\nallowed_models = [{}]\nsecrets = {{ {} }}\n",
                quoted(&entry.name),
                quoted(&entry.version),
                quoted(&entry.digest),
                if entry.allow_native { "allow_native = true\n" } else { "" },
                list(&entry.allowed_hosts),
                list(&entry.allowed_models),
                secrets.join(", ")
            )
        };
        self.entries.iter().map(entry).collect::<Vec<_>>().join("\n")
    }
}

fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|char| match char {
            '"' => "\\\"".into(),
            '\\' => "\\\\".into(),
            control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
            other => other.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, digest: &str) -> Entry {
        Entry {
            name: name.into(),
            version: "1.0.0".into(),
            digest: digest.into(),
            allow_native: false,
            allowed_hosts: vec!["{base_url}".into(), "https://a.example:443".into()],
            allowed_models: vec![],
            secrets: BTreeMap::from([("api\"key\n".into(), vec!["{base_url}".into()])]),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugins.lock");
        let mut lock = Lock::read(&file).unwrap();
        lock.set(entry("b", "2"));
        lock.set(entry("a", "1"));
        lock.set(entry("b", "3"));
        lock.write(&file).unwrap();
        let mut again = Lock::read(&file).unwrap();
        assert_eq!(again.find("b"), Some(&entry("b", "3")));
        assert_eq!(again.entries.len(), 2);
        assert!(again.remove("a") && !again.remove("a"));
    }

    #[test]
    fn native_files_need_a_permission_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugins.lock");
        let mut lock = Lock::default();
        lock.set(Entry { allow_native: true, ..entry("a", "1") });
        lock.set(entry("b", "2"));
        lock.write(&file).unwrap();
        let lock = Lock::read(&file).unwrap();
        let (a, b) = (lock.find("a").unwrap(), lock.find("b").unwrap());
        assert!(a.allows("1", PluginForm::Native) && a.allows("1", PluginForm::Component) && !a.allows("2", PluginForm::Native));
        assert!(!b.allows("2", PluginForm::Native) && b.allows("2", PluginForm::Component));
    }

    #[test]
    fn malformed_lock_stops_instead_of_allowing_or_forgetting() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugins.lock");
        for text in ["[[plugin]]\nname = \"a\"", "[[plugins]]\nname = \"a\"", "nonsense"] {
            std::fs::write(&file, text).unwrap();
            assert!(Lock::read(&file).is_err(), "{text}");
        }
    }
}
