//! Fetching models into the model server: durable jobs of one tenant, their live progress, their end.
//!
//! Not here: how a server fetches (the catalogue behind `provider`), and the rows of the queue (`store::pulls`).

use crate::domain::{Job, JobKind, JobProgress, JobState, ModelStatus, TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::jobs::{JobContext, JobHandler};
use crate::limits;
use crate::provider::{CallContext, Catalogue, ProviderErrorKind, ProviderResult, PullProgress, Registry};
use crate::store::{Store, full_model_name, pulled_name};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The plugin that the source `local` means.
pub(super) const LOCAL: &str = "ollama";
const CANCELLED: &str = "已取消";

/// How a download stands, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadStatus {
    Pending,
    Downloading,
    Completed,
    Failed,
}

impl DownloadStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Downloading => "downloading",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// A download as people see it.
#[derive(Clone, Debug)]
pub struct Download {
    pub task_id: String,
    pub model_name: String,
    pub status: DownloadStatus,
    /// 0 to 100, with one decimal.
    pub progress: f64,
    pub message: String,
    pub start_time: Timestamp,
    pub end_time: Option<Timestamp>,
}

/// What asking for a model came to.
#[derive(Clone, Debug)]
pub enum Requested {
    Installed,
    Running(Download),
    Created(Download),
}

/// A download of this process that runs.
struct Live {
    cancel: CancellationToken,
    /// Grows only, though the total becomes known layer by layer.
    percent: f64,
    /// The server's own word for what it does; empty before the first.
    status: String,
    sized: bool,
}

/// Downloads of all tenants; each sees its own. Clones share them.
#[derive(Clone)]
pub struct Downloads {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    registry: Registry,
    /// `OLLAMA_OPTIONAL`: without a model server nothing is fetched, and nothing fails.
    is_optional: bool,
    live: Mutex<HashMap<String, Live>>,
}

impl Downloads {
    /// `is_optional`: there need not be a model server.
    pub fn new(store: Store, registry: Registry, is_optional: bool) -> Self {
        Self { inner: Arc::new(Inner { store, registry, is_optional, live: Mutex::default() }) }
    }

    pub(super) fn catalogue(&self) -> ProviderResult<Arc<dyn Catalogue>> {
        self.inner.registry.plugins().catalogue(LOCAL, "")
    }

    /// Takes up the downloads that an earlier process, or the reference, left without a job.
    pub async fn recover(&self) -> Result<()> {
        let resumed = self.inner.store.resume_pulls().await?;
        if resumed > 0 {
            tracing::info!(resumed, "models that were being fetched are fetched again");
        }
        Ok(())
    }

    /// Starts a download of `name`, unless it is there or under way.
    pub async fn request(&self, scope: &TenantScope, context: &CallContext, name: &str) -> Result<Requested> {
        if self.catalogue()?.check(context, name).await? {
            return Ok(Requested::Installed);
        }
        let (job, is_new) = self.inner.store.create_pull(scope.tenant_id(), name).await?;
        let download = self.view(&job);
        Ok(if is_new { Requested::Created(download) } else { Requested::Running(download) })
    }

    pub async fn get(&self, scope: &TenantScope, task_id: &str) -> Result<Download> {
        let job = self.inner.store.find_job_of(scope.tenant_id(), JobKind::PullModel, task_id).await?;
        job.map(|job| self.view(&job)).ok_or_else(|| Error::not_found("下载任务不存在"))
    }

    /// Newest first.
    pub async fn list(&self, scope: &TenantScope) -> Result<Vec<Download>> {
        Ok(self.inner.store.list_pulls(scope.tenant_id()).await?.iter().map(|job| self.view(job)).collect())
    }

    /// Ends a download; one that has ended already stays as it is.
    pub async fn cancel(&self, scope: &TenantScope, task_id: &str) -> Result<Download> {
        match self.inner.store.cancel_pull(scope.tenant_id(), task_id, CANCELLED).await? {
            Some(job) => {
                // The row says so first, so that whoever is stopped now finds its lease gone.
                if let Some(live) = self.live().get(task_id) {
                    live.cancel.cancel();
                }
                Ok(self.view(&job))
            }
            None => self.get(scope, task_id).await,
        }
    }

    fn live(&self) -> std::sync::MutexGuard<'_, HashMap<String, Live>> {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self, job: &Job) -> Download {
        let (status, progress, message) = match job.state {
            JobState::Done => (DownloadStatus::Completed, 100.0, "下载完成".to_owned()),
            JobState::Failed => (DownloadStatus::Failed, 0.0, format!("下载失败: {}", shortened(&job.error))),
            JobState::Queued | JobState::Leased => self.view_active(job),
        };
        let has_ended = matches!(status, DownloadStatus::Completed | DownloadStatus::Failed);
        Download {
            task_id: job.subject_id.clone(),
            model_name: pulled_name(job).to_owned(),
            status,
            progress,
            message,
            start_time: job.created_at,
            end_time: has_ended.then_some(job.updated_at),
        }
    }

    fn view_active(&self, job: &Job) -> (DownloadStatus, f64, String) {
        if let Some(live) = self.live().get(&job.subject_id) {
            let message = match (live.status.as_str(), live.sized) {
                ("", _) => "开始下载模型".to_owned(),
                (status, false) => status.to_owned(),
                (status, true) => format!("下载中: {:.1}% ({status})", live.percent),
            };
            return (DownloadStatus::Downloading, live.percent, message);
        }
        let has_started = job.state == JobState::Leased || job.attempt > 0 || job.interruptions > 0;
        if !has_started {
            return (DownloadStatus::Pending, 0.0, "准备下载".to_owned());
        }
        let percent = f64::from(i32::try_from(job.progress.percent).unwrap_or(0));
        let message = if job.progress.text.is_empty() { "开始下载模型" } else { &job.progress.text };
        (DownloadStatus::Downloading, percent, message.to_owned())
    }

    async fn pull(&self, job: &Job, jobs: &JobContext) -> Result<()> {
        let name = pulled_name(job);
        let cancel = CancellationToken::new();
        let live = Live { cancel: cancel.clone(), percent: 0.0, status: String::new(), sized: false };
        self.live().insert(job.subject_id.clone(), live);
        let _guard = Leave { downloads: self, task_id: &job.subject_id };
        let request_id = format!("pull-{}", job.subject_id);
        let context = CallContext { cancel, ..CallContext::background(job.tenant_id, request_id, limits::PULL_TIME) };
        let catalogue = self.catalogue()?;
        if self.inner.is_optional && catalogue.status(&context).await.is_err_and(|error| error.kind != ProviderErrorKind::NotFound) {
            tracing::warn!(model = name, "no server of local models is there: the model counts as fetched, because the server is optional");
            return self.inner.store.end_pull(job.tenant_id, name, ModelStatus::Active).await;
        }
        if !catalogue.check(&context, name).await? {
            let mut progress = catalogue.pull(&context, name).await?;
            let mut saved = Instant::now();
            while let Some(progress) = progress.next().await {
                let percent = self.note(&job.subject_id, progress?);
                if saved.elapsed() >= limits::PULL_SAVE {
                    saved = Instant::now();
                    jobs.progress(&JobProgress { stage: "pull".into(), percent, text: String::new() }).await?;
                }
            }
        }
        self.inner.store.end_pull(job.tenant_id, name, ModelStatus::Active).await
    }

    /// Keeps what a running download told, and answers with its whole percent.
    fn note(&self, task_id: &str, progress: PullProgress) -> i64 {
        let mut live = self.live();
        let Some(live) = live.get_mut(task_id) else { return 0 };
        if progress.total_bytes > 0 {
            live.percent = live.percent.max(percent(progress.completed_bytes, progress.total_bytes));
            live.sized = true;
        }
        live.status = progress.status;
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
        let whole = live.percent as i64;
        whole
    }
}

/// With one decimal, as it is shown.
fn percent(completed: u64, total: u64) -> f64 {
    let thousandths = u128::from(completed.min(total)) * 1_000 / u128::from(total.max(1));
    f64::from(u32::try_from(thousandths).unwrap_or(1_000)) / 10.0
}

fn shortened(text: &str) -> String {
    text.chars().take(limits::PROVIDER_TEXT_CHARS_MAX).collect()
}

/// Takes a download off the list of those that run, however it ends.
struct Leave<'a> {
    downloads: &'a Downloads,
    task_id: &'a str,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.downloads.live().remove(self.task_id);
    }
}

impl JobHandler for Downloads {
    fn kinds(&self) -> &[JobKind] {
        &[JobKind::PullModel]
    }

    fn run<'a>(&'a self, job: &'a Job, context: &'a JobContext) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.pull(job, context))
    }

    fn give_up<'a>(&'a self, job: &'a Job, _error: &'a Error) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.inner.store.end_pull(job.tenant_id, pulled_name(job), ModelStatus::DownloadFailed).await })
    }

    fn time_limit(&self, _job: &Job) -> Duration {
        limits::PULL_TIME
    }
}

/// Which of `names` are among the `installed` ones.
pub(super) fn are_installed<'a>(names: &'a [String], installed: &[String]) -> Vec<(&'a str, bool)> {
    let installed: Vec<String> = installed.iter().map(|name| full_model_name(name)).collect();
    names.iter().map(|name| (name.as_str(), installed.contains(&full_model_name(name)))).collect()
}

/// A call that somebody waits for.
pub(super) fn asking(tenant_id: TenantId, request_id: &str) -> CallContext {
    CallContext::interactive(tenant_id, request_id, limits::CATALOGUE_TIME)
}
