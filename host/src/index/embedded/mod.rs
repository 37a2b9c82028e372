//! The built-in retriever: exact vector search over mapped files, and BM25 on tantivy, both in one folder on one machine.
//!
//! Not here: where changes come from (`index::follower`). Everything in the folder can be made again from SQL.

mod generation;
mod hits;
mod keywords;
mod log;
mod map;
mod pass;
mod quantise;
mod scan;
mod simd;
mod space;
mod statistics;
#[cfg(test)]
mod tests;
mod vectors;

use crate::domain::TenantScope;
use crate::limits;
use crate::provider::{BoxFuture, IndexedChunk, ProviderError, ProviderErrorKind, ProviderResult, RetrieveRequest, Retrieved, Retriever};
pub(crate) use generation::Generation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

const NAME: &str = "embedded";
const CURRENT: &str = "current.json";
/// How long an opener waits for the last task of an index that was just dropped.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_POLL: Duration = Duration::from_millis(20);

/// Held by everybody who may write in the folder; the operating system lets go of it when the process ends, however it ends.
type Lock = Arc<std::fs::File>;

/// What an index was made from. With another key it says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexKey {
    pub database_id: String,
    /// Tokenizer and normalisation that made its words.
    pub tokens: String,
}

impl IndexKey {
    pub fn new(database_id: impl Into<String>, tokenizer_digest: &str) -> Self {
        Self { database_id: database_id.into(), tokens: format!("{tokenizer_digest}/{}", super::normalise::VERSION) }
    }
}

/// Names the generation that answers.
#[derive(Serialize, Deserialize)]
struct Current {
    generation: u64,
    key: IndexKey,
}

/// Answers from its present generation; another one can be built beside it and take its place.
#[derive(Clone)]
pub struct EmbeddedIndex {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    lock: Lock,
    key: IndexKey,
    current: RwLock<Generation>,
    /// Number of the last generation, and why the present one must be replaced.
    state: Mutex<(u64, Option<String>)>,
}

impl EmbeddedIndex {
    /// Opens what is there. What can not be used is replaced by an empty index, and [`Self::wants_rebuild`] says why; one that was made with
    /// another tokenizer answers until it is rebuilt.
    pub async fn open(root: &Path, key: IndexKey) -> crate::error::Result<Self> {
        let root = root.to_owned();
        let opened = tokio::task::spawn_blocking(move || Self::open_blocking(root, key));
        opened.await.map_err(crate::error::Error::internal)?.map_err(crate::error::Error::Internal)
    }

    fn open_blocking(root: PathBuf, key: IndexKey) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&root)?;
        let lock = lock(&root)?;
        let current = std::fs::read(root.join(CURRENT)).ok().and_then(|bytes| serde_json::from_slice::<Current>(&bytes).ok());
        let (found, reason) = match &current {
            None => (None, Some("there is no index yet".to_owned())),
            Some(current) if current.key.database_id != key.database_id => (None, Some("the index belongs to another database".to_owned())),
            Some(current) => match Generation::open(&root.join(current.generation.to_string()), &current.key, &lock) {
                Ok(Some(found)) if found.committed_sequence() == 0 => (None, Some("the index is empty".to_owned())),
                Ok(Some(found)) if current.key == key => (Some(found), None),
                Ok(Some(found)) => (Some(found), Some("the index was made with another tokenizer".to_owned())),
                Ok(None) => (None, Some("the index is incomplete or of another version".to_owned())),
                Err(error) => (None, Some(format!("the index is damaged: {error:#}"))),
            },
        };
        let last = last_generation(&root)?;
        let (number, generation) = match (found, &current) {
            (Some(found), Some(current)) => (current.generation, found),
            (Some(_), None) | (None, _) => {
                let fresh = Generation::create(&root.join((last + 1).to_string()), &key, &lock)?;
                write_current(&root, last + 1, &key)?;
                (last + 1, fresh)
            }
        };
        if let Some(reason) = &reason {
            tracing::info!(%reason, "the index will be rebuilt");
        }
        let this = Self {
            inner: Arc::new(Inner { root, lock, key, current: RwLock::new(generation), state: Mutex::new((last.max(number), reason)) }),
        };
        this.remove_others();
        Ok(this)
    }

    /// Why the index can not be trusted as it is.
    pub fn wants_rebuild(&self) -> Option<String> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Asks for a rebuild, unless one is wanted already.
    pub(crate) fn want_rebuild(&self, reason: &str) {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).1.get_or_insert_with(|| reason.to_owned());
    }

    /// The index has nothing to be rebuilt from: SQL is empty too.
    pub(crate) fn accept_as_built(&self) {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).1 = None;
    }

    pub(crate) fn current(&self) -> Generation {
        self.inner.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An empty generation beside the one that answers.
    pub(crate) async fn begin_rebuild(&self) -> ProviderResult<Generation> {
        let inner = self.inner.clone();
        let made = tokio::task::spawn_blocking(move || {
            let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = Generation::create(&inner.root.join((state.0 + 1).to_string()), &inner.key, &inner.lock)?;
            state.0 += 1;
            anyhow::Ok(fresh)
        });
        made.await.map_err(|error| fault(&error))?.map_err(|error| fault(&error))
    }

    /// From now on `fresh`, which was committed, answers; the one before is removed.
    pub(crate) async fn finish_rebuild(&self, fresh: Generation) -> ProviderResult<()> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let number = fresh.folder().file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            let number = number.ok_or_else(|| vectors::damaged("a generation has no number"))?;
            write_current(&this.inner.root, number, &this.inner.key)?;
            *this.inner.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
            this.accept_as_built();
            this.remove_others();
            anyhow::Ok(())
        });
        done.await.map_err(|error| fault(&error))?.map_err(|error| fault(&error))
    }

    /// Generations of before, and rebuilds that did not end. Searches under way keep their maps.
    fn remove_others(&self) {
        let current = self.current();
        let folders = std::fs::read_dir(&self.inner.root).into_iter().flatten().flatten();
        for folder in folders.map(|entry| entry.path()).filter(|path| generation_number(path).is_some() && path != current.folder()) {
            if let Err(error) = std::fs::remove_dir_all(&folder) {
                tracing::warn!(%error, folder = %folder.display(), "an old index stays on disk");
            }
        }
    }

    /// Lets readers profit from merges after the last commit.
    pub(crate) async fn refresh(&self) -> ProviderResult<()> {
        self.current().refresh().await
    }

    /// Chunk ids of a knowledge base: (keywords, vectors).
    pub async fn chunk_ids(&self, scope: &TenantScope, knowledge_base_id: &str) -> ProviderResult<(Vec<String>, Vec<String>)> {
        self.current().ids(scope, knowledge_base_id).await
    }

    /// Every (tenant, knowledge base) that the index knows of.
    pub(crate) fn spaces(&self) -> ProviderResult<BTreeSet<(i64, String)>> {
        self.current().spaces()
    }

    /// Length of all files. Vector files have room for more rows, which takes no space on most file systems.
    pub fn size_bytes(&self) -> u64 {
        self.current().size_bytes()
    }
}

/// Two processes that write into one index would destroy it.
fn lock(root: &Path) -> anyhow::Result<Lock> {
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(root.join("lock"))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Arc::new(file)),
            Err(std::fs::TryLockError::WouldBlock) if start.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_POLL),
            Err(std::fs::TryLockError::WouldBlock) => anyhow::bail!("the index in {} is in use by another process", root.display()),
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

fn generation_number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.parse().ok()
}

fn last_generation(root: &Path) -> std::io::Result<u64> {
    let mut last = 0;
    for entry in std::fs::read_dir(root)? {
        last = last.max(generation_number(&entry?.path()).unwrap_or(0));
    }
    Ok(last)
}

fn write_current(root: &Path, generation: u64, key: &IndexKey) -> anyhow::Result<()> {
    let fresh = root.join("current.new");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(&serde_json::to_vec(&Current { generation, key: key.clone() })?)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&fresh, root.join(CURRENT))?;
    Ok(log::sync_folder(root)?)
}

fn fault(error: &(impl std::fmt::Display + ?Sized)) -> ProviderError {
    ProviderError::new(ProviderErrorKind::PluginFault, NAME, format!("{error:#}"))
}

fn invalid(message: String) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Invalid, NAME, message)
}

impl Retriever for EmbeddedIndex {
    fn name(&self) -> &str {
        NAME
    }

    fn retrieve<'a>(&'a self, scope: &'a TenantScope, request: &'a RetrieveRequest) -> BoxFuture<'a, ProviderResult<Retrieved>> {
        Box::pin(async move { self.current().retrieve(scope, request).await })
    }

    fn upsert<'a>(&'a self, scope: &'a TenantScope, chunks: Vec<IndexedChunk>) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async move { self.current().upsert(scope, chunks).await })
    }

    fn delete<'a>(
        &'a self,
        scope: &'a TenantScope,
        knowledge_base_id: &'a str,
        chunk_ids: &'a [String],
    ) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async move { self.current().delete(scope, knowledge_base_id, chunk_ids).await })
    }

    fn commit<'a>(&'a self, sequence: i64) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async move { self.current().commit(sequence).await })
    }

    fn committed_sequence(&self) -> i64 {
        self.current().committed_sequence()
    }

    fn count<'a>(&'a self, scope: &'a TenantScope, knowledge_base_id: &'a str) -> BoxFuture<'a, ProviderResult<u64>> {
        Box::pin(async move { self.current().count(scope, knowledge_base_id).await })
    }
}
