//! The task that brings the embedded index to what SQL says, and lets others wait for it.
//!
//! Not here: what a change does (`feed`), and making an index anew (`rebuild`).

use super::embedded::{EmbeddedIndex, IndexKey};
use super::feed::Feed;
use crate::domain::ScopeOf;
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{BoxFuture, Followers};
use crate::provider::{Retriever, Tokenizer};
use crate::store::Store;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowerState {
    Following,
    /// `done` of `total` rows; the index of before still answers.
    Rebuilding {
        reason: String,
        done: u64,
        total: u64,
    },
    /// The last attempt failed; the next one comes by itself.
    Failing {
        error: String,
        failures: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerStatus {
    pub state: FollowerState,
    /// Searches see every change up to this number.
    pub sequence: i64,
    /// Number of the last change in SQL that this process knows of.
    pub last_sequence: i64,
    /// Rebuilds that came to an end since the start.
    pub rebuilds_count: u64,
}

/// Cheap to clone; all clones are the same follower.
#[derive(Clone)]
pub struct Follower {
    inner: Arc<Inner>,
}

struct Inner {
    index: EmbeddedIndex,
    feed: Feed,
    /// What searches see. It goes back when a rebuild throws an index away that was ahead of SQL.
    sequence: watch::Sender<i64>,
    state: Mutex<FollowerState>,
    /// Rebuilds that came to an end.
    rebuilds: watch::Sender<u64>,
    wake: tokio::sync::Notify,
    /// Looks without news since the last change.
    idle_steps: AtomicU32,
    /// Why the index could not be used as it was opened.
    found_at_start: Option<String>,
}

impl Follower {
    /// Opens the index in `folder`. Nothing moves until [`Self::run`].
    pub async fn open(folder: &Path, store: Store, tokenizer: Arc<dyn Tokenizer>, scope_of: ScopeOf) -> Result<Self> {
        let key = IndexKey::new(store.database_id(), &tokenizer.plugin().digest);
        let index = EmbeddedIndex::open(folder, key).await?;
        let present = index.committed_sequence();
        let last = store.max_sequence().await?;
        if present > last {
            index.want_rebuild("the index is ahead of the database, which was set back");
        } else if present < last && store.min_sequence().await?.is_none_or(|first| present + 1 < first) {
            index.want_rebuild("the database no longer keeps the changes that the index lacks");
        } else if present == 0 && last == 0 && store.count_index_rows().await? == 0 {
            index.accept_as_built();
        }
        let found_at_start = index.wants_rebuild();
        let inner = Inner {
            sequence: watch::Sender::new(if present > last { 0 } else { present }),
            index,
            feed: Feed { store, tokenizer, scope_of },
            state: Mutex::new(FollowerState::Following),
            rebuilds: watch::Sender::new(0),
            wake: tokio::sync::Notify::new(),
            idle_steps: AtomicU32::new(0),
            found_at_start,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn index(&self) -> &EmbeddedIndex {
        &self.inner.index
    }

    pub(super) fn feed(&self) -> &Feed {
        &self.inner.feed
    }

    /// Follows until `stop`. One task of the process calls it.
    pub async fn run(&self, stop: CancellationToken) {
        let mut news = self.inner.feed.store.watch_index_sequence();
        let mut failures = 0;
        while !stop.is_cancelled() {
            let step = tokio::select! {
                // A step that is dropped leaves changes without a commit, which the next commit or start applies again.
                step = self.step() => step,
                () = stop.cancelled() => break,
            };
            let pause = match step {
                Ok(true) => {
                    failures = 0;
                    continue;
                }
                Ok(false) => {
                    failures = 0;
                    limits::INDEX_POLL
                }
                Err(error) => {
                    failures += 1;
                    self.failed(&error, failures);
                    limits::INDEX_RETRY_MIN.saturating_mul(1 << failures.min(16)).min(limits::INDEX_RETRY_MAX)
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
                () = self.inner.wake.notified() => {}
                _ = news.changed(), if failures == 0 => {}
            }
        }
    }

    /// Whether there was something to do.
    async fn step(&self) -> Result<bool> {
        if let Some(reason) = self.inner.index.wants_rebuild() {
            self.rebuild_now(&reason).await?;
            self.inner.rebuilds.send_modify(|count| *count += 1);
            return Ok(true);
        }
        let from = self.inner.index.committed_sequence();
        let now = self.inner.feed.apply_changes(&self.inner.index.current(), from).await?;
        self.set_state(FollowerState::Following);
        self.publish(now);
        if now != from {
            self.inner.idle_steps.store(0, Ordering::Relaxed);
            self.forget_old_changes(now).await;
            return Ok(true);
        }
        // Merges end some time after the last change; then readers change over to the merged segments.
        if matches!(self.inner.idle_steps.fetch_add(1, Ordering::Relaxed), 1 | 5) {
            self.inner.index.refresh().await?;
        }
        Ok(false)
    }

    fn failed(&self, error: &Error, failures: u32) {
        tracing::warn!(%error, failures, "the index could not follow the database");
        self.set_state(FollowerState::Failing { error: error.to_string(), failures });
        // Faults of SQL or the tokenizer pass; an engine that fails again and again is damaged.
        if failures >= limits::INDEX_FAILURES_MAX && matches!(error, Error::Provider(error) if error.plugin == self.inner.index.name()) {
            self.inner.index.want_rebuild(&format!("the index failed {failures} times: {error}"));
        }
    }

    /// Now and then, because it is a write like any other.
    async fn forget_old_changes(&self, now: i64) {
        let up_to = now - limits::INDEX_CHANGES_KEPT;
        if up_to > 0
            && now % 256 == 0
            && let Err(error) = self.inner.feed.store.prune_index_changes(up_to).await
        {
            tracing::warn!(%error, "old index changes stay for now");
        }
    }

    pub(super) fn set_state(&self, state: FollowerState) {
        *self.inner.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub(super) fn publish(&self, sequence: i64) {
        self.inner.sequence.send_if_modified(|last| std::mem::replace(last, sequence) != sequence);
    }

    /// Returns when searches see every change up to `sequence`.
    pub async fn wait_until(&self, sequence: i64, deadline: Instant) -> Result<()> {
        let mut seen = self.inner.sequence.subscribe();
        let reached = tokio::time::timeout_at(deadline.into(), seen.wait_for(|now| *now >= sequence)).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Error::Unavailable { reason: "the index has stopped".into() }),
            Err(_) => Err(Error::Timeout(match self.status().state {
                FollowerState::Following => "the index did not catch up in time".into(),
                FollowerState::Rebuilding { done, total, .. } => format!("the index is being rebuilt: {done} of {total} chunks are done"),
                FollowerState::Failing { error, .. } => format!("the index does not follow: {error}"),
            })),
        }
    }

    pub fn sequence(&self) -> watch::Receiver<i64> {
        self.inner.sequence.subscribe()
    }

    pub fn status(&self) -> FollowerStatus {
        FollowerStatus {
            state: self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            sequence: *self.inner.sequence.borrow(),
            last_sequence: *self.inner.feed.store.watch_index_sequence().borrow(),
            rebuilds_count: *self.inner.rebuilds.borrow(),
        }
    }

    /// What was wrong with the index when it was opened, although it was rebuilt since.
    pub fn found_at_start(&self) -> Option<&str> {
        self.inner.found_at_start.as_deref()
    }

    /// Has the index made anew while the old one answers; `rebuilds_count` tells the end.
    pub fn begin_rebuild(&self, reason: &str) {
        self.inner.index.want_rebuild(reason);
        self.inner.wake.notify_one();
    }

    /// Has the index made anew while the old one answers, and returns when it is done; [`Self::run`] must be running.
    pub async fn rebuild(&self, reason: &str, time: Duration) -> Result<()> {
        let mut done = self.inner.rebuilds.subscribe();
        done.mark_unchanged();
        self.begin_rebuild(reason);
        match tokio::time::timeout(time, done.changed()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Unavailable { reason: "the index has stopped".into() }),
            Err(_) => Err(Error::Timeout("the index is still being rebuilt".into())),
        }
    }
}

impl Followers for Follower {
    fn wait_until(&self, sequence: i64, deadline: Instant) -> BoxFuture<'_, Result<()>> {
        Box::pin(Self::wait_until(self, sequence, deadline))
    }
}
