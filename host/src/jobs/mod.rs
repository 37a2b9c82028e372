//! The durable queue and its workers: leases, retries with back-off, an end for every job.
//!
//! Not here: what a job does (its [`JobHandler`]), or how rows are kept (`store`).

mod queue;
#[cfg(test)]
mod tests;
mod worker;

pub use queue::{JobTiming, Jobs};
pub use worker::Worker;

use crate::domain::{Job, JobKind, JobProgress};
use crate::error::{Error, Result};
use crate::limits;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// Does the work of some kinds of jobs.
///
/// A job may be run again at any point, also after its process was killed: each step has to stand being done twice. When
/// the lease is lost or the server stops, the future is dropped at its next await.
pub trait JobHandler: Send + Sync {
    fn kinds(&self) -> &[JobKind];

    /// An error that [`Error::is_transient`] leads to another attempt, as a panic does; any other one, and the last, to `give_up`.
    fn run<'a>(&'a self, job: &'a Job, context: &'a JobContext) -> BoxFuture<'a, Result<()>>;

    /// The job will not be tried again: leave its subject in a state that says why. Called again when it fails.
    fn give_up<'a>(&'a self, job: &'a Job, error: &'a Error) -> BoxFuture<'a, Result<()>>;

    /// After this an attempt counts as failed.
    fn time_limit(&self, _job: &Job) -> Duration {
        limits::JOB_TIME_MAX
    }
}

/// What a handler may tell while it works.
pub struct JobContext {
    jobs: Jobs,
    job: Job,
}

impl JobContext {
    /// Saves how far the job is. An error means that the lease is lost and the work has to stop: pass it on.
    pub async fn progress(&self, progress: &JobProgress) -> Result<()> {
        if self.jobs.progress(&self.job, progress).await? {
            Ok(())
        } else {
            Err(Error::Conflict("the job was taken away or its subject was deleted".into()))
        }
    }
}
