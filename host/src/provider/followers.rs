//! What makes chunks findable, seen from those who must wait for it.

use super::BoxFuture;
use crate::error::Result;
use std::time::Instant;

/// Everything that follows the store's index changes.
pub trait Followers: Send + Sync {
    /// Returns when no search misses a change up to `sequence`; an error when that is not so at the deadline.
    fn wait_until(&self, sequence: i64, deadline: Instant) -> BoxFuture<'_, Result<()>>;
}
