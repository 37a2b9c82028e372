//! Clears what deleted things left: of a knowledge base at once, of a tenant, and for good after a while; in batches.
//!
//! Not here: deleting them, which the request did.

use crate::domain::{Job, JobKind, NewJob, ScopeOf, TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::files::Files;
use crate::jobs::{JobContext, JobHandler};
use crate::limits;
use crate::store::Store;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// Does the jobs about what was deleted.
pub struct Purge {
    store: Store,
    files: Files,
    scope_of: ScopeOf,
    /// How long deleted rows stay.
    kept: Duration,
    /// Age from which a file without a row belongs to nobody.
    file_age: Duration,
}

impl Purge {
    pub fn new(store: Store, files: Files, scope_of: ScopeOf) -> Self {
        Self { store, files, scope_of, kept: limits::DELETED_KEPT, file_age: limits::UNOWNED_FILE_AGE }
    }

    #[cfg(test)]
    pub(super) fn at_once(mut self) -> Self {
        (self.kept, self.file_age) = (Duration::ZERO, Duration::ZERO);
        self
    }

    /// Puts the sweep in the queue, unless it waits there already.
    pub async fn request_sweep(store: &Store) -> Result<()> {
        store.create_job_once(&NewJob::new(JobKind::SweepDeleted, TenantId(0), "all")).await.map(|_| ())
    }

    async fn knowledge_base(&self, scope: &TenantScope, id: &str) -> Result<()> {
        let mut files_gone_of = Vec::new();
        loop {
            let step = self.store.purge_knowledge_base(scope, id, &files_gone_of).await?;
            if step.knowledge_ids.is_empty() {
                return Ok(());
            }
            for path in &step.file_paths {
                self.files.delete(path).await?;
            }
            files_gone_of = step.knowledge_ids;
        }
    }

    /// Each knowledge base leaves a job of its own, so that a large one does not hold up the others.
    async fn tenant(&self, scope: &TenantScope) -> Result<()> {
        for kb in self.store.list_knowledge_bases(scope).await? {
            match self.store.delete_knowledge_base(scope, &kb.id).await {
                // Another attempt did it.
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        while self.store.clear_tenant(scope, limits::PURGE_BATCH_ROWS).await? > 0 {}
        Ok(())
    }

    async fn sweep(&self) -> Result<()> {
        self.requeue().await?;
        self.files_of_deleted().await?;
        self.unowned_files().await?;
        let age = time::Duration::try_from(self.kept).unwrap_or(time::Duration::MAX);
        let before = Timestamp::from(Timestamp::now().as_offset_date_time() - age);
        let mut removed = 0;
        for _ in 0..limits::PURGE_BATCHES_MAX {
            match self.store.purge_deleted(before, limits::PURGE_BATCH_ROWS).await? {
                0 => break,
                rows => removed += rows,
            }
        }
        if removed > 0 {
            tracing::info!(removed, "rows that were deleted long ago are removed for good");
        }
        Ok(())
    }

    /// Work that was given up, or that an earlier version did not know of, comes back.
    async fn requeue(&self) -> Result<()> {
        for tenant_id in self.store.list_tenants_to_clear(limits::PURGE_BATCH_ROWS).await? {
            self.store.create_job_once(&NewJob::new(JobKind::DeleteTenant, tenant_id, tenant_id.to_string())).await?;
        }
        for (tenant_id, id) in self.store.list_knowledge_bases_to_clear(limits::PURGE_BATCH_ROWS).await? {
            self.store.create_job_once(&NewJob::new(JobKind::DeleteKnowledgeBase, tenant_id, id)).await?;
        }
        Ok(())
    }

    /// A process that was killed between deleting a document and its file leaves the file.
    async fn files_of_deleted(&self) -> Result<()> {
        loop {
            let left = self.store.list_files_of_deleted(limits::PURGE_BATCH_ROWS).await?;
            if left.is_empty() {
                return Ok(());
            }
            for (tenant_id, knowledge_id, path) in left {
                self.files.delete(&path).await?;
                self.store.forget_files(&(self.scope_of)(tenant_id), &[knowledge_id]).await?;
            }
        }
    }

    /// A process that was killed between storing a file and its row leaves the file too.
    async fn unowned_files(&self) -> Result<()> {
        let mut walk = self.files.walk(self.file_age);
        loop {
            let keys = walk.next_keys(limits::FILES_LOOKED_AT_ONCE).await?;
            if keys.is_empty() {
                return Ok(());
            }
            for key in self.store.list_unowned_files(&keys).await? {
                tracing::info!(key, "a file that no document owns is removed");
                self.files.delete(&key).await?;
            }
        }
    }
}

impl JobHandler for Purge {
    fn kinds(&self) -> &[JobKind] {
        &[JobKind::DeleteKnowledgeBase, JobKind::DeleteTenant, JobKind::SweepDeleted]
    }

    fn run<'a>(&'a self, job: &'a Job, _: &'a JobContext) -> BoxFuture<'a, Result<()>> {
        async move {
            match job.kind {
                JobKind::DeleteKnowledgeBase => self.knowledge_base(&(self.scope_of)(job.tenant_id), &job.subject_id).await,
                JobKind::DeleteTenant => self.tenant(&(self.scope_of)(job.tenant_id)).await,
                JobKind::SweepDeleted => self.sweep().await,
                JobKind::IngestKnowledge | JobKind::CopyKnowledgeBase | JobKind::PullModel | JobKind::Evaluate => {
                    Err(Error::Internal(anyhow::anyhow!("a job of the kind {} came to the purge", job.kind.as_str())))
                }
            }
        }
        .boxed()
    }

    /// The next sweep finds what is left and puts it in the queue again.
    fn give_up<'a>(&'a self, _: &'a Job, _: &'a Error) -> BoxFuture<'a, Result<()>> {
        async { Ok(()) }.boxed()
    }
}
