//! The life of a document, one transaction a method: created, saved in pieces, published, completed, failed, deleted.
//!
//! Not here: parsing, embedding and waiting for followers. Every method may be run twice; one that meets a document that
//! was deleted meanwhile answers `NotFound` and writes nothing, so that a job can not revive it.

use super::convert::{check_text, id_list, id_or_new, to_json, without_nul};
use super::fault::fault;
use super::index_changes::{IndexAction, insert_change};
use super::jobs::{cancel_jobs_of, insert_job};
use super::knowledge::{KnowledgeRow, knowledge_not_found};
use super::knowledge_bases::knowledge_base_not_found;
use super::tenants::{adjust_storage_used, tenant_not_found};
use super::{Store, commit};
use crate::domain::{Chunk, JobKind, Knowledge, KnowledgeKind, NewJob, ParseStatus, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::{ID_CHARS_MAX, NAME_CHARS_MAX, PURGE_BATCH_KNOWLEDGE, SOURCE_CHARS_MAX};
use serde_json::Value;
use sqlx::SqliteConnection;

#[derive(Clone, Debug)]
pub enum CreatedKnowledge {
    Created {
        knowledge: Knowledge,
        job_id: i64,
    },
    /// The same content is there already; the row, whose times are now.
    Duplicate(Knowledge),
}

/// What a finished document is completed with.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    pub description: String,
    /// Counted against the tenant's quota.
    pub storage_size_bytes: i64,
}

#[derive(Clone, Debug)]
pub enum CompletionOutcome {
    Completed(Knowledge),
    /// It was completed before; nothing was counted again.
    AlreadyCompleted(Knowledge),
    /// Nothing was changed: the size does not fit into what the quota leaves.
    QuotaExceeded,
}

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
    /// Duplicate check, quota check, the row and its job. The job's subject is the knowledge id.
    pub async fn create_knowledge_with_job(&self, scope: &TenantScope, knowledge: &Knowledge, payload: Value) -> Result<CreatedKnowledge> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        check_knowledge_base(&mut transaction, scope, &knowledge.knowledge_base_id).await?;
        if let Some(existing) = touch_duplicate(&mut transaction, scope, knowledge, &now).await? {
            commit(transaction).await?;
            return Ok(CreatedKnowledge::Duplicate(existing));
        }
        let (quota, used) = quota(&mut transaction, scope).await?;
        if quota > 0 && used >= quota {
            return Err(Error::TooLarge("Storage quota exceeded".into()));
        }
        let knowledge = insert_knowledge(&mut transaction, scope, knowledge, &now).await?;
        let job = NewJob::new(JobKind::IngestKnowledge, scope.tenant_id(), &knowledge.id).with_payload(payload);
        let job_id = insert_job(&mut transaction, &job).await?;
        commit(transaction).await?;
        self.jobs_ready().notify_one();
        Ok(CreatedKnowledge::Created { knowledge, job_id })
    }

    /// Whether `additional_bytes` would fit now: a check before expensive work; [`Store::complete_knowledge`] decides.
    pub async fn has_quota_for(&self, scope: &TenantScope, additional_bytes: i64) -> Result<bool> {
        let mut connection = self.reader().acquire().await.map_err(fault("reading the quota"))?;
        let (quota, used) = quota(&mut connection, scope).await?;
        Ok(quota <= 0 || used.saturating_add(additional_bytes) <= quota)
    }

    /// Replaces all chunks of a document; vectors of chunks that stay under their id with their text are kept.
    pub async fn save_chunks(&self, scope: &TenantScope, knowledge_id: &str, chunks: &[Chunk]) -> Result<()> {
        let now = Timestamp::now().to_column();
        let ids: Vec<&str> = chunks.iter().map(|chunk| chunk.id.as_str()).collect();
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        let keep = id_list(&ids);
        for sql in [
            "delete from embeddings where knowledge_id = ?1 and source_id not in (select value from json_each(?2))",
            "delete from chunks where knowledge_id = ?1 and id not in (select value from json_each(?2))",
        ] {
            sqlx::query(sql)
                .bind(knowledge_id)
                .bind(&keep)
                .execute(&mut *transaction)
                .await
                .map_err(fault("replacing the chunks of a document"))?;
        }
        for chunk in chunks {
            upsert_chunk(&mut transaction, &knowledge, chunk, &now).await?;
        }
        commit(transaction).await
    }

    /// Tells the followers to show the enabled chunks of a document; answers the number to wait for.
    pub async fn publish_chunks(&self, scope: &TenantScope, knowledge_id: &str) -> Result<i64> {
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        let ids: Vec<String> = sqlx::query_scalar(
            "select id from chunks where tenant_id = ?1 and knowledge_id = ?2 and deleted_at is null and is_enabled = 1 order by chunk_index, id",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_id)
        .fetch_all(&mut *transaction)
        .await
        .map_err(fault("reading the chunks of a document"))?;
        let sequence = insert_change(&mut transaction, scope, &knowledge.knowledge_base_id, IndexAction::Upsert, &ids).await?;
        sqlx::query("update knowledges set published_sequence = ?2 where id = ?1")
            .bind(knowledge_id)
            .bind(sequence)
            .execute(&mut *transaction)
            .await
            .map_err(fault("publishing a document"))?;
        commit(transaction).await?;
        self.announce_index_change(sequence);
        Ok(sequence)
    }

    /// The end of a good document: its state, its size and the tenant's used storage change together and once.
    pub async fn complete_knowledge(&self, scope: &TenantScope, knowledge_id: &str, completion: &Completion) -> Result<CompletionOutcome> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        if knowledge.parse_status == ParseStatus::Completed {
            return Ok(CompletionOutcome::AlreadyCompleted(knowledge));
        }
        let (quota, used) = quota(&mut transaction, scope).await?;
        if quota > 0 && used.saturating_add(completion.storage_size_bytes) > quota {
            return Ok(CompletionOutcome::QuotaExceeded);
        }
        let row: KnowledgeRow = sqlx::query_as(
            "update knowledges set parse_status = 'completed', enable_status = 'enabled', description = ?2, storage_size = ?3, \
             error_message = '', processed_at = ?4, updated_at = ?4 where id = ?1 returning *",
        )
        .bind(knowledge_id)
        .bind(without_nul(&completion.description))
        .bind(completion.storage_size_bytes)
        .bind(&now)
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("completing a document"))?;
        let delta = completion.storage_size_bytes.saturating_sub(knowledge.storage_size_bytes);
        adjust_storage_used(&mut transaction, scope.tenant_id().0, delta).await?;
        commit(transaction).await?;
        Ok(CompletionOutcome::Completed(row.try_into()?))
    }

    /// The end of a bad document: failed with a sentence for its owner, what was half made removed, counted storage given back.
    pub async fn fail_knowledge(&self, scope: &TenantScope, knowledge_id: &str, message: &str) -> Result<Knowledge> {
        let mut transaction = self.begin().await?;
        let before = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        let ids: Vec<String> = sqlx::query_scalar("delete from chunks where tenant_id = ?1 and knowledge_id = ?2 returning id")
            .bind(scope.tenant_id().0)
            .bind(knowledge_id)
            .fetch_all(&mut *transaction)
            .await
            .map_err(fault("removing the chunks of a document"))?;
        delete_embeddings(&mut transaction, knowledge_id).await?;
        let row: KnowledgeRow = sqlx::query_as(
            "update knowledges set parse_status = 'failed', enable_status = 'disabled', error_message = ?2, storage_size = 0, \
             published_sequence = null, updated_at = ?3 where id = ?1 returning *",
        )
        .bind(knowledge_id)
        .bind(without_nul(message))
        .bind(Timestamp::now().to_column())
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("failing a document"))?;
        adjust_storage_used(&mut transaction, scope.tenant_id().0, -before.storage_size_bytes).await?;
        let sequence = if ids.is_empty() {
            None
        } else {
            Some(insert_change(&mut transaction, scope, &before.knowledge_base_id, IndexAction::Delete, &ids).await?)
        };
        commit(transaction).await?;
        if let Some(sequence) = sequence {
            self.announce_index_change(sequence);
        }
        row.try_into()
    }

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
        self.jobs_ready().notify_one();
        Ok(job_id)
    }

    /// One batch of what a deleted knowledge base left. Call it with the ids of the last step once their files are gone,
    /// until a step has no ids.
    pub async fn purge_knowledge_base(&self, scope: &TenantScope, id: &str, files_gone_of: &[String]) -> Result<PurgeStep> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        forget_files_of(&mut transaction, scope, files_gone_of).await?;
        let rows: Vec<KnowledgeRow> = sqlx::query_as(
            "select * from knowledges where tenant_id = ?1 and knowledge_base_id = ?2 and deleted_at is not null \
             and (file_path <> '' or exists (select 1 from chunks where chunks.knowledge_id = knowledges.id and chunks.deleted_at is null)) \
             order by id limit ?3",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(PURGE_BATCH_KNOWLEDGE)
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

    /// Notes that the files of deleted documents are gone.
    pub async fn forget_files(&self, scope: &TenantScope, knowledge_ids: &[String]) -> Result<()> {
        let mut transaction = self.begin().await?;
        forget_files_of(&mut transaction, scope, knowledge_ids).await?;
        commit(transaction).await
    }
}

/// The document, if it is the tenant's and not deleted; within the caller's transaction nobody can delete it.
pub(super) async fn live_knowledge(connection: &mut SqliteConnection, scope: &TenantScope, id: &str) -> Result<Knowledge> {
    sqlx::query_as::<_, KnowledgeRow>("select * from knowledges where tenant_id = ?1 and id = ?2 and deleted_at is null")
        .bind(scope.tenant_id().0)
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(fault("reading a knowledge"))?
        .ok_or_else(knowledge_not_found)?
        .try_into()
}

async fn check_knowledge_base(connection: &mut SqliteConnection, scope: &TenantScope, id: &str) -> Result<()> {
    sqlx::query_scalar::<_, i64>("select 1 from knowledge_bases where tenant_id = ?1 and id = ?2 and deleted_at is null")
        .bind(scope.tenant_id().0)
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(fault("reading a knowledge base"))?
        .map(|_| ())
        .ok_or_else(knowledge_base_not_found)
}

/// Quota and used storage in bytes.
async fn quota(connection: &mut SqliteConnection, scope: &TenantScope) -> Result<(i64, i64)> {
    sqlx::query_as("select storage_quota, storage_used from tenants where id = ?1 and deleted_at is null")
        .bind(scope.tenant_id().0)
        .fetch_optional(connection)
        .await
        .map_err(fault("reading the quota"))?
        .ok_or_else(tenant_not_found)
}

/// The contract's rule: a file clashes with any kind of the same hash, an address only with an address, a passage with nothing.
async fn touch_duplicate(
    connection: &mut SqliteConnection,
    scope: &TenantScope,
    knowledge: &Knowledge,
    now: &str,
) -> Result<Option<Knowledge>> {
    let only_kind = match knowledge.kind {
        KnowledgeKind::File => None,
        KnowledgeKind::Url => Some(KnowledgeKind::Url.as_str()),
        KnowledgeKind::Passage => return Ok(None),
    };
    if knowledge.file_hash.is_empty() {
        return Ok(None);
    }
    sqlx::query_as::<_, KnowledgeRow>(
        "update knowledges set created_at = ?5, updated_at = ?5 where id = (select id from knowledges where tenant_id = ?1 \
         and knowledge_base_id = ?2 and file_hash = ?3 and (?4 is null or type = ?4) and parse_status <> 'failed' \
         and deleted_at is null order by id limit 1) returning *",
    )
    .bind(scope.tenant_id().0)
    .bind(&knowledge.knowledge_base_id)
    .bind(&knowledge.file_hash)
    .bind(only_kind)
    .bind(now)
    .fetch_optional(connection)
    .await
    .map_err(fault("looking for a duplicate"))?
    .map(Knowledge::try_from)
    .transpose()
}

async fn insert_knowledge(connection: &mut SqliteConnection, scope: &TenantScope, knowledge: &Knowledge, now: &str) -> Result<Knowledge> {
    let id = id_or_new(&knowledge.id);
    check_text("id", &id, ID_CHARS_MAX)?;
    check_text("title", &knowledge.title, NAME_CHARS_MAX)?;
    check_text("file_name", &knowledge.file_name, NAME_CHARS_MAX)?;
    check_text("file_type", &knowledge.file_type, 50)?;
    check_text("url", &knowledge.source, SOURCE_CHARS_MAX)?;
    check_text("description", &knowledge.description, usize::MAX)?;
    sqlx::query_as::<_, KnowledgeRow>(
        "insert into knowledges (id, tenant_id, knowledge_base_id, type, title, description, source, parse_status, enable_status, \
         embedding_model_id, file_name, file_type, file_size, file_path, file_hash, storage_size, metadata, created_at, updated_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', 'disabled', ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, ?15, ?15) returning *",
    )
    .bind(id)
    .bind(scope.tenant_id().0)
    .bind(&knowledge.knowledge_base_id)
    .bind(knowledge.kind.as_str())
    .bind(&knowledge.title)
    .bind(&knowledge.description)
    .bind(&knowledge.source)
    .bind(&knowledge.embedding_model_id)
    .bind(&knowledge.file_name)
    .bind(&knowledge.file_type)
    .bind(knowledge.file_size_bytes)
    .bind(&knowledge.file_path)
    .bind(&knowledge.file_hash)
    .bind(knowledge.metadata.as_ref().map(|metadata| to_json("metadata", metadata)).transpose()?)
    .bind(now)
    .fetch_one(connection)
    .await
    .map_err(fault("creating a knowledge"))?
    .try_into()
}

/// Tenant, knowledge base and document are the document's own, whatever the chunk says.
async fn upsert_chunk(connection: &mut SqliteConnection, knowledge: &Knowledge, chunk: &Chunk, now: &str) -> Result<()> {
    check_text("chunk id", &chunk.id, ID_CHARS_MAX)?;
    let content = without_nul(&chunk.content);
    sqlx::query(
        "delete from embeddings where source_id = ?1 and source_type = 0 and exists (select 1 from chunks where id = ?1 and content <> ?2)",
    )
    .bind(&chunk.id)
    .bind(&content)
    .execute(&mut *connection)
    .await
    .map_err(fault("removing an outdated embedding"))?;
    let written = sqlx::query(
        "insert into chunks (id, tenant_id, knowledge_base_id, knowledge_id, content, chunk_index, is_enabled, start_at, end_at, \
         pre_chunk_id, next_chunk_id, chunk_type, parent_chunk_id, image_info, relation_chunks, indirect_relation_chunks, created_at, \
         updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17) \
         on conflict (id) do update set content = excluded.content, chunk_index = excluded.chunk_index, is_enabled = excluded.is_enabled, \
         start_at = excluded.start_at, end_at = excluded.end_at, pre_chunk_id = excluded.pre_chunk_id, \
         next_chunk_id = excluded.next_chunk_id, chunk_type = excluded.chunk_type, parent_chunk_id = excluded.parent_chunk_id, \
         image_info = excluded.image_info, relation_chunks = excluded.relation_chunks, \
         indirect_relation_chunks = excluded.indirect_relation_chunks, updated_at = excluded.updated_at, deleted_at = null \
         where knowledge_id = excluded.knowledge_id",
    )
    .bind(&chunk.id)
    .bind(knowledge.tenant_id.0)
    .bind(&knowledge.knowledge_base_id)
    .bind(&knowledge.id)
    .bind(content)
    .bind(chunk.chunk_index)
    .bind(chunk.is_enabled)
    .bind(chunk.start_at)
    .bind(chunk.end_at)
    .bind(&chunk.pre_chunk_id)
    .bind(&chunk.next_chunk_id)
    .bind(chunk.chunk_type.as_str())
    .bind(&chunk.parent_chunk_id)
    .bind(without_nul(&chunk.image_info))
    .bind(chunk.relation_chunks.as_ref().map(|ids| id_list(ids)))
    .bind(chunk.indirect_relation_chunks.as_ref().map(|ids| id_list(ids)))
    .bind(now)
    .execute(connection)
    .await
    .map_err(fault("saving a chunk"))?;
    if written.rows_affected() == 0 {
        return Err(Error::Internal(anyhow::anyhow!("the chunk id {} belongs to another document", chunk.id)));
    }
    Ok(())
}

/// Soft-deletes the chunks, removes their vectors and writes the index change, which lists earlier deleted ones too: a
/// delete may be applied twice, and so a repeated call still has a number to wait for.
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

async fn delete_embeddings(connection: &mut SqliteConnection, knowledge_id: &str) -> Result<()> {
    sqlx::query("delete from embeddings where knowledge_id = ?1")
        .bind(knowledge_id)
        .execute(connection)
        .await
        .map_err(fault("deleting the embeddings of a document"))?;
    Ok(())
}

/// The document's file, unless another document that lives uses it too.
async fn unshared_file(connection: &mut SqliteConnection, knowledge: &Knowledge) -> Result<Option<String>> {
    if knowledge.file_path.is_empty() {
        return Ok(None);
    }
    let is_shared: bool = sqlx::query_scalar(
        "select exists (select 1 from knowledges where tenant_id = ?1 and file_path = ?2 and id <> ?3 and deleted_at is null)",
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
