//! The search index as its operator sees it: how far it is, whether it holds what SQL says, and making it anew.
//!
//! Not here: the index (`index`), and who is an operator (`access`).

use crate::error::{Error, Result};
use crate::index::{Follower, FollowerState, Verification};
use crate::limits;
use serde::Serialize;

/// Clones look after the same index.
#[derive(Clone)]
pub struct IndexCare {
    follower: Follower,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IndexStatus {
    /// `following`, `rebuilding` or `failing`.
    pub state: &'static str,
    /// Why it is rebuilt, or what failed; empty while it follows.
    pub reason: String,
    /// Chunks that a rebuild has done.
    pub done: u64,
    pub total: u64,
    /// Searches see every change up to this number.
    pub sequence: i64,
    pub last_sequence: i64,
    /// Since the start.
    pub rebuilds_count: u64,
    /// What was wrong with the index when the server started; such an index is rebuilt by itself.
    pub found_at_start: Option<String>,
    pub size_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IndexVerification {
    pub is_good: bool,
    pub chunks_in_database: u64,
    pub chunks_in_index: u64,
    /// Entries of words and of vectors that a search can not find although it should.
    pub missing_count: u64,
    /// Entries that a search may find although their chunks are gone, or finds twice.
    pub surplus_count: u64,
    /// Ids of some of those chunks.
    pub examples: Vec<String>,
}

impl From<Verification> for IndexVerification {
    fn from(found: Verification) -> Self {
        Self {
            is_good: found.is_good(),
            chunks_in_database: found.chunks_in_database,
            chunks_in_index: found.chunks_in_index,
            missing_count: found.missing_count,
            surplus_count: found.surplus_count,
            examples: found.examples,
        }
    }
}

impl IndexCare {
    pub fn new(follower: Follower) -> Self {
        Self { follower }
    }

    /// Counting the bytes looks at every file, hence not for every request.
    pub async fn status(&self) -> Result<IndexStatus> {
        let index = self.follower.index().clone();
        let size_bytes = tokio::task::spawn_blocking(move || index.size_bytes()).await.map_err(Error::internal)?;
        let status = self.follower.status();
        let (state, reason, done, total) = match status.state {
            FollowerState::Following => ("following", String::new(), 0, 0),
            FollowerState::Rebuilding { reason, done, total } => ("rebuilding", reason, done, total),
            FollowerState::Failing { error, .. } => ("failing", error, 0, 0),
        };
        Ok(IndexStatus {
            state,
            reason,
            done,
            total,
            sequence: status.sequence,
            last_sequence: status.last_sequence,
            rebuilds_count: status.rebuilds_count,
            found_at_start: self.follower.found_at_start().map(str::to_owned),
            size_bytes,
        })
    }

    /// Compares the index with SQL, once it has caught up.
    pub async fn verify(&self) -> Result<IndexVerification> {
        self.follower.verify(limits::INDEX_VERIFY_TIME).await.map(IndexVerification::from)
    }

    /// Has the index made anew; the present one answers until then. It is done when `rebuilds_count` has grown.
    pub async fn begin_rebuild(&self) -> Result<IndexStatus> {
        let status = self.status().await?;
        self.follower.begin_rebuild("its operator asked for it");
        Ok(status)
    }
}
