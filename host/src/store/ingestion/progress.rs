//! From chunks to a document that is completed or failed. Not here: its creation and its deletion.

use super::{delete_embeddings, live_knowledge, quota};
use crate::domain::{Chunk, Knowledge, ParseStatus, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::ID_CHARS_MAX;
use crate::store::convert::{check_text, id_list, without_nul};
use crate::store::fault::fault;
use crate::store::index_changes::{IndexAction, insert_change};
use crate::store::knowledge::KnowledgeRow;
use crate::store::tenants::adjust_storage_used;
use crate::store::{Store, commit};
use sqlx::SqliteConnection;

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

impl Store {
    /// Whether `additional_bytes` would fit now: a check before expensive work; [`Store::complete_knowledge`] decides.
    pub async fn has_quota_for(&self, scope: &TenantScope, additional_bytes: i64) -> Result<bool> {
        let mut connection = self.reader().acquire().await.map_err(fault("reading the quota"))?;
        let (quota, used) = quota(&mut connection, scope).await?;
        Ok(quota <= 0 || used.saturating_add(additional_bytes) <= quota)
    }

    /// Replaces all chunks of a document; vectors of chunks that stay under their id with their text are kept. What an
    /// earlier attempt published and this one no longer has is taken back from the followers.
    pub async fn save_chunks(&self, scope: &TenantScope, knowledge_id: &str, chunks: &[Chunk]) -> Result<()> {
        let now = Timestamp::now().to_column();
        let ids: Vec<&str> = chunks.iter().map(|chunk| chunk.id.as_str()).collect();
        let keep = id_list(&ids);
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        sqlx::query("delete from embeddings where knowledge_id = ?1 and source_id not in (select value from json_each(?2))")
            .bind(knowledge_id)
            .bind(&keep)
            .execute(&mut *transaction)
            .await
            .map_err(fault("removing embeddings of a document"))?;
        let removed: Vec<String> =
            sqlx::query_scalar("delete from chunks where knowledge_id = ?1 and id not in (select value from json_each(?2)) returning id")
                .bind(knowledge_id)
                .bind(&keep)
                .fetch_all(&mut *transaction)
                .await
                .map_err(fault("replacing the chunks of a document"))?;
        for chunk in chunks {
            upsert_chunk(&mut transaction, &knowledge, chunk, &now).await?;
        }
        let sequence = if !removed.is_empty() && is_published(&mut transaction, knowledge_id).await? {
            Some(insert_change(&mut transaction, scope, &knowledge.knowledge_base_id, IndexAction::Delete, &removed).await?)
        } else {
            None
        };
        commit(transaction).await?;
        if let Some(sequence) = sequence {
            self.announce_index_change(sequence);
        }
        Ok(())
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
}

async fn is_published(connection: &mut SqliteConnection, knowledge_id: &str) -> Result<bool> {
    sqlx::query_scalar("select published_sequence is not null from knowledges where id = ?1")
        .bind(knowledge_id)
        .fetch_one(connection)
        .await
        .map_err(fault("reading whether a document is published"))
}

/// Tenant, knowledge base and document are the document's own, whatever the chunk says.
pub(in crate::store) async fn upsert_chunk(
    connection: &mut SqliteConnection,
    knowledge: &Knowledge,
    chunk: &Chunk,
    now: &str,
) -> Result<()> {
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
