//! A plugin's folder as its author sees it: `plugin.toml` with errors that name the line.
//!
//! Not here: what builds it (`language`).

use anyhow::{Context, Result, anyhow};
use knowhost_plugin_sdk::manifest::Manifest;
use std::path::{Path, PathBuf};

pub(super) const MANIFEST: &str = "plugin.toml";

pub(super) struct Source {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
    /// As it stands in the file.
    pub(super) toml: String,
}

impl Source {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(MANIFEST);
        let toml = std::fs::read_to_string(&file)
            .with_context(|| format!("can not read {}; is {} the folder of a plugin?", file.display(), folder.display()))?;
        let manifest = Manifest::parse(&toml).map_err(|error| {
            let place = line_of(&toml, &error.key, &error.text);
            match error.key.is_empty() {
                true => anyhow!("{MANIFEST}:{place}: {}", error.text.trim_end()),
                false => anyhow!("{MANIFEST}:{place}: `{}` {}", error.key, error.text),
            }
        })?;
        Ok(Self { folder: folder.to_owned(), manifest, toml })
    }

    /// Where a build leaves the component.
    pub(super) fn component(&self) -> PathBuf {
        let name = format!("{}.wasm", self.manifest.name);
        if self.folder.as_os_str() == "." { PathBuf::from(name) } else { self.folder.join(name) }
    }
}

/// The line that an error is about: that of the key, of its table, or the one that the TOML parser names; else the first.
fn line_of(toml: &str, key: &str, text: &str) -> usize {
    if key.is_empty() {
        let named = text.split_once("at line ").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        return named.and_then(|digits| digits.parse().ok()).unwrap_or(1);
    }
    let mut steps: Vec<&str> = key.split('.').collect();
    let leaf = steps.pop().unwrap_or_default();
    let table = steps.join(".");
    let (wanted, number) = match table.split_once('[') {
        Some((name, rest)) => (format!("[[{name}]]"), rest.trim_end_matches(']').parse::<usize>().unwrap_or(0)),
        None => (format!("[{table}]"), 0),
    };
    let (mut inside, mut seen, mut head) = (table.is_empty(), 0, 1);
    for (index, line) in toml.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            if line == wanted {
                inside = seen == number;
                seen += 1;
                head = if inside { index + 1 } else { head };
            } else {
                inside = line == format!("[{key}]") || line == format!("[[{key}]]");
                if inside {
                    return index + 1;
                }
            }
        } else if inside && line.strip_prefix(leaf).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return index + 1;
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str =
        "name = \"x\"\ntitle = \"X\"\n\n[secrets]\napi_key = []\n\n[[models]]\nname = \"a\"\n\n[[models]]\nname = \"b\"\ndimension = 0\n";

    #[test]
    fn errors_name_the_line_of_their_key_or_table() {
        assert_eq!(line_of(TOML, "title", "is empty"), 2);
        assert_eq!(line_of(TOML, "secrets.api_key", "names no host"), 5);
        assert_eq!(line_of(TOML, "models[1].dimension", "is 0"), 12);
        assert_eq!(line_of(TOML, "models[1].kind", "is missing"), 10);
        assert_eq!(line_of(TOML, "licence", "is missing"), 1);
        assert_eq!(line_of("a = 1\nb = =\n", "", "it is not valid TOML: TOML parse error at line 2, column 5"), 2);
    }

    #[test]
    fn folder_without_or_with_a_wrong_manifest_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = |folder: &Path| format!("{:#}", Source::read(folder).err().unwrap());
        assert!(error(folder.path()).contains("is the folder of a plugin?") || error(folder.path()).contains("the folder of a plugin"));
        std::fs::write(folder.path().join(MANIFEST), "name = \"x\"\nverson = \"1\"\n").unwrap();
        assert!(error(folder.path()).starts_with("plugin.toml:2: `verson` is not known"), "{}", error(folder.path()));
        std::fs::write(folder.path().join(MANIFEST), "name = \"x\"\nhello\n").unwrap();
        assert!(error(folder.path()).starts_with("plugin.toml:2: it is not valid TOML"), "{}", error(folder.path()));
    }
}
