//! What the followers apply, in order, and the rows they apply it with. Not here: any index.
//!
//! A follower is part of the system and works for all tenants, so these methods take no scope; it must mint one per
//! change (`tenant_id`) for the engine that it feeds.

use super::Store;
use super::convert::{from_json, id_list, time, word};
use super::embeddings::from_bytes;
use super::fault::fault;
use crate::domain::{TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::INDEX_ROWS_MAX;
use sqlx::{SqliteConnection, SqlitePool};

/// `Upsert`: read the rows and add or replace them; a row that is not there any more is to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexAction {
    Upsert,
    Delete,
}

impl IndexAction {
    fn as_str(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Upsert, Self::Delete].into_iter().find(|action| action.as_str() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexChange {
    pub sequence: i64,
    pub tenant_id: TenantId,
    pub knowledge_base_id: String,
    pub action: IndexAction,
    pub chunk_ids: Vec<String>,
    pub created_at: Timestamp,
}

/// An enabled chunk of a published document as it belongs into an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexRow {
    pub tenant_id: TenantId,
    pub chunk_id: String,
    pub knowledge_id: String,
    pub knowledge_base_id: String,
    pub content: String,
    /// `None`: found by its words alone.
    pub vector: Option<Vec<f32>>,
    /// Of the vector; empty without one.
    pub model_id: String,
    pub digest: String,
}

#[derive(sqlx::FromRow)]
struct ChangeRow {
    sequence: i64,
    tenant_id: i64,
    knowledge_base_id: String,
    action: String,
    chunk_ids: String,
    created_at: String,
}

#[derive(sqlx::FromRow)]
struct IndexRowRow {
    tenant_id: i64,
    id: String,
    knowledge_id: String,
    knowledge_base_id: String,
    content: String,
    embedding: Option<Vec<u8>>,
    model_id: Option<String>,
    digest: Option<String>,
}

impl TryFrom<ChangeRow> for IndexChange {
    type Error = Error;

    fn try_from(row: ChangeRow) -> Result<Self> {
        Ok(Self {
            sequence: row.sequence,
            tenant_id: TenantId(row.tenant_id),
            knowledge_base_id: row.knowledge_base_id,
            action: word("index_changes.action", &row.action, IndexAction::parse)?,
            chunk_ids: from_json("index_changes.chunk_ids", &row.chunk_ids)?,
            created_at: time("index_changes.created_at", &row.created_at)?,
        })
    }
}

impl TryFrom<IndexRowRow> for IndexRow {
    type Error = Error;

    fn try_from(row: IndexRowRow) -> Result<Self> {
        Ok(Self {
            tenant_id: TenantId(row.tenant_id),
            chunk_id: row.id,
            knowledge_id: row.knowledge_id,
            knowledge_base_id: row.knowledge_base_id,
            content: row.content,
            vector: row.embedding.as_deref().map(from_bytes).transpose()?,
            model_id: row.model_id.unwrap_or_default(),
            digest: row.digest.unwrap_or_default(),
        })
    }
}

impl Store {
    /// Changes with greater numbers than `sequence`, in order.
    pub async fn index_changes_after(&self, sequence: i64, limit: i64) -> Result<Vec<IndexChange>> {
        sqlx::query_as::<_, ChangeRow>("select * from index_changes where sequence > ?1 order by sequence limit ?2")
            .bind(sequence)
            .bind(limit)
            .fetch_all(self.reader())
            .await
            .map_err(fault("reading index changes"))?
            .into_iter()
            .map(IndexChange::try_from)
            .collect()
    }

    /// The number of the last change ever made, 0 for none; a follower that is ahead of it was fed from another past.
    pub async fn max_sequence(&self) -> Result<i64> {
        last_sequence(self.reader()).await
    }

    /// The number of the first change that is still kept; a follower that stopped before it has to be rebuilt.
    pub async fn min_sequence(&self) -> Result<Option<i64>> {
        sqlx::query_scalar("select min(sequence) from index_changes").fetch_one(self.reader()).await.map_err(fault("reading index changes"))
    }

    /// Forgets changes up to a number that every follower has made durable.
    pub async fn prune_index_changes(&self, up_to: i64) -> Result<u64> {
        let pruned = sqlx::query("delete from index_changes where sequence <= ?1")
            .bind(up_to)
            .execute(self.writer())
            .await
            .map_err(fault("forgetting index changes"))?;
        Ok(pruned.rows_affected())
    }

    /// Of `chunk_ids` those that belong into an index now: enabled, not deleted, of a published document that is not deleted.
    pub async fn load_index_rows<S: AsRef<str>>(&self, chunk_ids: &[S]) -> Result<Vec<IndexRow>> {
        fetch_rows(
            self.reader(),
            sqlx::query_as(
                "select chunks.tenant_id, chunks.id, chunks.knowledge_id, chunks.knowledge_base_id, chunks.content, \
                 embeddings.embedding, embeddings.model_id, embeddings.digest from json_each(?1) as wanted \
                 join chunks on chunks.id = wanted.value and chunks.deleted_at is null and chunks.is_enabled = 1 \
                 join knowledges on knowledges.id = chunks.knowledge_id and knowledges.deleted_at is null \
                 and knowledges.published_sequence is not null \
                 left join embeddings on embeddings.source_id = chunks.id and embeddings.source_type = 0 order by wanted.key",
            )
            .bind(id_list(chunk_ids)),
        )
        .await
    }

    /// All rows that belong into an index, in the order of their ids, from behind `after` (empty: from the start); a short
    /// answer is the last. For a rebuild, read `max_sequence` first and apply the changes behind it afterwards.
    pub async fn list_index_rows(&self, after: &str, limit: i64) -> Result<Vec<IndexRow>> {
        fetch_rows(
            self.reader(),
            sqlx::query_as(
                "select chunks.tenant_id, chunks.id, chunks.knowledge_id, chunks.knowledge_base_id, chunks.content, \
                 embeddings.embedding, embeddings.model_id, embeddings.digest from chunks \
                 join knowledges on knowledges.id = chunks.knowledge_id and knowledges.deleted_at is null \
                 and knowledges.published_sequence is not null \
                 left join embeddings on embeddings.source_id = chunks.id and embeddings.source_type = 0 \
                 where chunks.id > ?1 and chunks.deleted_at is null and chunks.is_enabled = 1 order by chunks.id limit ?2",
            )
            .bind(after.to_string())
            .bind(limit.clamp(1, INDEX_ROWS_MAX)),
        )
        .await
    }

    /// How many rows [`Store::list_index_rows`] will give: for progress and for `verify`.
    pub async fn count_index_rows(&self) -> Result<i64> {
        sqlx::query_scalar(
            "select count(*) from chunks join knowledges on knowledges.id = chunks.knowledge_id and knowledges.deleted_at is null \
             and knowledges.published_sequence is not null where chunks.deleted_at is null and chunks.is_enabled = 1",
        )
        .fetch_one(self.reader())
        .await
        .map_err(fault("counting rows of the index"))
    }
}

async fn fetch_rows(
    reader: &SqlitePool,
    query: sqlx::query::QueryAs<'_, sqlx::Sqlite, IndexRowRow, sqlx::sqlite::SqliteArguments>,
) -> Result<Vec<IndexRow>> {
    query.fetch_all(reader).await.map_err(fault("reading rows of the index"))?.into_iter().map(IndexRow::try_from).collect()
}

/// The counter remembers the number even when all rows are pruned.
pub(super) async fn last_sequence(reader: &SqlitePool) -> Result<i64> {
    sqlx::query_scalar("select coalesce((select seq from sqlite_sequence where name = 'index_changes'), 0)")
        .fetch_one(reader)
        .await
        .map_err(fault("reading the last index change"))
}

/// Writes a change within the caller's transaction, who announces it after the commit.
pub(super) async fn insert_change<S: AsRef<str>>(
    connection: &mut SqliteConnection,
    scope: &TenantScope,
    knowledge_base_id: &str,
    action: IndexAction,
    chunk_ids: &[S],
) -> Result<i64> {
    sqlx::query_scalar(
        "insert into index_changes (tenant_id, knowledge_base_id, action, chunk_ids, created_at) values (?1, ?2, ?3, ?4, ?5) returning sequence",
    )
    .bind(scope.tenant_id().0)
    .bind(knowledge_base_id)
    .bind(action.as_str())
    .bind(id_list(chunk_ids))
    .bind(Timestamp::now().to_column())
    .fetch_one(connection)
    .await
    .map_err(fault("writing an index change"))
}
