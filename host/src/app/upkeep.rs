//! What has to be done now and then: old streams, leases of answers, expired tokens, the sweep of what was deleted.
//!
//! Not here: work that somebody waits for.

use crate::chat::Chat;
use crate::ingest::Purge;
use crate::library::Library;
use crate::limits;
use crate::plugin::closed_models;
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

/// Once: names the hosts of models that plugins may not reach, with the line that opens them. A database that comes from the reference has such
/// models, because there no address was closed.
pub(super) async fn tell_refused_hosts(store: Store, listed: Vec<String>, stop: CancellationToken) {
    let work = async {
        let addresses = store.list_model_addresses(limits::MODEL_ADDRESSES_CHECKED_MAX).await?;
        if let Some(closed) = closed_models(&listed, addresses.iter().map(String::as_str)).await? {
            tracing::warn!(
                hosts = closed.hosts,
                "models stand inside your network, where plugins may not reach; to open it, put {} into .env and start again",
                closed.setting
            );
        }
        anyhow::Ok(())
    };
    if let Some(Err(error)) = stop.run_until_cancelled(work).await {
        tracing::warn!("the hosts of models were not looked at: {error:#}");
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
