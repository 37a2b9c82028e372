//! Files that plugins bring beside their components: where they lie, whether they are all there, and their checked bytes for the warm-up.
//!
//! Not here: how they get there (`install`), and who may read them when (`wasm`).

use super::wasm::WarmFiles;
use crate::limits;
use anyhow::{Context, bail};
use knowhost_plugin_sdk::manifest::{Manifest, ManifestFile};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files of one plugin: `<models>/<plugin>/<file>`.
#[derive(Clone, Debug)]
pub(super) struct PluginFiles {
    folder: PathBuf,
    files: Vec<ManifestFile>,
}

/// Changes when somebody puts other files in place.
pub(super) type Fingerprint = Vec<Option<(u64, SystemTime)>>;

impl PluginFiles {
    /// The manifest's names were checked: they hold no path.
    pub(super) fn of(models_dir: &Path, manifest: &Manifest) -> Self {
        Self { folder: models_dir.join(&manifest.name), files: manifest.files.clone() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn listed(&self) -> &[ManifestFile] {
        &self.files
    }

    pub(super) fn path(&self, file: &ManifestFile) -> PathBuf {
        self.folder.join(&file.name)
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }

    /// Why the plugin can not start; `None`: every file is there in its size. Reads no content, so it may be asked before every call.
    pub(super) fn lacking(&self) -> Option<String> {
        if self.size_bytes() > limits::PLUGIN_FILES_BYTES_MAX {
            return Some(format!("its files are larger than {} MiB together", limits::PLUGIN_FILES_BYTES_MAX >> 20));
        }
        let missing: Vec<&str> = self.files.iter().filter(|file| !self.path(file).exists()).map(|file| file.name.as_str()).collect();
        if !missing.is_empty() {
            return Some(format!("{} {} missing in {}", missing.join(", "), plural(missing.len()), self.folder.display()));
        }
        let wrong = |file: &&ManifestFile| std::fs::metadata(self.path(file)).map_or(true, |about| about.len() != file.size_bytes);
        self.files
            .iter()
            .find(wrong)
            .map(|file| format!("{} has not the {} bytes it should have", self.path(file).display(), file.size_bytes))
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let look =
            |file: &ManifestFile| std::fs::metadata(self.path(file)).ok().and_then(|about| Some((about.len(), about.modified().ok()?)));
        self.files.iter().map(look).collect()
    }

    /// The bytes of all files; an error if one is not the file that the manifest lists. What was checked is what the plugin reads.
    pub(super) fn read(&self) -> anyhow::Result<WarmFiles> {
        let mut all = WarmFiles::new();
        for file in &self.files {
            all.insert(file.name.clone(), read(&self.path(file), file)?);
        }
        Ok(all)
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// One byte more than listed is read and no more.
fn read(path: &Path, file: &ManifestFile) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let open = std::fs::File::open(path).with_context(|| format!("can not read {shown}"))?;
    open.take(file.size_bytes.saturating_add(1)).read_to_end(&mut bytes).with_context(|| format!("can not read {shown}"))?;
    let found = hex::encode(Sha256::digest(&bytes));
    if found != file.sha256 {
        bail!("{shown} is not the file that the plugin lists: its SHA-256 is {found}, not {}", file.sha256);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path, content: &[u8]) -> PluginFiles {
        let file = ManifestFile {
            name: "a.bin".into(),
            sha256: hex::encode(Sha256::digest(content)),
            size_bytes: content.len() as u64,
            url: None,
            member: None,
        };
        PluginFiles { folder: folder.to_owned(), files: vec![file] }
    }

    #[test]
    fn missing_short_and_changed_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path(), b"weights");
        assert!(files.lacking().unwrap().contains("a.bin is missing in"));
        let empty = files.fingerprint();
        std::fs::write(folder.path().join("a.bin"), "weight").unwrap();
        assert!(files.lacking().unwrap().contains("has not the 7 bytes"));
        assert_ne!(files.fingerprint(), empty);
        std::fs::write(folder.path().join("a.bin"), "weighty").unwrap();
        assert_eq!(files.lacking(), None, "the content is looked at when it is read");
        assert!(files.read().unwrap_err().to_string().contains("SHA-256"));
        std::fs::write(folder.path().join("a.bin"), "weights").unwrap();
        assert_eq!(files.read().unwrap()["a.bin"], b"weights");
    }

    #[test]
    fn files_beyond_every_size_are_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(folder.path(), b"x");
        files.files[0].size_bytes = u64::MAX;
        assert!(files.lacking().unwrap().contains("larger than"));
    }
}
