//! What is left of deleted things: found, and after a while removed for good. Not here: deleting (`ingestion`, `tenants`, ...).
//!
//! Upkeep works for all tenants, so most of these methods take no scope. One call is one short transaction: other writers wait for it.

use super::convert::id_list;
use super::fault::fault;
use super::{Store, commit};
use crate::domain::{TenantId, TenantScope, Timestamp};
use crate::error::Result;
use sqlx::SqliteConnection;

/// Rows of messages go with their session, however they stood.
const PURGES: [&str; 6] = [
    "delete from messages where id in (select id from messages where deleted_at < ?1 limit ?2)",
    "delete from messages where id in (select messages.id from sessions join messages on session_id = sessions.id \
     where sessions.deleted_at < ?1 limit ?2)",
    "delete from sessions where id in (select id from sessions where deleted_at < ?1 \
     and not exists (select 1 from messages where session_id = sessions.id) limit ?2)",
    // A row names its file until the file is gone, unless another document keeps the file.
    "delete from knowledges where id in (select id from knowledges where deleted_at < ?1 \
     and not exists (select 1 from chunks where knowledge_id = knowledges.id) \
     and (coalesce(file_path, '') = '' or exists (select 1 from knowledges as other where other.file_path = knowledges.file_path \
     and other.file_path <> '' and other.deleted_at is null)) limit ?2)",
    "delete from knowledge_bases where id in (select id from knowledge_bases where deleted_at < ?1 \
     and not exists (select 1 from knowledges where knowledge_base_id = knowledge_bases.id) limit ?2)",
    "delete from models where id in (select id from models where deleted_at < ?1 limit ?2)",
];

impl Store {
    /// Removes up to `limit` rows that were deleted before a time; answers how many, 0 when nothing is left. Tenants and users stay, because
    /// their numbers and names must not come again.
    pub async fn purge_deleted(&self, before: Timestamp, limit: i64) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let mut removed = purge_chunks(&mut transaction, &before, limit).await?;
        for purge in PURGES {
            if removed > 0 {
                break;
            }
            removed = sqlx::query(purge)
                .bind(before.to_column())
                .bind(limit)
                .execute(&mut *transaction)
                .await
                .map_err(fault("removing what was deleted"))?
                .rows_affected();
        }
        commit(transaction).await?;
        Ok(removed)
    }

    /// Deleted tenants that still have something.
    pub async fn list_tenants_to_clear(&self, limit: i64) -> Result<Vec<TenantId>> {
        let ids: Vec<i64> = sqlx::query_scalar(
            "select id from tenants where deleted_at is not null and (\
             exists (select 1 from knowledge_bases where tenant_id = tenants.id and deleted_at is null) \
             or exists (select 1 from sessions where tenant_id = tenants.id and deleted_at is null) \
             or exists (select 1 from models where tenant_id = tenants.id and deleted_at is null) \
             or exists (select 1 from evaluations where tenant_id = tenants.id)) order by id limit ?1",
        )
        .bind(limit)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing deleted tenants"))?;
        Ok(ids.into_iter().map(TenantId).collect())
    }

    /// Deleted knowledge bases whose chunks are still there.
    pub async fn list_knowledge_bases_to_clear(&self, limit: i64) -> Result<Vec<(TenantId, String)>> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "select tenant_id, id from knowledge_bases where deleted_at is not null and exists (\
             select 1 from chunks where knowledge_base_id = knowledge_bases.id and chunks.deleted_at is null) order by id limit ?1",
        )
        .bind(limit)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing deleted knowledge bases"))?;
        Ok(rows.into_iter().map(|(tenant_id, id)| (TenantId(tenant_id), id)).collect())
    }

    /// Deletes up to `limit` sessions, models and evaluations of a tenant that is gone; answers how many, 0 when nothing is left.
    pub async fn clear_tenant(&self, scope: &TenantScope, limit: i64) -> Result<u64> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let mut deleted = 0;
        for clear in [
            "update sessions set deleted_at = ?2, updated_at = ?2 \
             where id in (select id from sessions where tenant_id = ?1 and deleted_at is null limit ?3)",
            "update models set deleted_at = ?2, updated_at = ?2 \
             where id in (select id from models where tenant_id = ?1 and tenant_id <> 0 and deleted_at is null limit ?3)",
            // Nobody could bring them back, so they go at once.
            "delete from evaluation_results where rowid in (select evaluation_results.rowid from evaluations \
             join evaluation_results on evaluation_id = evaluations.id where tenant_id = ?1 limit ?3)",
            "delete from evaluations where id in (select id from evaluations where tenant_id = ?1 \
             and not exists (select 1 from evaluation_results where evaluation_id = evaluations.id) limit ?3)",
        ] {
            let done = sqlx::query(clear)
                .bind(scope.tenant_id().0)
                .bind(&now)
                .bind(limit)
                .execute(&mut *transaction)
                .await
                .map_err(fault("clearing a deleted tenant"))?;
            deleted += done.rows_affected();
        }
        commit(transaction).await?;
        Ok(deleted)
    }

    /// Of these keys of files those that no row names, deleted rows included. Whoever keeps files under another column adds it here.
    pub async fn list_unowned_files(&self, keys: &[String]) -> Result<Vec<String>> {
        sqlx::query_scalar(
            "select value from json_each(?1) where not exists (select 1 from knowledges where file_path = value and file_path <> '') \
             order by key",
        )
        .bind(id_list(keys))
        .fetch_all(self.reader())
        .await
        .map_err(fault("looking for the owners of files"))
    }
}

/// The vectors go at the deletion already; should one be left, it goes with its chunk.
async fn purge_chunks(connection: &mut SqliteConnection, before: &Timestamp, limit: i64) -> Result<u64> {
    let ids: Vec<String> =
        sqlx::query_scalar("delete from chunks where id in (select id from chunks where deleted_at < ?1 limit ?2) returning id")
            .bind(before.to_column())
            .bind(limit)
            .fetch_all(&mut *connection)
            .await
            .map_err(fault("removing deleted chunks"))?;
    if !ids.is_empty() {
        sqlx::query("delete from embeddings where source_type = 0 and source_id in (select value from json_each(?1))")
            .bind(id_list(&ids))
            .execute(connection)
            .await
            .map_err(fault("removing vectors of deleted chunks"))?;
    }
    Ok(ids.len() as u64)
}
