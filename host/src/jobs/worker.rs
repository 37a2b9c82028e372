//! The loop that claims jobs and owns the tasks that do them. Not here: how leases are kept (`queue`).

use super::{JobContext, JobHandler, Jobs};
use crate::domain::{Job, JobKind, Timestamp};
use crate::error::{Error, Result};
use crate::limits;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub struct Worker;

impl Worker {
    /// Works until `cancel`; then drops what runs, hands it back and returns.
    pub async fn run(jobs: Jobs, handlers: Vec<Arc<dyn JobHandler>>, concurrency: usize, cancel: CancellationToken) -> Result<()> {
        let kinds: Vec<JobKind> = handlers.iter().flat_map(|handler| handler.kinds().iter().copied()).collect();
        let mut tasks = JoinSet::new();
        let mut next_cleaning = Instant::now();
        while !cancel.is_cancelled() {
            // Listening starts before the look, or a job that comes in between would wait for the poll.
            let ready = jobs.store().jobs_ready().notified();
            tokio::pin!(ready);
            ready.as_mut().enable();
            if Instant::now() >= next_cleaning {
                next_cleaning = Instant::now() + limits::JOB_CLEANING;
                forget_ended(&jobs).await;
            }
            let has_room = tasks.len() < concurrency.max(1);
            let mut wait = jobs.timing().poll;
            if has_room {
                match claim(&jobs, &kinds, &handlers).await {
                    Ok(Some((job, handler))) => {
                        tasks.spawn(work(jobs.clone(), handler, job));
                        continue;
                    }
                    Ok(None) => wait = until_next(&jobs, wait).await,
                    Err(error) => tracing::error!(%error, "no job can be claimed"),
                }
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a job's task ended badly");
                    }
                }
                () = ready, if has_room => {}
                () = tokio::time::sleep(wait), if has_room => {}
            }
        }
        tasks.shutdown().await;
        let released = jobs.release_all().await?;
        if released > 0 {
            tracing::info!(released, "handed back the jobs under way");
        }
        Ok(())
    }
}

/// Ended jobs are kept for those who ask how an upload went, not for ever.
async fn forget_ended(jobs: &Jobs) {
    let age = time::Duration::try_from(limits::JOB_KEPT).unwrap_or_default();
    let before = Timestamp::from(Timestamp::now().as_offset_date_time() - age);
    if let Err(error) = jobs.store().delete_ended_jobs(before).await {
        tracing::warn!(%error, "ended jobs can not be removed");
    }
}

async fn claim(jobs: &Jobs, kinds: &[JobKind], handlers: &[Arc<dyn JobHandler>]) -> Result<Option<(Job, Arc<dyn JobHandler>)>> {
    let Some(job) = jobs.claim(kinds).await? else { return Ok(None) };
    let handler = handlers.iter().find(|handler| handler.kinds().contains(&job.kind));
    Ok(handler.map(|handler| (job, Arc::clone(handler))))
}

/// A job that waits for its back-off or a lapsing lease is looked at in time, not at the next poll.
async fn until_next(jobs: &Jobs, poll: Duration) -> Duration {
    let Ok(Some(next)) = jobs.store().next_job_time().await else { return poll };
    let wait = next.as_offset_date_time() - Timestamp::now().as_offset_date_time();
    // A millisecond more: times in the database are cut to microseconds.
    Duration::try_from(wait).unwrap_or(Duration::ZERO).saturating_add(Duration::from_millis(1)).min(poll)
}

/// One attempt, from the claim to the end of the lease.
async fn work(jobs: Jobs, handler: Arc<dyn JobHandler>, job: Job) {
    let work = attempt(&jobs, handler.as_ref(), &job);
    let ended = tokio::select! {
        ended = work => ended,
        () = lease_lost(&jobs, &job) => {
            tracing::warn!(job = job.id, kind = job.kind.as_str(), "the lease of a job is lost, its work was stopped");
            return;
        }
    };
    if let Err(error) = ended {
        tracing::error!(job = job.id, kind = job.kind.as_str(), %error, "the end of a job could not be written; its lease will lapse");
    }
}

/// Ends when the lease is lost; until then it is extended well before it lapses.
async fn lease_lost(jobs: &Jobs, job: &Job) {
    let pause = jobs.timing().lease / 3;
    loop {
        tokio::time::sleep(pause).await;
        match jobs.heartbeat(job).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(job = job.id, %error, "a heartbeat failed"),
        }
    }
}

async fn attempt(jobs: &Jobs, handler: &dyn JobHandler, job: &Job) -> Result<()> {
    if job.attempt > job.attempts_max {
        let error = Error::Unavailable { reason: format!("the work was given up after {} attempts", job.attempts_max) };
        return give_up(jobs, handler, job, &error).await;
    }
    let context = JobContext { jobs: jobs.clone(), job: job.clone() };
    let run = tokio::time::timeout(handler.time_limit(job), guarded(|| handler.run(job, &context)));
    let result = run.await.unwrap_or_else(|_| Err(Error::Timeout("the work took too long".into())));
    let Err(error) = result else {
        jobs.complete(job).await?;
        return Ok(());
    };
    // Whoever lost the job must not speak for its subject any more.
    if !jobs.heartbeat(job).await? {
        return Ok(());
    }
    if error.is_transient() && job.attempt < job.attempts_max {
        tracing::warn!(job = job.id, kind = job.kind.as_str(), attempt = job.attempt, error = ?error, "an attempt failed, another one follows");
        jobs.retry(job, &sentence(&error)).await?;
        return Ok(());
    }
    give_up(jobs, handler, job, &error).await
}

async fn give_up(jobs: &Jobs, handler: &dyn JobHandler, job: &Job, error: &Error) -> Result<()> {
    tracing::warn!(job = job.id, kind = job.kind.as_str(), attempt = job.attempt, error = ?error, "a job failed for good");
    let told = tokio::time::timeout(handler.time_limit(job), guarded(|| handler.give_up(job, error))).await;
    if let Err(fault) = told.unwrap_or_else(|_| Err(Error::Timeout("giving up took too long".into()))) {
        tracing::error!(job = job.id, error = ?fault, "the failure of a job could not be told to its subject");
        if job.attempt < job.attempts_max + limits::JOB_GIVE_UP_ATTEMPTS_MAX {
            jobs.give_up_again(job, &sentence(error)).await?;
            return Ok(());
        }
    }
    jobs.fail(job, &sentence(error)).await?;
    Ok(())
}

/// A panic in a handler is a fault of ours and counts as an attempt.
async fn guarded<F: Future<Output = Result<()>>>(start: impl FnOnce() -> F) -> Result<()> {
    // Unwind safe: what a handler shares lives behind locks and transactions, which a panic leaves whole.
    match AssertUnwindSafe(async { start().await }).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string()).or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Error::Internal(anyhow::anyhow!("a job handler panicked: {}", text.unwrap_or_default())))
        }
    }
}

/// What a person may read; our own faults stay in the log.
fn sentence(error: &Error) -> String {
    error.public_text().unwrap_or_else(|| "an internal error".into())
}
