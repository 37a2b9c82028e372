//! `plugins.lock`: which third-party plugins the operator allowed, each pinned by its digest.
//!
//! Not here: loading them (`plugins`).

use super::folder;
use crate::provider::{PluginForm, PluginGrants, PluginGrantsChange, PluginListing, PluginVersion};
use anyhow::Context;
use knowhost_plugin_sdk::manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What stands under a plugin's name. The digest covers the manifest; what is granted lies within what the manifest asks for.
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
    /// The operator granted less than the manifest asks for; the next version gets no more by being allowed.
    #[serde(default)]
    pub(super) narrowed: bool,
    /// The file that was allowed before; it lies among the kept ones.
    #[serde(default)]
    pub(super) previous: Option<Previous>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Previous {
    pub(super) version: String,
    pub(super) digest: String,
    #[serde(default)]
    pub(super) allow_native: bool,
}

impl Entry {
    /// Everything that the manifest asks for, or no more than before where the operator has narrowed it.
    pub(super) fn new(manifest: &Manifest, digest: String, form: PluginForm, before: Option<&Self>) -> Self {
        let asked = asked(manifest);
        let previous = before.and_then(|before| before.as_previous(&digest));
        let entry = Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest,
            allow_native: form == PluginForm::Native,
            allowed_hosts: asked.allowed_hosts,
            allowed_models: asked.allowed_models,
            secrets: asked.secrets,
            narrowed: false,
            previous,
        };
        match before.filter(|before| before.narrowed) {
            Some(before) => entry.within(&before.granted()),
            None => entry,
        }
    }

    /// What to go back to from a file of this digest: the file of this entry. The same file again keeps what it had.
    fn as_previous(&self, digest: &str) -> Option<Previous> {
        if self.digest == digest {
            return self.previous.clone();
        }
        Some(Previous { version: self.version.clone(), digest: self.digest.clone(), allow_native: self.allow_native })
    }

    pub(super) fn granted(&self) -> PluginGrants {
        PluginGrants {
            allowed_hosts: self.allowed_hosts.clone(),
            allowed_models: self.allowed_models.clone(),
            secrets: self.secrets.clone(),
        }
    }

    /// Without what `limit` does not hold.
    fn within(mut self, limit: &PluginGrants) -> Self {
        self.allowed_hosts.retain(|host| limit.allowed_hosts.contains(host));
        self.allowed_models.retain(|model| limit.allowed_models.contains(model));
        self.secrets = self
            .secrets
            .into_iter()
            .filter_map(|(name, mut hosts)| {
                let limit = limit.secrets.get(&name)?;
                hosts.retain(|host| limit.contains(host));
                Some((name, hosts))
            })
            .collect();
        self.narrowed = true;
        self
    }

    /// With other grants. `Err`: what the manifest does not ask for, so that it can not be granted.
    pub(super) fn changed(&self, manifest: &Manifest, change: &PluginGrantsChange) -> Result<Self, String> {
        let asked = asked(manifest);
        let mut entry = self.clone();
        if let Some(hosts) = &change.allowed_hosts {
            entry.allowed_hosts = chosen("allowed_hosts", &asked.allowed_hosts, hosts)?;
        }
        if let Some(models) = &change.allowed_models {
            entry.allowed_models = chosen("allowed_models", &asked.allowed_models, models)?;
        }
        if let Some(secrets) = &change.secrets {
            entry.secrets = BTreeMap::new();
            for (name, hosts) in secrets {
                let known = asked.secrets.get(name).ok_or_else(|| format!("the plugin asks for no secret {name:?}"))?;
                entry.secrets.insert(name.clone(), chosen(&format!("secrets.{name}"), known, hosts)?);
            }
        }
        entry.narrowed = entry.granted() != asked;
        Ok(entry)
    }

    /// What an operator is shown of it.
    pub(super) fn show(&self, listing: &mut PluginListing) {
        listing.granted = Some(self.granted());
        listing.previous =
            self.previous.as_ref().map(|previous| PluginVersion { version: previous.version.clone(), digest: previous.digest.clone() });
    }

    /// Whether a file of this digest and form may be loaded.
    pub(super) fn allows(&self, digest: &str, form: PluginForm) -> bool {
        self.digest == digest && (self.allow_native || form != PluginForm::Native)
    }
}

/// Everything that a manifest asks for.
pub(super) fn asked(manifest: &Manifest) -> PluginGrants {
    let secrets = manifest.secrets.iter().map(|secret| (secret.name.clone(), secret.hosts.iter().map(ToString::to_string).collect()));
    PluginGrants {
        allowed_hosts: manifest.allowed_hosts.iter().map(ToString::to_string).collect(),
        allowed_models: manifest.allowed_models.clone(),
        secrets: secrets.collect(),
    }
}

/// Those of `asked` that `wanted` names, in the manifest's order.
fn chosen(place: &str, asked: &[String], wanted: &[String]) -> Result<Vec<String>, String> {
    if let Some(stranger) = wanted.iter().find(|wanted| !asked.contains(wanted)) {
        let known = if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") };
        return Err(format!("{place}: {stranger:?} can not be granted, because the plugin does not ask for it; it asks for {known}"));
    }
    Ok(asked.iter().filter(|asked| wanted.contains(asked)).cloned().collect())
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

    /// Digests of everything that runs or can be gone back to.
    pub(super) fn digests(&self) -> impl Iterator<Item = &str> {
        let previous = self.entries.iter().filter_map(|entry| entry.previous.as_ref()).map(|previous| previous.digest.as_str());
        self.entries.iter().map(|entry| entry.digest.as_str()).chain(previous)
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
        let text = format!("# Written by `knowhost plugin` and by the operator's routes.\n\n{}", self.to_toml());
        folder::replace(file, text.as_bytes())
    }

    /// By hand, because the TOML crate is built without its writing half.
    fn to_toml(&self) -> String {
        let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        let entry = |entry: &Entry| {
            let secrets: Vec<_> = entry.secrets.iter().map(|(name, hosts)| format!("{} = [{}]", quoted(name), list(hosts))).collect();
            let previous = entry.previous.as_ref().map_or_else(String::new, |previous| {
                format!(
                    "previous = {{ version = {}, digest = {}, allow_native = {} }}\n",
                    quoted(&previous.version),
                    quoted(&previous.digest),
                    previous.allow_native
                )
            });
            format!(
                "[[plugin]]\nname = {}\nversion = {}\ndigest = {}\n{}allowed_hosts = [{}]\nallowed_models = [{}]\nsecrets = {{ {} }}\n{}{previous}",
                quoted(&entry.name),
                quoted(&entry.version),
                quoted(&entry.digest),
                if entry.allow_native { "allow_native = true\n" } else { "" },
                list(&entry.allowed_hosts),
                list(&entry.allowed_models),
                secrets.join(", "),
                if entry.narrowed { "narrowed = true\n" } else { "" }
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
            narrowed: true,
            previous: Some(Previous { version: "0.9.0".into(), digest: "0".into(), allow_native: true }),
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

    fn manifest(lines: &str) -> Manifest {
        let head = "name = \"p\"\ntitle = \"P\"\nversion = \"1.0.0\"\nlicence = \"MIT\"\ninterface = \"0.1\"\nprofile = \"network\"\n";
        Manifest::parse(&format!("{head}{lines}")).unwrap()
    }

    #[test]
    fn grants_are_chosen_from_what_is_asked_and_the_next_version_gets_no_more() {
        let asks = manifest(
            "allowed_hosts = [\"https://a.example\", \"https://b.example\"]\nallowed_models = [\"chat\"]\n[secrets]\nkey = [\"https://a.example\"]",
        );
        let all = Entry::new(&asks, "1".into(), PluginForm::Component, None);
        assert!(!all.narrowed && all.previous.is_none() && all.allowed_hosts.len() == 2);
        let change = PluginGrantsChange { allowed_hosts: Some(vec!["https://b.example:443".into()]), ..PluginGrantsChange::default() };
        let less = all.changed(&asks, &change).unwrap();
        assert!(less.narrowed && less.allowed_hosts == ["https://b.example:443"] && less.allowed_models == ["chat"]);
        let stranger = PluginGrantsChange { allowed_hosts: Some(vec!["https://c.example:443".into()]), ..PluginGrantsChange::default() };
        assert!(all.changed(&asks, &stranger).unwrap_err().contains("it asks for https://a.example:443, https://b.example:443"));
        let secret = PluginGrantsChange { secrets: Some(BTreeMap::from([("other".into(), vec![])])), ..PluginGrantsChange::default() };
        assert!(all.changed(&asks, &secret).unwrap_err().contains("no secret \"other\""));
        let next = Entry::new(&asks, "2".into(), PluginForm::Component, Some(&less));
        assert!(next.narrowed && next.granted() == less.granted());
        assert_eq!(next.previous.as_ref().map(|previous| previous.digest.as_str()), Some("1"));
        let again = Entry::new(&asks, "2".into(), PluginForm::Component, Some(&next));
        assert_eq!(again.previous, next.previous, "the same file once more");
        let everything = PluginGrantsChange { allowed_hosts: Some(all.allowed_hosts.clone()), ..PluginGrantsChange::default() };
        assert!(!next.changed(&asks, &everything).unwrap().narrowed);
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
