//! What has to be done now and then: old streams, expired tokens, files of deleted documents.
//!
//! Not here: work that somebody waits for.

use crate::domain::ScopeOf;
use crate::error::Result;
use crate::files::Files;
use crate::library::Library;
use crate::store::Store;
use crate::stream::Streams;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const STREAMS: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_secs(3_600);
/// Files deleted in one go; the next batch follows until none are left.
const BATCH: i64 = 200;

/// Forgets streams that ended a while ago, until `stop`.
pub(super) async fn sweep_streams(streams: Streams, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(STREAMS)).await.is_some() {
        streams.sweep();
    }
}

/// The rest, at start and then every hour, until `stop`.
pub(super) async fn run(library: Library, store: Store, files: Files, scope_of: ScopeOf, stop: CancellationToken) {
    loop {
        let work = async {
            if let Err(error) = library.forget_expired_tokens().await {
                tracing::warn!(%error, "expired tokens are still there");
            }
            if let Err(error) = delete_files(&store, &files, &scope_of).await {
                tracing::warn!(%error, "files of deleted documents are still there");
            }
            tokio::time::sleep(REST).await;
        };
        if stop.run_until_cancelled(work).await.is_none() {
            return;
        }
    }
}

/// A process that was killed between deleting a document and its file leaves the file.
async fn delete_files(store: &Store, files: &Files, scope_of: &ScopeOf) -> Result<()> {
    loop {
        let left = store.list_files_of_deleted(BATCH).await?;
        if left.is_empty() {
            return Ok(());
        }
        for (tenant_id, knowledge_id, path) in left {
            files.delete(&path).await?;
            store.forget_files(&scope_of(tenant_id), &[knowledge_id]).await?;
        }
    }
}
