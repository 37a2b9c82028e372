//! Documents and knowledge bases on their way out. Not here: their files, which the caller deletes after the commit.

use super::{delete_embeddings, live_knowledge};
use crate::domain::{JobKind, Knowledge, NewJob, TenantId, TenantScope, Timestamp};
use crate::error::Result;
use crate::limits::PURGE_BATCH_KNOWLEDGE;
use crate::store::convert::id_list;
use crate::store::fault::fault;
use crate::store::index_changes::{IndexAction, insert_change};
use crate::store::jobs::{cancel_jobs_of, insert_job};
use crate::store::knowledge::KnowledgeRow;
use crate::store::knowledge_bases::knowledge_base_not_found;
use crate::store::tenants::adjust_storage_used;
use crate::store::{Store, commit};
use sqlx::SqliteConnection;

#[derive(Clone, Debug)]
pub struct DeletedKnowledge {
    pub knowledge: Knowledge,
    /// No later search may return it once the followers have applied this change.
    pub sequence: i64,
    /// The file to delete, if no other document shares it; tell [`Store::forget_files`] when it is gone.
    pub file_path: Option<String>,
}

/// One batch of a deleted knowledge base.
#[derive(Clone, Debug, Default)]
pub struct PurgeStep {
    /// Empty: nothing is left.
    pub knowledge_ids: Vec<String>,
    /// Files to delete, before these ids are handed to the next step.
    pub file_paths: Vec<String>,
    /// The last index change of this step.
    pub sequence: i64,
}

impl Store {
    /// Deletes a document: row, chunks, vectors, counted storage and waiting jobs at once; the caller waits for `sequence`.
    pub async fn delete_knowledge(&self, scope: &TenantScope, knowledge_id: &str) -> Result<DeletedKnowledge> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        let sequence = clear_chunks(&mut transaction, scope, &knowledge, &now).await?;
        sqlx::query("update knowledges set deleted_at = ?2, updated_at = ?2, published_sequence = null where id = ?1")
            .bind(knowledge_id)
            .bind(&now)
            .execute(&mut *transaction)
            .await
            .map_err(fault("deleting a document"))?;
        adjust_storage_used(&mut transaction, scope.tenant_id().0, -knowledge.storage_size_bytes).await?;
        cancel_jobs_of(&mut transaction, JobKind::IngestKnowledge, &[knowledge_id]).await?;
        let file_path = unshared_file(&mut transaction, &knowledge).await?;
        commit(transaction).await?;
        self.announce_index_change(sequence);
        Ok(DeletedKnowledge { knowledge, sequence, file_path })
    }

    /// Deletes all chunks of a document and tells the followers; the document stays.
    pub async fn delete_chunks_of_knowledge(&self, scope: &TenantScope, knowledge_id: &str) -> Result<i64> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        let sequence = clear_chunks(&mut transaction, scope, &knowledge, &now).await?;
        commit(transaction).await?;
        self.announce_index_change(sequence);
        Ok(sequence)
    }

    /// Deletes a knowledge base with its documents and their counted storage at once, and leaves the rest (chunks, vectors,
    /// index, files) to a job of kind `DeleteKnowledgeBase`; answers the job's id.
    pub async fn delete_knowledge_base(&self, scope: &TenantScope, id: &str) -> Result<i64> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query(
            "update knowledge_bases set deleted_at = ?3, updated_at = ?3 where tenant_id = ?1 and id = ?2 and deleted_at is null",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(&now)
        .execute(&mut *transaction)
        .await
        .map_err(fault("deleting a knowledge base"))?;
        if deleted.rows_affected() == 0 {
            return Err(knowledge_base_not_found());
        }
        let gone: Vec<(String, i64)> = sqlx::query_as(
            "update knowledges set deleted_at = ?3, updated_at = ?3, published_sequence = null \
             where tenant_id = ?1 and knowledge_base_id = ?2 and deleted_at is null returning id, storage_size",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(&now)
        .fetch_all(&mut *transaction)
        .await
        .map_err(fault("deleting the documents of a knowledge base"))?;
        let freed: i64 = gone.iter().map(|(_, size)| *size).sum();
        adjust_storage_used(&mut transaction, scope.tenant_id().0, -freed).await?;
        let ids: Vec<&str> = gone.iter().map(|(id, _)| id.as_str()).collect();
        cancel_jobs_of(&mut transaction, JobKind::IngestKnowledge, &ids).await?;
        let job_id = insert_job(&mut transaction, &NewJob::new(JobKind::DeleteKnowledgeBase, scope.tenant_id(), id)).await?;
        commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        Ok(job_id)
    }

    /// One batch of what a deleted knowledge base left. Call it with the ids of the last step once their files are gone,
    /// until a step has no ids.
    pub async fn purge_knowledge_base(&self, scope: &TenantScope, id: &str, files_gone_of: &[String]) -> Result<PurgeStep> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        forget_files_of(&mut transaction, scope, files_gone_of).await?;
        let rows: Vec<KnowledgeRow> = sqlx::query_as(
            "select * from knowledges where tenant_id = ?1 and knowledge_base_id = ?2 and id > ?4 and deleted_at is not null \
             and (file_path <> '' or exists (select 1 from chunks where chunks.knowledge_id = knowledges.id and chunks.deleted_at is null)) \
             order by id limit ?3",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(PURGE_BATCH_KNOWLEDGE)
        // Steps go up in ids, so what lies below the last one is done.
        .bind(files_gone_of.iter().max().map_or("", String::as_str))
        .fetch_all(&mut *transaction)
        .await
        .map_err(fault("reading what a knowledge base left"))?;
        let mut step = PurgeStep::default();
        for row in rows {
            let knowledge = Knowledge::try_from(row)?;
            step.sequence = clear_chunks(&mut transaction, scope, &knowledge, &now).await?;
            step.file_paths.extend(unshared_file(&mut transaction, &knowledge).await?);
            step.knowledge_ids.push(knowledge.id);
        }
        commit(transaction).await?;
        self.announce_index_change(step.sequence);
        Ok(step)
    }

    /// Files of deleted documents that nobody said were gone, of all tenants: a kill between the commit and the deletion
    /// leaves some. For a sweep at start; knowledge id and key.
    pub async fn list_files_of_deleted(&self, limit: i64) -> Result<Vec<(TenantId, String, String)>> {
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "select tenant_id, id, file_path from knowledges where deleted_at is not null and file_path <> '' \
             and not exists (select 1 from knowledges as other where other.tenant_id = knowledges.tenant_id \
             and other.file_path = knowledges.file_path and other.file_path <> '' and other.deleted_at is null) order by id limit ?1",
        )
        .bind(limit)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing files of deleted documents"))?;
        Ok(rows.into_iter().map(|(tenant_id, id, key)| (TenantId(tenant_id), id, key)).collect())
    }

    /// Notes that the files of deleted documents are gone.
    pub async fn forget_files(&self, scope: &TenantScope, knowledge_ids: &[String]) -> Result<()> {
        let mut transaction = self.begin().await?;
        forget_files_of(&mut transaction, scope, knowledge_ids).await?;
        commit(transaction).await
    }
}

/// Soft-deletes the chunks, removes their vectors and writes the index change, an empty one too: the caller always has a
/// number to wait for.
async fn clear_chunks(connection: &mut SqliteConnection, scope: &TenantScope, knowledge: &Knowledge, now: &str) -> Result<i64> {
    let ids: Vec<String> = sqlx::query_scalar(
        "update chunks set deleted_at = ?3, updated_at = ?3 where tenant_id = ?1 and knowledge_id = ?2 and deleted_at is null returning id",
    )
    .bind(scope.tenant_id().0)
    .bind(&knowledge.id)
    .bind(now)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault("deleting the chunks of a document"))?;
    delete_embeddings(connection, &knowledge.id).await?;
    insert_change(connection, scope, &knowledge.knowledge_base_id, IndexAction::Delete, &ids).await
}

/// The document's file, unless another document that lives uses it too.
async fn unshared_file(connection: &mut SqliteConnection, knowledge: &Knowledge) -> Result<Option<String>> {
    if knowledge.file_path.is_empty() {
        return Ok(None);
    }
    let is_shared: bool = sqlx::query_scalar(
        "select exists (select 1 from knowledges where tenant_id = ?1 and file_path = ?2 and file_path <> '' and id <> ?3 and deleted_at is null)",
    )
    .bind(knowledge.tenant_id.0)
    .bind(&knowledge.file_path)
    .bind(&knowledge.id)
    .fetch_one(connection)
    .await
    .map_err(fault("looking for users of a file"))?;
    Ok((!is_shared).then(|| knowledge.file_path.clone()))
}

async fn forget_files_of(connection: &mut SqliteConnection, scope: &TenantScope, knowledge_ids: &[String]) -> Result<()> {
    sqlx::query(
        "update knowledges set file_path = '' where tenant_id = ?1 and deleted_at is not null and id in (select value from json_each(?2))",
    )
    .bind(scope.tenant_id().0)
    .bind(id_list(knowledge_ids))
    .execute(connection)
    .await
    .map_err(fault("forgetting files"))?;
    Ok(())
}
