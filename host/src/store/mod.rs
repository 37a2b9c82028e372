//! SQL: the truth. Tenants, models, documents, chunks, conversations, jobs and the changes that followers apply.
//!
//! Not here: providers, files, or anything that decides; a method is one statement or one transaction.
//!
//! Every method that touches a tenant's rows takes a [`TenantScope`](crate::domain::TenantScope) first, and a row of
//! another tenant behaves as one that does not exist. `find_` answers `None`, `get_` answers `NotFound`. `create_`
//! methods take a whole domain object, set tenant and times themselves and give a fresh id where it is empty; `update_`
//! methods take a patch whose `None` fields keep what is stored. Lists are ordered newest first, ties by id.

mod answer_leases;
mod auth_tokens;
mod chunks;
mod convert;
mod embeddings;
mod evaluations;
mod fault;
mod found;
mod images;
mod index_changes;
mod ingestion;
mod initialization;
mod jobs;
mod kept;
mod knowledge;
mod knowledge_bases;
mod messages;
mod meta;
mod migrate;
mod models;
mod page;
mod pulls;
mod retention;
mod sessions;
mod tenants;
#[cfg(test)]
#[path = "tests/support.rs"]
pub(crate) mod testing;
mod users;

pub use chunks::ChunkPatch;
pub use embeddings::{ChunkEmbedding, EmbeddedBy};
pub use evaluations::NewEvaluation;
pub use found::{Found, FoundChunk, FoundKnowledge};
pub use images::{ImageChange, PictureChunk};
pub use index_changes::{IndexAction, IndexChange, IndexRow};
pub use ingestion::{Completion, CompletionOutcome, CopiedDocument, CreatedKnowledge, DeletedKnowledge, DocumentHash, PurgeStep};
pub use initialization::{Initialized, InitializedModel, ModelWrite, NewSettings};
pub use knowledge::{KnowledgeFilter, KnowledgePatch};
pub use knowledge_bases::KnowledgeBasePatch;
pub use models::{BuiltinModel, ModelFilter, ModelPatch};
pub use page::{Page, Paged};
pub use pulls::{full_model_name, pulled_name};
pub use sessions::SessionPatch;
pub use tenants::TenantPatch;
pub use users::UserPatch;

use crate::error::{Error, Result};
use crate::limits;
use fault::fault;
use kept::{KeptRows, Versions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// The database's file in the data folder.
pub const DATABASE_FILE: &str = "knowhost.db";

/// The database. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    /// SQLite has one writer; a pool of one makes the others wait in order instead of failing as busy.
    writer: SqlitePool,
    reader: SqlitePool,
    database_id: String,
    jobs_ready: Notify,
    index_sequence: watch::Sender<i64>,
    kept: KeptRows,
    versions: Arc<Versions>,
}

impl Store {
    /// Opens or makes the database and brings its schema up to date. `path` is the file, or the data folder that holds [`DATABASE_FILE`].
    pub async fn open(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join(DATABASE_FILE) } else { path.to_path_buf() };
        keep_private(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(false)
            .busy_timeout(limits::DATABASE_BUSY)
            .pragma("temp_store", "memory")
            // After a burst the write-ahead log shrinks again.
            .pragma("journal_size_limit", "67108864");
        let versions = Arc::<Versions>::default();
        let writer = versions
            .watch(SqlitePoolOptions::new())
            .max_connections(1)
            .min_connections(1)
            .acquire_timeout(limits::DATABASE_ACQUIRE)
            .connect_with(options.clone())
            .await
            .map_err(fault("opening the database"))?;
        migrate::migrate(&writer).await?;
        let database_id = meta::ensure_database_id(&writer).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(limits::DATABASE_READERS_MAX)
            .acquire_timeout(limits::DATABASE_ACQUIRE)
            .connect_with(options.pragma("query_only", "on"))
            .await
            .map_err(fault("opening the database for reading"))?;
        let (index_sequence, _) = watch::channel(index_changes::last_sequence(&reader).await?);
        let inner = Inner {
            path,
            writer,
            reader,
            database_id,
            jobs_ready: Notify::new(),
            index_sequence,
            kept: KeptRows::new(&versions),
            versions,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Ends all connections after what runs; the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }

    /// Another server writes to this database too: every row is read anew from now on.
    pub fn share_database(&self) {
        self.inner.versions.share();
    }

    /// Answers when the database does.
    pub async fn check(&self) -> Result<()> {
        sqlx::query_scalar::<_, i64>("select 1").fetch_one(self.reader()).await.map_err(fault("checking the database"))?;
        Ok(())
    }

    /// Wakes all workers when a job was put in the queue, because each takes some kinds only; a missed call is harmless to those who also poll.
    pub fn jobs_ready(&self) -> &Notify {
        &self.inner.jobs_ready
    }

    /// Follows the number of the last index change of this process.
    pub fn watch_index_sequence(&self) -> watch::Receiver<i64> {
        self.inner.index_sequence.subscribe()
    }

    fn reader(&self) -> &SqlitePool {
        &self.inner.reader
    }

    fn kept(&self) -> &KeptRows {
        &self.inner.kept
    }

    fn writer(&self) -> &SqlitePool {
        &self.inner.writer
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.inner.writer.begin_with("begin immediate").await.map_err(fault("beginning a transaction"))
    }

    /// Tells followers, after the commit.
    fn announce_index_change(&self, sequence: i64) {
        self.inner.index_sequence.send_if_modified(|last| {
            let newer = sequence > *last;
            if newer {
                *last = sequence;
            }
            newer
        });
    }
}

async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<()> {
    transaction.commit().await.map_err(fault("committing a transaction"))
}

/// The file holds API keys: it is made before SQLite makes it, readable by its owner alone.
fn keep_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            Err(Error::Internal(anyhow::Error::new(error).context(format!("the database {} can not be created", path.display()))))
        }
    }
}

#[cfg(test)]
mod tests;
