//! Rows of the durable queue. Not here: who works (`jobs`).
//!
//! Jobs are system rows: a worker serves all tenants, so these methods take ids. Whoever holds a lease is named by
//! owner and attempt; a call in the name of a lease that was lost changes nothing and answers `false`.

use super::Store;
use super::convert::{from_json, id_list, optional_time, time, to_json, without_nul, word};
use super::fault::fault;
use crate::domain::{Job, JobKind, JobProgress, JobState, NewJob, TenantId, Timestamp};
use crate::error::{Error, Result};
use crate::limits::JOB_ATTEMPTS_MAX;
use sqlx::SqliteConnection;
use std::time::Duration;

#[derive(sqlx::FromRow)]
pub(super) struct JobRow {
    id: i64,
    kind: String,
    tenant_id: i64,
    subject_id: String,
    payload: String,
    state: String,
    priority: i64,
    attempt: i64,
    attempts_max: i64,
    interruptions: i64,
    lease_owner: Option<String>,
    lease_until: Option<String>,
    run_after: String,
    stage: String,
    percent: i64,
    progress_text: String,
    error: String,
    created_at: String,
    updated_at: String,
}

impl TryFrom<JobRow> for Job {
    type Error = Error;

    fn try_from(row: JobRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            kind: word("jobs.kind", &row.kind, JobKind::parse)?,
            tenant_id: TenantId(row.tenant_id),
            subject_id: row.subject_id,
            payload: from_json("jobs.payload", &row.payload)?,
            state: word("jobs.state", &row.state, JobState::parse)?,
            priority: row.priority,
            attempt: row.attempt,
            attempts_max: row.attempts_max,
            interruptions: row.interruptions,
            lease_owner: row.lease_owner,
            lease_until: optional_time("jobs.lease_until", row.lease_until.as_deref())?,
            run_after: time("jobs.run_after", &row.run_after)?,
            progress: JobProgress { stage: row.stage, percent: row.percent, text: row.progress_text },
            error: row.error,
            created_at: time("jobs.created_at", &row.created_at)?,
            updated_at: time("jobs.updated_at", &row.updated_at)?,
        })
    }
}

/// The tenants with ready work are found by jumping through the index from one to the next, so that a tenant with a
/// hundred thousand waiting jobs costs no more than one with a single job; the tenant with the fewest leases goes first.
const CLAIM: &str = "with recursive waiting (tenant_id) as (\
    select min(tenant_id) from jobs where state = 'queued' \
    union all \
    select (select min(tenant_id) from jobs where state = 'queued' and tenant_id > waiting.tenant_id) from waiting \
    where waiting.tenant_id is not null), \
  ready (id) as (\
    select (select id from jobs where state = 'queued' and jobs.tenant_id = waiting.tenant_id and run_after <= ?1 \
      and kind in (select value from json_each(?2)) order by priority desc, id limit 1) \
    from waiting where waiting.tenant_id is not null \
    union all \
    select id from jobs where state = 'leased' and lease_until <= ?1 and kind in (select value from json_each(?2))), \
  busy (tenant_id, leases) as (\
    select tenant_id, count(*) from jobs where state = 'leased' and lease_until > ?1 group by tenant_id) \
update jobs set state = 'leased', attempt = attempt + 1, lease_owner = ?3, lease_until = ?4, updated_at = ?1 \
where id = (select jobs.id from ready join jobs on jobs.id = ready.id left join busy on busy.tenant_id = jobs.tenant_id \
  order by coalesce(busy.leases, 0), jobs.priority desc, jobs.id limit 1) returning *";

impl Store {
    pub async fn create_job(&self, job: &NewJob) -> Result<i64> {
        let mut transaction = self.begin().await?;
        let id = insert_job(&mut transaction, job).await?;
        super::commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        Ok(id)
    }

    /// The same, unless a job of this kind about the same row waits or runs already; whether it was needed.
    pub async fn create_job_once(&self, job: &NewJob) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let is_there: bool = sqlx::query_scalar(
            "select exists (select 1 from jobs where subject_id = ?1 and kind = ?2 and tenant_id = ?3 and state in ('queued', 'leased'))",
        )
        .bind(&job.subject_id)
        .bind(job.kind.as_str())
        .bind(job.tenant_id.0)
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("looking for a job"))?;
        if !is_there {
            insert_job(&mut transaction, job).await?;
        }
        super::commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        Ok(!is_there)
    }

    pub async fn find_job(&self, id: i64) -> Result<Option<Job>> {
        sqlx::query_as::<_, JobRow>("select * from jobs where id = ?1")
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a job"))?
            .map(Job::try_from)
            .transpose()
    }

    /// The newest job of a kind about a row, e.g. the ingestion of a knowledge with its progress.
    pub async fn find_job_of(&self, tenant_id: TenantId, kind: JobKind, subject_id: &str) -> Result<Option<Job>> {
        sqlx::query_as::<_, JobRow>("select * from jobs where tenant_id = ?1 and kind = ?2 and subject_id = ?3 order by id desc limit 1")
            .bind(tenant_id.0)
            .bind(kind.as_str())
            .bind(subject_id)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a job"))?
            .map(Job::try_from)
            .transpose()
    }

    pub async fn count_jobs(&self, state: JobState) -> Result<i64> {
        sqlx::query_scalar("select count(*) from jobs where state = ?1")
            .bind(state.as_str())
            .fetch_one(self.reader())
            .await
            .map_err(fault("counting jobs"))
    }

    /// Gives one ready job, or one whose lease lapsed, to `owner`. The attempt may exceed `attempts_max`: then only giving up is left.
    pub async fn claim_job(&self, kinds: &[JobKind], owner: &str, lease: Duration) -> Result<Option<Job>> {
        let now = Timestamp::now();
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        sqlx::query_as::<_, JobRow>(CLAIM)
            .bind(now.to_column())
            .bind(id_list(&kinds))
            .bind(owner)
            .bind(now.plus(lease).to_column())
            .fetch_optional(self.writer())
            .await
            .map_err(fault("claiming a job"))?
            .map(Job::try_from)
            .transpose()
    }

    /// `false`: the lease is lost, the work has to stop.
    pub async fn extend_lease(&self, job: &Job, lease: Duration) -> Result<bool> {
        let now = Timestamp::now();
        let extended = sqlx::query(
            "update jobs set lease_until = ?4, updated_at = ?5 where id = ?1 and state = 'leased' and lease_owner = ?2 and attempt = ?3",
        )
        .bind(job.id)
        .bind(&job.lease_owner)
        .bind(job.attempt)
        .bind(now.plus(lease).to_column())
        .bind(now.to_column())
        .execute(self.writer())
        .await
        .map_err(fault("extending a lease"))?;
        Ok(extended.rows_affected() > 0)
    }

    pub async fn save_job_progress(&self, job: &Job, progress: &JobProgress) -> Result<bool> {
        let saved = sqlx::query(
            "update jobs set stage = ?4, percent = ?5, progress_text = ?6, updated_at = ?7 \
             where id = ?1 and state = 'leased' and lease_owner = ?2 and attempt = ?3",
        )
        .bind(job.id)
        .bind(&job.lease_owner)
        .bind(job.attempt)
        .bind(without_nul(&progress.stage))
        .bind(progress.percent.clamp(0, 100))
        .bind(without_nul(&progress.text))
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("saving a job's progress"))?;
        Ok(saved.rows_affected() > 0)
    }

    pub async fn complete_job(&self, job: &Job) -> Result<bool> {
        self.end_lease(job, JobState::Done, None, None, "").await
    }

    /// Back into the queue, to be tried again after a time.
    pub async fn retry_job(&self, job: &Job, run_after: Timestamp, error: &str) -> Result<bool> {
        let is_back = self.end_lease(job, JobState::Queued, Some(run_after), None, error).await?;
        self.jobs_ready().notify_waiters();
        Ok(is_back)
    }

    /// Back into the queue with its attempts spent: the next claim is for giving up.
    pub async fn exhaust_job(&self, job: &Job, run_after: Timestamp, error: &str) -> Result<bool> {
        let is_back = self.end_lease(job, JobState::Queued, Some(run_after), Some(job.attempt), error).await?;
        self.jobs_ready().notify_waiters();
        Ok(is_back)
    }

    pub async fn fail_job(&self, job: &Job, error: &str) -> Result<bool> {
        self.end_lease(job, JobState::Failed, None, None, error).await
    }

    /// Hands back what an owner holds, as if it had not been tried: for an orderly stop.
    pub async fn release_jobs(&self, owner: &str) -> Result<u64> {
        let released = sqlx::query(
            "update jobs set state = 'queued', attempt = attempt - 1, lease_owner = null, lease_until = null, updated_at = ?2 \
             where state = 'leased' and lease_owner = ?1",
        )
        .bind(owner)
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("releasing jobs"))?;
        if released.rows_affected() > 0 {
            self.jobs_ready().notify_waiters();
        }
        Ok(released.rows_affected())
    }

    /// Frees every lease: only for a process that holds the lock of the data folder, so that no other worker can live.
    /// Being killed is not the job's fault, so it costs no attempt until it happened `interruptions_max` times.
    pub async fn reclaim_jobs(&self, interruptions_max: i64) -> Result<u64> {
        let reclaimed = sqlx::query(
            "update jobs set state = 'queued', attempt = attempt - (interruptions < ?1), interruptions = interruptions + 1, \
             lease_owner = null, lease_until = null, updated_at = ?2 where state = 'leased'",
        )
        .bind(interruptions_max)
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("reclaiming jobs"))?;
        if reclaimed.rows_affected() > 0 {
            self.jobs_ready().notify_waiters();
        }
        Ok(reclaimed.rows_affected())
    }

    /// When the next waiting job may run or the next lease lapses.
    pub async fn next_job_time(&self) -> Result<Option<Timestamp>> {
        let text: Option<String> = sqlx::query_scalar(
            "select min(at) from (select min(run_after) as at from jobs where state = 'queued' \
             union all select min(lease_until) from jobs where state = 'leased')",
        )
        .fetch_one(self.reader())
        .await
        .map_err(fault("reading the next job's time"))?;
        optional_time("jobs.run_after", text.as_deref())
    }

    /// Removes ended jobs that nobody asks for any more.
    pub async fn delete_ended_jobs(&self, before: Timestamp) -> Result<u64> {
        let deleted = sqlx::query("delete from jobs where state in ('done', 'failed') and updated_at < ?1")
            .bind(before.to_column())
            .execute(self.writer())
            .await
            .map_err(fault("removing ended jobs"))?;
        Ok(deleted.rows_affected())
    }

    async fn end_lease(
        &self,
        job: &Job,
        state: JobState,
        run_after: Option<Timestamp>,
        attempts_max: Option<i64>,
        error: &str,
    ) -> Result<bool> {
        let ended = sqlx::query(
            "update jobs set state = ?4, run_after = coalesce(?5, run_after), error = ?6, lease_owner = null, lease_until = null, \
             percent = case when ?4 = 'done' then 100 else percent end, updated_at = ?7, \
             attempts_max = min(attempts_max, coalesce(?8, attempts_max)) \
             where id = ?1 and state = 'leased' and lease_owner = ?2 and attempt = ?3",
        )
        .bind(job.id)
        .bind(&job.lease_owner)
        .bind(job.attempt)
        .bind(state.as_str())
        .bind(run_after.map(|time| time.to_column()))
        .bind(without_nul(error))
        .bind(Timestamp::now().to_column())
        .bind(attempts_max)
        .execute(self.writer())
        .await
        .map_err(fault("ending a lease"))?;
        Ok(ended.rows_affected() > 0)
    }
}

/// Puts a job into the queue within the caller's transaction, who notifies `jobs_ready` after the commit.
pub(super) async fn insert_job(connection: &mut SqliteConnection, job: &NewJob) -> Result<i64> {
    let now = Timestamp::now().to_column();
    sqlx::query_scalar(
        "insert into jobs (kind, tenant_id, subject_id, payload, state, priority, attempt, attempts_max, run_after, created_at, updated_at) \
         values (?1, ?2, ?3, ?4, 'queued', ?5, 0, ?6, ?7, ?8, ?8) returning id",
    )
    .bind(job.kind.as_str())
    .bind(job.tenant_id.0)
    .bind(&job.subject_id)
    .bind(to_json("payload", &job.payload)?)
    .bind(job.priority)
    .bind(if job.attempts_max > 0 { job.attempts_max } else { JOB_ATTEMPTS_MAX })
    .bind(job.run_after.to_column())
    .bind(now)
    .fetch_one(connection)
    .await
    .map_err(fault("creating a job"))
}

/// Removes jobs about rows that are gone; who works on one notices at its next heartbeat.
pub(super) async fn cancel_jobs_of(connection: &mut SqliteConnection, kind: JobKind, subject_ids: &[&str]) -> Result<()> {
    sqlx::query("delete from jobs where kind = ?1 and subject_id in (select value from json_each(?2)) and state in ('queued', 'leased')")
        .bind(kind.as_str())
        .bind(id_list(subject_ids))
        .execute(connection)
        .await
        .map_err(fault("cancelling jobs"))?;
    Ok(())
}
