//! Copies of the files that run and of those before them, by digest, so that an operator can go back although the file was replaced.
//!
//! Not here: which file may run (`lock`).

use super::binary::digest_of;
use super::folder;
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// A folder beside the plugins, which `folder::scan` does not look into.
    pub(super) fn beside(plugins_dir: &Path) -> Self {
        Self { folder: plugins_dir.join("kept") }
    }

    pub(super) fn keep(&self, digest: &str, bytes: &[u8]) -> anyhow::Result<()> {
        if self.path(digest).exists() {
            return Ok(());
        }
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .with_context(|| format!("can not make {}", self.folder.display()))?;
        folder::replace(&self.path(digest), bytes)
    }

    /// The bytes, which are what their name says.
    pub(super) fn read(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.path(digest);
        let bytes = std::fs::read(&path).with_context(|| format!("the file that was allowed before is not kept: {}", path.display()))?;
        if digest_of(&bytes) != digest {
            bail!("{} is not the file that was allowed before", path.display());
        }
        Ok(bytes)
    }

    /// Drops the others. What can not be dropped costs space and nothing else.
    pub(super) fn keep_only<'a>(&self, digests: impl Iterator<Item = &'a str>) {
        let wanted: BTreeSet<&str> = digests.collect();
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_none_or(|name| !wanted.contains(name)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_unless_it_was_changed_or_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::beside(folder.path());
        let (one, two) = (digest_of(b"one"), digest_of(b"two"));
        kept.keep(&one, b"one").unwrap();
        kept.keep(&two, b"two").unwrap();
        assert_eq!(kept.read(&one).unwrap(), b"one");
        std::fs::write(folder.path().join("kept").join(&one), b"other").unwrap();
        assert!(kept.read(&one).unwrap_err().to_string().contains("is not the file"));
        kept.keep_only([one.as_str()].into_iter());
        assert!(kept.read(&two).unwrap_err().to_string().contains("is not kept"));
    }
}
