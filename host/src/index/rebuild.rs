//! Making the index anew from SQL while the one of before answers and follows.
//!
//! Not here: what makes a rebuild necessary (`embedded` and `follower`).

use super::follower::{Follower, FollowerState};
use crate::error::Result;
use crate::limits;
use crate::provider::Retriever;

impl Follower {
    /// Called by the follower's own task alone.
    pub(super) async fn rebuild_now(&self, reason: &str) -> Result<()> {
        let (store, index) = (&self.feed().store, self.index());
        let state = |done, total| FollowerState::Rebuilding { reason: reason.to_owned(), done, total };
        let start = store.max_sequence().await?;
        let total = u64::try_from(store.count_index_rows().await?).unwrap_or(0);
        self.set_state(state(0, total));
        tracing::info!(%reason, total, "the index is being rebuilt");

        // The old index follows meanwhile, so that nobody waits for new documents; one from another past can not.
        let old = index.current();
        let old_follows = old.committed_sequence() > 0
            && old.committed_sequence() <= start
            && store.min_sequence().await?.is_none_or(|first| first <= old.committed_sequence() + 1);
        let fresh = index.begin_rebuild().await?;
        let (mut done, mut after) = (0u64, String::new());
        loop {
            let rows = store.list_index_rows(&after, limits::INDEX_ROWS_MAX).await?;
            let (count, Some(last)) = (rows.len(), rows.last().map(|row| row.chunk_id.clone())) else { break };
            self.feed().add_rows(&fresh, rows).await?;
            after = last;
            done += count as u64;
            self.set_state(state(done, total.max(done)));
            if old_follows {
                match self.feed().apply_changes(&old, old.committed_sequence()).await {
                    Ok(now) => self.publish(now),
                    // It is about to be replaced; what it misses, the fresh one has.
                    Err(error) => tracing::warn!(%error, "the old index no longer follows while the new one is made"),
                }
            }
        }
        // Rows were read over a while; the changes since the start bring them all to one moment.
        fresh.commit(start).await?;
        let mut from = start;
        loop {
            let now = self.feed().apply_changes(&fresh, from).await?;
            if now == from {
                break;
            }
            from = now;
        }
        index.finish_rebuild(fresh).await?;
        self.set_state(FollowerState::Following);
        self.publish(from);
        tracing::info!(done, sequence = from, "the index is rebuilt");
        Ok(())
    }
}
