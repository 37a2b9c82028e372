//! One upload on its way to disk, hashed and counted. Not here: HTTP bodies.

use super::{OpenFile, TEMPORARY, fault, key};
use crate::domain::TenantId;
use crate::error::{Error, Result};
use md5::{Digest, Md5};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

/// What an upload became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Relative to the storage root; the value of `file_path`.
    pub key: String,
    pub size_bytes: u64,
    /// MD5 in hexadecimal, as the contract's `file_hash` has it.
    pub md5: String,
}

/// Dropped before [`FileWriter::finish`], it leaves nothing behind.
pub struct FileWriter {
    root: Arc<Path>,
    file: tokio::fs::File,
    temporary: TemporaryFile,
    hash: Md5,
    size_bytes: u64,
    limit_bytes: u64,
}

impl FileWriter {
    pub(super) async fn begin(root: Arc<Path>, limit_bytes: u64) -> Result<Self> {
        let path = root.join(TEMPORARY).join(uuid::Uuid::new_v4().to_string());
        let mut options = tokio::fs::OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(&path).await.map_err(|error| fault("beginning an upload", error))?;
        Ok(Self { root, file, temporary: TemporaryFile(Some(path)), hash: Md5::new(), size_bytes: 0, limit_bytes })
    }

    /// Takes the next bytes. Beyond the limit nothing more is written and the upload is over.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        if self.size_bytes > self.limit_bytes {
            return Err(Error::TooLarge(format!("the file is larger than {} bytes", self.limit_bytes)));
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).await.map_err(|error| fault("writing an upload", error))
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes for whoever reads them next; their name is gone already, so that nothing has to be cleared away.
    pub async fn into_nameless(mut self) -> Result<OpenFile> {
        let doing = |error| fault("reading back a file", error);
        self.file.flush().await.map_err(doing)?;
        self.file.rewind().await.map_err(doing)?;
        Ok(OpenFile { file: self.file, size_bytes: self.size_bytes })
    }

    /// Gives the file its key, durably: after a power cut it is there or it is not.
    pub async fn finish(mut self, tenant_id: TenantId, knowledge_id: &str, extension: &str) -> Result<StoredFile> {
        if self.size_bytes > self.limit_bytes {
            return Err(Error::TooLarge(format!("the file is larger than {} bytes", self.limit_bytes)));
        }
        let Some(key) = key::new_key(tenant_id, knowledge_id, extension) else {
            return Err(Error::BadRequest("the knowledge id is not usable as a file name".into()));
        };
        let doing = |error| fault("finishing an upload", error);
        self.file.flush().await.map_err(doing)?;
        self.file.sync_all().await.map_err(doing)?;
        let target = self.root.join(&key);
        let (mut temporary, root) = (std::mem::replace(&mut self.temporary, TemporaryFile(None)), Arc::clone(&self.root));
        tokio::task::spawn_blocking(move || place(&mut temporary, &root, &target))
            .await
            .map_err(|error| Error::internal(anyhow::Error::new(error)))?
            .map_err(doing)?;
        Ok(StoredFile { key, size_bytes: self.size_bytes, md5: hex::encode(self.hash.finalize()) })
    }
}

/// Renames the file and syncs the folders that its name is written in.
fn place(temporary: &mut TemporaryFile, root: &Path, target: &Path) -> std::io::Result<()> {
    let folder = target.parent().unwrap_or(root);
    private_folders().create(folder)?;
    if let Some(path) = &temporary.0 {
        std::fs::rename(path, target)?;
    }
    temporary.0 = None;
    for folder in target.ancestors().skip(1) {
        std::fs::File::open(folder)?.sync_all()?;
        if folder == root {
            break;
        }
    }
    Ok(())
}

/// Uploads are readable by the server's user alone.
pub(super) fn private_folders() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

/// Removes its file when dropped; empty once the file has its key.
struct TemporaryFile(Option<PathBuf>);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(path = %path.display(), %error, "an unfinished upload can not be removed");
        }
    }
}
