//! The queue as a worker sees it: what it holds is held in its own name. Not here: SQL.

use crate::domain::{Job, JobKind, JobProgress, NewJob, Timestamp};
use crate::error::Result;
use crate::limits;
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;

/// Times of the queue; tests make them short.
#[derive(Clone, Debug)]
pub struct JobTiming {
    pub lease: Duration,
    pub backoff: Duration,
    pub poll: Duration,
}

impl Default for JobTiming {
    fn default() -> Self {
        Self { lease: limits::JOB_LEASE, backoff: limits::JOB_BACKOFF, poll: limits::JOB_POLL }
    }
}

/// Clones share one name, under which they hold leases.
#[derive(Clone)]
pub struct Jobs {
    store: Store,
    owner: Arc<str>,
    timing: JobTiming,
}

impl Jobs {
    pub fn new(store: Store) -> Self {
        Self::with_timing(store, JobTiming::default())
    }

    pub fn with_timing(store: Store, timing: JobTiming) -> Self {
        // Process ids come again, so the name carries something that does not.
        let owner = format!("{}-{}", std::process::id(), uuid::Uuid::new_v4());
        Self { store, owner: owner.into(), timing }
    }

    pub fn timing(&self) -> &JobTiming {
        &self.timing
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// For a job that needs no other row; one that does is created in that row's transaction (`store`).
    pub async fn enqueue(&self, job: &NewJob) -> Result<i64> {
        self.store.create_job(job).await
    }

    /// One ready job of these kinds, of the tenant with the fewest running ones, leased to this worker.
    pub async fn claim(&self, kinds: &[JobKind]) -> Result<Option<Job>> {
        self.store.claim_job(kinds, &self.owner, self.timing.lease).await
    }

    /// Extends the lease; `false` when it is lost.
    pub async fn heartbeat(&self, job: &Job) -> Result<bool> {
        self.store.extend_lease(job, self.timing.lease).await
    }

    /// `false` when the lease is lost.
    pub async fn progress(&self, job: &Job, progress: &JobProgress) -> Result<bool> {
        self.store.save_job_progress(job, progress).await
    }

    pub async fn complete(&self, job: &Job) -> Result<bool> {
        self.store.complete_job(job).await
    }

    /// Another attempt after a wait that grows with the attempts.
    pub async fn retry(&self, job: &Job, error: &str) -> Result<bool> {
        let wait = backoff(self.timing.backoff, job.attempt, random_unit());
        self.store.retry_job(job, Timestamp::now().plus(wait), error).await
    }

    /// No more attempts, but `give_up` once more after a wait.
    pub(super) async fn give_up_again(&self, job: &Job, error: &str) -> Result<bool> {
        let wait = backoff(self.timing.backoff, job.attempt, random_unit());
        self.store.exhaust_job(job, Timestamp::now().plus(wait), error).await
    }

    pub async fn fail(&self, job: &Job, error: &str) -> Result<bool> {
        self.store.fail_job(job, error).await
    }

    /// Hands back everything that this worker holds: for an orderly stop.
    pub async fn release_all(&self) -> Result<u64> {
        self.store.release_jobs(&self.owner).await
    }

    /// Frees the leases of processes that died. Only for who holds the exclusive lock of the data folder, before workers start.
    pub async fn reclaim_all(&self) -> Result<u64> {
        self.store.reclaim_jobs(limits::JOB_INTERRUPTIONS_MAX).await
    }
}

/// `base * factor^(attempt-1)` up to the maximum, spread over 75 to 125 % so that jobs that failed together do not come back together.
pub(super) fn backoff(base: Duration, attempt: i64, unit: f64) -> Duration {
    let exponent = u32::try_from(attempt.saturating_sub(1).clamp(0, 16)).unwrap_or(0);
    let wait = base.saturating_mul(limits::JOB_BACKOFF_FACTOR.saturating_pow(exponent)).min(limits::JOB_BACKOFF_MAX);
    wait.mul_f64(0.75 + 0.5 * unit.clamp(0.0, 1.0))
}

/// A number in [0, 1); 0.5 where the system has no randomness, which only costs the spreading.
fn random_unit() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / (f64::from(u32::MAX) + 1.0))
}
