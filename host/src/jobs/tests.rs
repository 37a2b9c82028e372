//! The queue and its workers on a real database; times are made short by backdating rows or by tiny waits of the queue itself.

use super::queue::backoff;
use super::{JobContext, JobHandler, JobTiming, Jobs, Worker};
use crate::domain::{Job, JobKind, JobProgress, JobState, NewJob, TenantId, Timestamp};
use crate::error::{Error, Result};
use crate::limits;
use crate::store::Store;
use crate::store::testing::{TestStore, open};
use futures_util::future::BoxFuture;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const KINDS: &[JobKind] = &[JobKind::IngestKnowledge];

fn quick(store: &Store) -> Jobs {
    let timing = JobTiming { lease: Duration::from_secs(60), backoff: Duration::from_millis(1), poll: Duration::from_millis(20) };
    Jobs::with_timing(store.clone(), timing)
}

fn a_job(tenant: i64, subject: &str) -> NewJob {
    NewJob::new(JobKind::IngestKnowledge, TenantId(tenant), subject)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_claimers_get_each_job_once() {
    let test = open().await;
    for number in 0..100 {
        quick(&test.store).enqueue(&a_job(number % 7, &number.to_string())).await.expect("enqueues");
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let jobs = quick(&test.store);
        tasks.spawn(async move {
            let mut ids = Vec::new();
            while let Some(job) = jobs.claim(KINDS).await.expect("claims") {
                ids.push(job.id);
            }
            ids
        });
    }
    let ids: Vec<i64> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(ids.len(), 100);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 100);
}

#[tokio::test]
async fn the_tenant_with_the_fewest_leases_goes_first_and_within_it_priority_then_age() {
    let test = open().await;
    let jobs = quick(&test.store);
    for subject in ["a1", "a2", "a3"] {
        jobs.enqueue(&a_job(1, subject)).await.expect("enqueues");
    }
    jobs.enqueue(&a_job(2, "b1")).await.expect("enqueues");
    jobs.enqueue(&NewJob { priority: 5, ..a_job(2, "b2") }).await.expect("enqueues");
    jobs.enqueue(&NewJob { run_after: Timestamp::now().plus(Duration::from_secs(600)), ..a_job(3, "later") }).await.expect("enqueues");
    let mut order = Vec::new();
    while let Some(job) = jobs.claim(KINDS).await.expect("claims") {
        order.push(job.subject_id);
    }
    assert_eq!(order, ["b2", "a1", "a2", "b1", "a3"]);
    assert!(jobs.claim(&[JobKind::PullModel]).await.expect("claims").is_none());
}

#[tokio::test]
async fn a_lapsed_lease_is_taken_over_and_its_old_holder_changes_nothing() {
    let test = open().await;
    let dead = Jobs::with_timing(test.store.clone(), JobTiming { lease: Duration::ZERO, ..JobTiming::default() });
    let alive = quick(&test.store);
    alive.enqueue(&a_job(1, "x")).await.expect("enqueues");
    let lost = dead.claim(KINDS).await.expect("claims").expect("a job");
    let taken = alive.claim(KINDS).await.expect("claims").expect("the lapsed job");
    assert_eq!((taken.id, taken.attempt), (lost.id, 2));
    let progress = JobProgress { stage: "embed".into(), percent: 50, text: String::new() };
    assert!(!dead.heartbeat(&lost).await.expect("answers"));
    assert!(!dead.progress(&lost, &progress).await.expect("answers"));
    assert!(!dead.complete(&lost).await.expect("answers"));
    assert!(!dead.retry(&lost, "late").await.expect("answers"));
    assert!(alive.progress(&taken, &progress).await.expect("answers"));
    assert!(alive.complete(&taken).await.expect("answers"));
    let job = test.store.find_job(taken.id).await.expect("reads").expect("there");
    assert_eq!((job.state, job.progress.percent, job.lease_owner), (JobState::Done, 100, None));
}

#[tokio::test]
async fn a_stop_hands_back_only_its_own_and_a_kill_frees_all_without_costing_attempts() {
    let test = open().await;
    let (one, two) = (quick(&test.store), quick(&test.store));
    for subject in ["x", "y"] {
        one.enqueue(&a_job(1, subject)).await.expect("enqueues");
    }
    one.claim(KINDS).await.expect("claims").expect("a job");
    let kept = two.claim(KINDS).await.expect("claims").expect("a job");
    assert_eq!(one.release_all().await.expect("releases"), 1);
    assert!(two.heartbeat(&kept).await.expect("answers"));
    for _ in 0..limits::JOB_INTERRUPTIONS_MAX {
        while two.claim(KINDS).await.expect("claims").is_some() {}
        assert_eq!(one.reclaim_all().await.expect("reclaims"), 2);
    }
    let job = test.store.find_job(kept.id).await.expect("reads").expect("there");
    assert_eq!((job.attempt, job.interruptions), (0, limits::JOB_INTERRUPTIONS_MAX));
    two.claim(KINDS).await.expect("claims").expect("a job");
    one.reclaim_all().await.expect("reclaims");
    let job = test.store.find_job(kept.id).await.expect("reads").expect("there");
    let other = two.claim(KINDS).await.expect("claims").expect("a job");
    assert!(job.attempt == 1 || other.attempt == 2, "one kill too many counts as an attempt");
}

#[test]
fn back_off_grows_to_its_maximum_and_spreads() {
    let base = Duration::from_secs(2);
    assert_eq!(backoff(base, 1, 0.5), Duration::from_secs(2));
    assert_eq!(backoff(base, 3, 0.5), Duration::from_secs(32));
    assert_eq!(backoff(base, 1000, 0.5), limits::JOB_BACKOFF_MAX);
    assert!(backoff(base, 1, 0.0) < backoff(base, 1, 1.0));
}

/// Does what the subject's name says; remembers what happened.
#[derive(Default)]
struct Scripted {
    runs: AtomicUsize,
    given_up: Mutex<Vec<String>>,
    give_up_failures: AtomicUsize,
    progress: Option<JobProgress>,
}

impl JobHandler for Scripted {
    fn kinds(&self) -> &[JobKind] {
        KINDS
    }

    fn run<'a>(&'a self, job: &'a Job, context: &'a JobContext) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
            if let Some(progress) = &self.progress {
                context.progress(progress).await?;
            }
            match job.subject_id.as_str() {
                "succeeds" => Ok(()),
                "fails twice" if run > 2 => Ok(()),
                "fails twice" | "is never there" => Err(Error::Unavailable { reason: "nobody answers".into() }),
                "panics" => panic!("a planted panic"),
                "hangs" => std::future::pending().await,
                "is broken" => Err(Error::BadRequest("the file is no PDF".into())),
                other => panic!("no script for {other}"),
            }
        })
    }

    fn give_up<'a>(&'a self, job: &'a Job, error: &'a Error) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if self.give_up_failures.load(Ordering::SeqCst) > 0 {
                self.give_up_failures.fetch_sub(1, Ordering::SeqCst);
                return Err(Error::internal(anyhow::anyhow!("the database is away")));
            }
            self.given_up.lock().expect("unpoisoned").push(format!("{}: {error}", job.subject_id));
            Ok(())
        })
    }
}

/// Runs a worker until the job has reached the state, with a deadline.
async fn run_until(test: &TestStore, handler: &Arc<Scripted>, subject: &str, state: JobState) -> Job {
    let jobs = quick(&test.store);
    let id = jobs.enqueue(&a_job(1, subject)).await.expect("enqueues");
    let cancel = CancellationToken::new();
    let worker = tokio::spawn(Worker::run(jobs, vec![Arc::clone(handler) as Arc<dyn JobHandler>], 2, cancel.clone()));
    let job = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let job = test.store.find_job(id).await.expect("reads").expect("there");
            if job.state == state {
                return job;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the job reaches its state in time");
    cancel.cancel();
    worker.await.expect("joins").expect("stops");
    job
}

#[tokio::test]
async fn a_job_is_done_after_failures_that_pass() {
    let test = open().await;
    let handler = Arc::new(Scripted {
        progress: Some(JobProgress { stage: "parse".into(), percent: 10, text: "page 1".into() }),
        ..Scripted::default()
    });
    let job = run_until(&test, &handler, "fails twice", JobState::Done).await;
    assert_eq!((handler.runs.load(Ordering::SeqCst), job.attempt), (3, 3));
    assert_eq!((job.progress.stage.as_str(), job.progress.text.as_str()), ("parse", "page 1"));
    assert!(handler.given_up.lock().expect("unpoisoned").is_empty());
}

#[tokio::test]
async fn attempts_are_bounded_and_end_in_giving_up_with_a_sentence() {
    let test = open().await;
    for (subject, runs, told) in [
        ("is never there", 5, "is never there: nobody answers"),
        ("panics", 5, "panics: a job handler panicked: a planted panic"),
        ("is broken", 1, "is broken: the file is no PDF"),
    ] {
        let handler = Arc::new(Scripted::default());
        run_until(&test, &handler, subject, JobState::Failed).await;
        assert_eq!(handler.runs.load(Ordering::SeqCst), runs, "{subject}");
        assert_eq!(*handler.given_up.lock().expect("unpoisoned"), [told]);
    }
}

#[tokio::test]
async fn giving_up_is_repeated_when_it_fails_and_does_not_run_the_job_again() {
    let test = open().await;
    let handler = Arc::new(Scripted { give_up_failures: AtomicUsize::new(2), ..Scripted::default() });
    run_until(&test, &handler, "is broken", JobState::Failed).await;
    assert_eq!(handler.runs.load(Ordering::SeqCst), 1);
    assert_eq!(handler.given_up.lock().expect("unpoisoned").len(), 1);
}

#[tokio::test]
async fn a_stop_drops_a_hanging_job_and_hands_it_back() {
    let test = open().await;
    let handler = Arc::new(Scripted::default());
    let leased = run_until(&test, &handler, "hangs", JobState::Leased).await;
    let job = test.store.find_job(leased.id).await.expect("reads").expect("there");
    assert_eq!((job.state, job.attempt), (JobState::Queued, 0));
}
