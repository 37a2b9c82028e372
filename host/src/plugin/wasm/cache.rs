//! Compiled components on disk: this server's own files, each sealed with a MAC.
//!
//! Not here: the unsafe load of what comes out (`load`). A file that does not carry the right seal is treated as absent.

use anyhow::Context;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const KEY_BYTES: usize = 32;
const SEAL_BYTES: usize = 32;
const BUFFER_BYTES: usize = 1 << 20;

pub(in crate::plugin) struct CompiledCache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
}

impl CompiledCache {
    /// `folder` is made with mode 0700, `key_file` with 0600 if it does not exist.
    pub(in crate::plugin) fn open(folder: &Path, key_file: &Path) -> anyhow::Result<Self> {
        private_folder(folder)?;
        if let Some(parent) = key_file.parent() {
            private_folder(parent)?;
        }
        Ok(Self { folder: folder.to_owned(), key: read_or_make_key(key_file)? })
    }

    /// The file stored under `name`, opened, if it is whole and ours. The seal stands behind the content.
    pub(super) fn get(&self, name: &str) -> Option<File> {
        let mut file = File::open(self.path(name)).ok()?;
        match self.is_ours(name, &mut file) {
            Some(true) => Some(file),
            Some(false) => {
                tracing::warn!(file = name, "compiled file has a wrong seal: it is made again");
                None
            }
            None => None,
        }
    }

    /// Reads the file once in pieces; `None`: it can not be read.
    fn is_ours(&self, name: &str, file: &mut File) -> Option<bool> {
        let bytes = file.metadata().ok()?.len();
        let Some(body_bytes) = bytes.checked_sub(SEAL_BYTES as u64) else { return Some(false) };
        let mut mac = self.mac(name)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut left = body_bytes;
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER_BYTES);
            file.read_exact(&mut buffer[..piece]).ok()?;
            mac.update(&buffer[..piece]);
            left -= piece as u64;
        }
        let mut seal = [0; SEAL_BYTES];
        file.read_exact(&mut seal).ok()?;
        Some(mac.verify_slice(&seal).is_ok())
    }

    /// Written under another name first, so that a file is either whole or absent.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let mut mac = self.mac(name).context("the key does not fit")?;
        mac.update(bytes);
        let seal = mac.finalize().into_bytes();
        let temporary = self.path(&format!("{name}.{}.new", std::process::id()));
        let _ = std::fs::remove_file(&temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.write_all(&seal)?;
        file.sync_all()?;
        std::fs::rename(&temporary, self.path(name))?;
        Ok(())
    }

    /// Drops files of components, engines and limits that are no longer used.
    pub(in crate::plugin) fn keep_only(&self, names: &[String]) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !names.iter().any(|keep| self.path(keep).file_name() == Some(&name)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// The name is sealed too: a whole file under another name would be another component.
    fn mac(&self, name: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        Some(mac)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.compiled"))
    }
}

fn private_folder(folder: &Path) -> anyhow::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| format!("can not make {}", folder.display()))?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
        .with_context(|| format!("can not keep {} private", folder.display()))
}

fn read_or_make_key(file: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut new) => {
            let mut key = [0; KEY_BYTES];
            getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness for {}: {error}", file.display()))?;
            new.write_all(&key)?;
            new.sync_all()?;
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let bytes = std::fs::read(file).with_context(|| format!("can not read {}", file.display()))?;
            <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
                .map_err(|_| anyhow::anyhow!("{} does not hold {KEY_BYTES} bytes; delete it and it is made anew", file.display()))
        }
        Err(error) => Err(error).with_context(|| format!("can not make {}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> CompiledCache {
        CompiledCache::open(&folder.join("compiled"), &folder.join("secrets/compiled.key")).unwrap()
    }

    fn content(cache: &CompiledCache, name: &str) -> Option<Vec<u8>> {
        let file = cache.get(name)?;
        drop(file);
        let mut bytes = std::fs::read(cache.path(name)).unwrap();
        bytes.truncate(bytes.len() - SEAL_BYTES);
        Some(bytes)
    }

    #[test]
    fn whole_file_comes_back_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        cache(folder.path()).put("a", b"code").unwrap();
        assert_eq!(content(&cache(folder.path()), "a").as_deref(), Some(b"code".as_slice()));
    }

    #[test]
    fn forged_cut_renamed_and_foreign_files_are_absent() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.put("a", b"code of a").unwrap();
        cache.put("b", b"code of b").unwrap();
        let whole = std::fs::read(cache.path("a")).unwrap();
        let mut forged = whole.clone();
        forged[0] ^= 1;
        std::fs::write(cache.path("a"), &forged).unwrap();
        assert!(cache.get("a").is_none());
        std::fs::write(cache.path("a"), &whole[..whole.len() - 1]).unwrap();
        assert!(cache.get("a").is_none());
        std::fs::write(cache.path("a"), b"short").unwrap();
        assert!(cache.get("a").is_none());
        std::fs::copy(cache.path("b"), cache.path("a")).unwrap();
        assert!(cache.get("a").is_none());
        let other = tempfile::tempdir().unwrap();
        let foreign = super::tests::cache(other.path());
        foreign.put("a", b"code of a").unwrap();
        std::fs::copy(foreign.path("a"), cache.path("a")).unwrap();
        assert!(cache.get("a").is_none());
        assert!(cache.get("never").is_none());
    }

    #[test]
    fn folder_and_key_are_readable_by_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        cache(folder.path()).put("a", b"code").unwrap();
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path().join("compiled")), 0o700);
        assert_eq!(mode(folder.path().join("compiled/a.compiled")), 0o600);
        assert_eq!(mode(folder.path().join("secrets/compiled.key")), 0o600);
    }

    #[test]
    fn unused_files_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.put("old", b"1").unwrap();
        cache.put("new", b"2").unwrap();
        cache.keep_only(&["new".into()]);
        assert!(cache.get("old").is_none() && cache.get("new").is_some());
    }
}
