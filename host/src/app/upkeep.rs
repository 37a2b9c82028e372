//! What has to be done now and then: old streams, leases of answers, expired tokens, the sweep of what was deleted.
//!
//! Not here: work that somebody waits for.

use crate::chat::Chat;
use crate::ingest::Purge;
use crate::library::Library;
use crate::limits;
use crate::store::Store;
use crate::stream::Streams;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const STREAMS: Duration = Duration::from_secs(5);

/// Forgets streams that ended a while ago, until `stop`.
pub(super) async fn sweep_streams(streams: Streams, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(STREAMS)).await.is_some() {
        streams.sweep();
    }
}

/// Renews the leases of answers under way, and ends those of processes that died, until `stop`.
pub(super) async fn keep_promises(chat: Chat, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(limits::ANSWER_LEASE / 3)).await.is_some() {
        if let Err(error) = chat.keep_promises().await {
            tracing::warn!(%error, "the leases of answers were not renewed");
        }
    }
}

/// The rest, at start and then every hour, until `stop`.
pub(super) async fn run(library: Library, store: Store, stop: CancellationToken) {
    loop {
        let work = async {
            if let Err(error) = library.forget_expired_tokens().await {
                tracing::warn!(%error, "expired tokens are still there");
            }
            if let Err(error) = Purge::request_sweep(&store).await {
                tracing::warn!(%error, "what was deleted long ago is still there");
            }
            tokio::time::sleep(limits::SWEEP_EVERY).await;
        };
        if stop.run_until_cancelled(work).await.is_none() {
            return;
        }
    }
}
