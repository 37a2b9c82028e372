//! The data folder: one server at a time, found by others through `server.json`.
//!
//! Not here: what the rooms keep in it.

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Who serves a data folder; written when the server listens, removed when it stops.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerNote {
    pub address: SocketAddr,
    pub pid: u32,
    pub version: String,
}

/// The data folder, locked for this process until it is dropped.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is missing and locks it.
    ///
    /// # Errors
    /// A sentence for the operator: the folder can not be made or written, or another process serves it.
    pub fn lock(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).with_context(|| format!("the data folder {} can not be made", path.display()))?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .with_context(|| format!("the data folder {} can not be written", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => Err(taken(path)),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("the data folder {} can not be locked", path.display())),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing was ever kept here.
    pub fn is_new(&self) -> bool {
        is_new(&self.path)
    }

    /// Tells others where the server listens.
    pub fn announce(&self, address: SocketAddr) -> Result<()> {
        let note = ServerNote { address, pid: std::process::id(), version: env!("CARGO_PKG_VERSION").to_owned() };
        write_whole(&self.path.join("server.json"), &serde_json::to_vec_pretty(&note)?)
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // A stale note does no harm: its reader asks the address before it believes it.
        let _ = std::fs::remove_file(self.path.join("server.json"));
    }
}

/// Whether nothing was ever kept in a folder.
pub fn is_new(path: &Path) -> bool {
    !path.join("knowhost.db").exists()
}

/// The note of a server of this folder, which may have died since.
pub fn read_note(path: &Path) -> Option<ServerNote> {
    serde_json::from_slice(&std::fs::read(path.join("server.json")).ok()?).ok()
}

fn taken(path: &Path) -> anyhow::Error {
    match read_note(path) {
        Some(note) => anyhow!(
            "Knowhost already serves the data folder {} at http://{} (process {}). Talk to that one, stop it, or choose another folder with --data-dir.",
            path.display(),
            note.address,
            note.pid
        ),
        None => anyhow!(
            "Another Knowhost process is using the data folder {}. Wait for it to end, or choose another folder with --data-dir.",
            path.display()
        ),
    }
}

/// Writes a file so that others see the old or the new one, never half.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary).with_context(|| format!("{} can not be written", temporary.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path).with_context(|| format!("{} can not be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_served_once_at_a_time_and_the_note_names_the_server() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("data");
        let first = DataFolder::lock(&path).expect("locked");
        assert!(first.is_new());
        let text = DataFolder::lock(&path).map(|_| ()).expect_err("taken").to_string();
        assert!(text.contains("--data-dir"), "{text}");
        first.announce("127.0.0.1:4711".parse().expect("an address")).expect("announced");
        let text = DataFolder::lock(&path).map(|_| ()).expect_err("taken").to_string();
        assert!(text.contains("http://127.0.0.1:4711"), "{text}");
        drop(first);
        assert!(read_note(&path).is_none());
        DataFolder::lock(&path).expect("free again");
    }

    #[test]
    fn a_folder_that_can_not_be_made_is_told() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("file");
        std::fs::write(&file, "x").expect("written");
        let text = DataFolder::lock(&file.join("data")).map(|_| ()).expect_err("refused").to_string();
        assert!(text.contains("can not be made"), "{text}");
    }
}
