//! Jobs that fetch models, and the model rows that wait for them. Not here: the fetching (`library::downloads`).
//!
//! A pull is a job whose subject is its task id and whose payload names the model. Model rows of the source `local` wait for
//! the pull of their name, not for one job: who asks twice gets the one that runs.

use super::Store;
use super::convert::{check_text, id_list};
use super::fault::fault;
use super::jobs::{JobRow, insert_job};
use crate::domain::{Job, JobKind, ModelStatus, NewJob, TenantId, Timestamp};
use crate::error::{Error, Result};
use crate::limits::{NAME_CHARS_MAX, PULL_ATTEMPTS_MAX, PULLS_SHOWN_MAX, PULLS_WAITING_MAX};
use serde_json::json;
use sqlx::SqliteConnection;

/// A name without a tag means its latest; the tag stands behind the last slash, as a registry's port stands before it.
pub fn full_model_name(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

/// The name of the model that a pull fetches, as it was asked for.
pub fn pulled_name(job: &Job) -> &str {
    job.payload["model"].as_str().unwrap_or_default()
}

impl Store {
    /// The pull of `name` that waits or runs for the tenant, else a new one; `true`: it is new.
    pub async fn create_pull(&self, tenant_id: TenantId, name: &str) -> Result<(Job, bool)> {
        let mut transaction = self.begin().await?;
        let (job, is_new) = ensure_pull(&mut transaction, tenant_id, name).await?;
        super::commit(transaction).await?;
        if is_new {
            self.jobs_ready().notify_waiters();
        }
        Ok((job, is_new))
    }

    /// Newest first.
    pub async fn list_pulls(&self, tenant_id: TenantId) -> Result<Vec<Job>> {
        sqlx::query_as::<_, JobRow>("select * from jobs where tenant_id = ?1 and kind = ?2 order by id desc limit ?3")
            .bind(tenant_id.0)
            .bind(JobKind::PullModel.as_str())
            .bind(PULLS_SHOWN_MAX)
            .fetch_all(self.reader())
            .await
            .map_err(fault("listing downloads"))?
            .into_iter()
            .map(Job::try_from)
            .collect()
    }

    /// Ends a pull that waits or runs, and fails the models that wait for it; `None`: it has ended already, or there is none.
    pub async fn cancel_pull(&self, tenant_id: TenantId, task_id: &str, reason: &str) -> Result<Option<Job>> {
        let mut transaction = self.begin().await?;
        let cancelled = sqlx::query_as::<_, JobRow>(
            "update jobs set state = 'failed', error = ?4, lease_owner = null, lease_until = null, updated_at = ?5 \
             where tenant_id = ?1 and kind = ?2 and subject_id = ?3 and state in ('queued', 'leased') returning *",
        )
        .bind(tenant_id.0)
        .bind(JobKind::PullModel.as_str())
        .bind(task_id)
        .bind(reason)
        .bind(Timestamp::now().to_column())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(fault("cancelling a download"))?;
        let job = cancelled.map(Job::try_from).transpose()?;
        if let Some(job) = &job {
            end_waiting(&mut transaction, tenant_id, pulled_name(job), ModelStatus::DownloadFailed).await?;
        }
        super::commit(transaction).await?;
        Ok(job)
    }

    /// Tells the tenant's rows of the source `local` with this name how their pull ended.
    pub async fn end_pull(&self, tenant_id: TenantId, name: &str, status: ModelStatus) -> Result<()> {
        let mut transaction = self.begin().await?;
        end_waiting(&mut transaction, tenant_id, name, status).await?;
        super::commit(transaction).await
    }

    /// Gives every model that is said to be fetched a pull that does it: rows of an earlier server, or of a job that was lost.
    pub async fn resume_pulls(&self) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let waiting: Vec<(i64, String)> = sqlx::query_as(
            "select distinct tenant_id, name from models where source = 'local' and status = 'downloading' and deleted_at is null \
             and tenant_id in (select id from tenants where deleted_at is null)",
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(fault("reading models that are fetched"))?;
        let mut resumed = 0;
        for (tenant_id, name) in waiting {
            match ensure_pull(&mut transaction, TenantId(tenant_id), &name).await {
                Ok((_, is_new)) => resumed += u64::from(is_new),
                Err(Error::RateLimited { .. } | Error::Validation { .. }) => {
                    end_waiting(&mut transaction, TenantId(tenant_id), &name, ModelStatus::DownloadFailed).await?;
                }
                Err(error) => return Err(error),
            }
        }
        super::commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        Ok(resumed)
    }
}

/// Within the caller's transaction, who notifies `jobs_ready` after the commit.
pub(super) async fn ensure_pull(connection: &mut SqliteConnection, tenant_id: TenantId, name: &str) -> Result<(Job, bool)> {
    check_text("modelName", name, NAME_CHARS_MAX)?;
    let rows = sqlx::query_as::<_, JobRow>(
        "select * from jobs where tenant_id = ?1 and kind = ?2 and state in ('queued', 'leased') order by id limit ?3",
    )
    .bind(tenant_id.0)
    .bind(JobKind::PullModel.as_str())
    .bind(PULLS_WAITING_MAX)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault("reading downloads"))?;
    let active = rows.into_iter().map(Job::try_from).collect::<Result<Vec<_>>>()?;
    let count = active.len();
    let wanted = full_model_name(name);
    if let Some(job) = active.into_iter().find(|job| full_model_name(pulled_name(job)) == wanted) {
        return Ok((job, false));
    }
    if i64::try_from(count).unwrap_or(i64::MAX) >= PULLS_WAITING_MAX {
        return Err(Error::RateLimited { message: format!("{count} downloads wait already"), retry_after_ms: None });
    }
    let job = NewJob {
        attempts_max: PULL_ATTEMPTS_MAX,
        ..NewJob::new(JobKind::PullModel, tenant_id, uuid::Uuid::new_v4().to_string()).with_payload(json!({ "model": name }))
    };
    let id = insert_job(connection, &job).await?;
    let row = sqlx::query_as::<_, JobRow>("select * from jobs where id = ?1")
        .bind(id)
        .fetch_one(connection)
        .await
        .map_err(fault("reading a download"))?;
    Ok((row.try_into()?, true))
}

/// Ends what a deleted tenant was fetching; a pull that runs stops when it finds its lease gone.
pub(super) async fn end_pulls(connection: &mut SqliteConnection, tenant_id: TenantId) -> Result<()> {
    sqlx::query(
        "update jobs set state = 'failed', error = 'the tenant was deleted', lease_owner = null, lease_until = null, updated_at = ?3 \
         where tenant_id = ?1 and kind = ?2 and state in ('queued', 'leased')",
    )
    .bind(tenant_id.0)
    .bind(JobKind::PullModel.as_str())
    .bind(Timestamp::now().to_column())
    .execute(connection)
    .await
    .map_err(fault("cancelling the downloads of a tenant"))?;
    Ok(())
}

async fn end_waiting(connection: &mut SqliteConnection, tenant_id: TenantId, name: &str, status: ModelStatus) -> Result<()> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select id, name from models where tenant_id = ?1 and source = 'local' and status <> 'active' and deleted_at is null",
    )
    .bind(tenant_id.0)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault("reading models that are fetched"))?;
    let wanted = full_model_name(name);
    let ids: Vec<String> = rows.into_iter().filter(|(_, name)| full_model_name(name) == wanted).map(|(id, _)| id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query("update models set status = ?2, updated_at = ?3 where id in (select value from json_each(?1))")
        .bind(id_list(&ids))
        .bind(status.as_str())
        .bind(Timestamp::now().to_column())
        .execute(connection)
        .await
        .map_err(fault("ending a download"))?;
    Ok(())
}
