//! Uploaded bytes on local disk, under keys relative to one root. Not here: what is in them.
//!
//! A file appears under its key whole or not at all: it is written under a temporary name, synced and renamed.

mod key;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

pub use walk::FileWalk;
pub use writer::{FileWriter, StoredFile};

use crate::error::{Error, Result};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where unfinished uploads lie, below the root.
const TEMPORARY: &str = "tmp";

/// The storage root. Clones share it.
#[derive(Clone, Debug)]
pub struct Files {
    root: Arc<Path>,
}

/// A stored file, open for reading.
#[derive(Debug)]
pub struct OpenFile {
    pub file: tokio::fs::File,
    pub size_bytes: u64,
}

impl Files {
    /// Makes the root and removes what a killed server left unfinished. Called once, before anybody writes.
    pub fn open(root: &Path) -> Result<Self> {
        let doing = |error| fault("preparing the file storage", error);
        let temporary = root.join(TEMPORARY);
        writer::private_folders().create(&temporary).map_err(doing)?;
        for entry in std::fs::read_dir(&temporary).map_err(doing)? {
            let path = entry.map_err(doing)?.path();
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "an unfinished upload can not be removed");
            }
        }
        // Canonical, so that a resolved key can be compared with it.
        Ok(Self { root: root.canonicalize().map_err(doing)?.into() })
    }

    /// Begins an upload of at most `limit_bytes`.
    pub async fn begin(&self, limit_bytes: u64) -> Result<FileWriter> {
        FileWriter::begin(Arc::clone(&self.root), limit_bytes).await
    }

    pub async fn read(&self, key: &str) -> Result<OpenFile> {
        let file = tokio::fs::File::open(self.path_of(key).await?).await.map_err(|error| fault("opening a file", error))?;
        let metadata = file.metadata().await.map_err(|error| fault("opening a file", error))?;
        if !metadata.is_file() {
            return Err(file_not_found());
        }
        Ok(OpenFile { file, size_bytes: metadata.len() })
    }

    /// The host path of a stored file, for the parser; never for a client. A key that leads out of the root finds nothing.
    pub async fn path_of(&self, key: &str) -> Result<PathBuf> {
        let relative = key::relative(key).ok_or_else(file_not_found)?;
        let path = tokio::fs::canonicalize(self.root.join(relative)).await.map_err(|error| fault("opening a file", error))?;
        if path.starts_with(&self.root) { Ok(path) } else { Err(file_not_found()) }
    }

    /// Deletes a file and its folder when that is empty then; a file that is not there is deleted already.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let path = match self.path_of(key).await {
            Ok(path) => path,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        match tokio::fs::remove_file(&path).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(fault("deleting a file", error)),
        }
        if let Some(folder) = path.parent()
            && folder != &*self.root
        {
            // It may hold other files; then it stays.
            let _ = tokio::fs::remove_dir(folder).await;
        }
        Ok(())
    }
}

fn file_not_found() -> Error {
    Error::not_found("file not found")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of the standard library grow; all others are faults of ours")]
fn fault(doing: &'static str, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory => file_not_found(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            tracing::error!(%error, doing, "the disk of the file storage is full");
            Error::Unavailable { reason: "the disk of the file storage is full".into() }
        }
        _ => Error::Internal(anyhow::Error::new(error).context(format!("the file storage failed while {doing}"))),
    }
}
