//! Secrets that the server makes for itself at first start and keeps in `data/secrets`, readable by its user alone.
//!
//! Not here: secrets of model rows, and those that the environment sets (they win and are not written down).

use anyhow::{Context, Result, bail};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The folder of secrets.
pub struct Secrets {
    folder: PathBuf,
}

impl Secrets {
    pub fn open(data_dir: &Path) -> Result<Self> {
        let folder = data_dir.join("secrets");
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("{} can not be made", folder.display()))?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
        Ok(Self { folder })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The secret of this name, made of `length` random letters, digits, `-` and `_` (six bits each) if it is missing.
    pub fn get_or_create(&self, name: &str, length: usize) -> Result<String> {
        if let Some(text) = self.read(name)? {
            if text.len() != length {
                bail!(
                    "{} holds {} characters instead of {length}; restore it from a backup, or remove it to start anew",
                    self.path(name).display(),
                    text.len()
                );
            }
            return Ok(text);
        }
        self.renew(name, length)
    }

    /// A new secret of this name in place of what was there.
    pub fn renew(&self, name: &str, length: usize) -> Result<String> {
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
        let text: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).collect();
        self.write(name, &text)?;
        Ok(text)
    }

    pub fn read(&self, name: &str) -> Result<Option<String>> {
        match std::fs::read_to_string(self.path(name)) {
            Ok(text) => Ok(Some(text.trim_end().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} can not be read", self.path(name).display())),
        }
    }

    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        let temporary = path.with_extension("new");
        let _ = std::fs::remove_file(&temporary);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .with_context(|| format!("{} can not be written", temporary.display()))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path).with_context(|| format!("{} can not be written", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_once_and_readable_by_their_owner_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let secrets = Secrets::open(root.path()).expect("opened");
        let first = secrets.get_or_create("jwt", 43).expect("made");
        assert_eq!(first.len(), 43);
        assert_eq!(secrets.get_or_create("jwt", 43).expect("read"), first);
        let renewed = secrets.renew("jwt", 43).expect("made");
        assert_ne!(renewed, first);
        assert_eq!(secrets.read("jwt").expect("read"), Some(renewed));
        assert_ne!(secrets.get_or_create("aes", 43).expect("made"), first);
        let mode = std::fs::metadata(secrets.path("jwt")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mode = std::fs::metadata(root.path().join("secrets")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_cut_secret_is_told_instead_of_replaced() {
        let root = tempfile::tempdir().expect("a folder");
        let secrets = Secrets::open(root.path()).expect("opened");
        secrets.write("aes", "short").expect("written");
        let text = secrets.get_or_create("aes", 32).expect_err("refused").to_string();
        assert!(text.contains("restore it"), "{text}");
    }
}
