//! Pieces of documents: reading, and changes by people. Not here: how ingestion writes them (`ingestion`).

use super::convert::{check_no_nul, from_json, id_list, optional_time, time, word};
use super::embeddings::{ChunkEmbedding, EmbeddedBy, upsert_embedding};
use super::fault::fault;
use super::index_changes::{IndexAction, insert_change};
use super::{Page, Paged, Store, commit};
use crate::domain::{Chunk, ChunkType, TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use sqlx::SqliteConnection;

/// `None` keeps what is stored.
#[derive(Clone, Debug, Default)]
pub struct ChunkPatch {
    pub content: Option<String>,
    pub is_enabled: Option<bool>,
    pub image_info: Option<String>,
    /// The embedding of the new content. A new content without one is found by its words alone.
    pub embedding: Option<(EmbeddedBy, Vec<f32>)>,
}

#[derive(sqlx::FromRow)]
struct ChunkRow {
    id: String,
    tenant_id: i64,
    knowledge_base_id: String,
    knowledge_id: String,
    content: String,
    chunk_index: i64,
    is_enabled: bool,
    start_at: i64,
    end_at: i64,
    pre_chunk_id: Option<String>,
    next_chunk_id: Option<String>,
    chunk_type: String,
    parent_chunk_id: Option<String>,
    image_info: Option<String>,
    relation_chunks: Option<String>,
    indirect_relation_chunks: Option<String>,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl TryFrom<ChunkRow> for Chunk {
    type Error = Error;

    fn try_from(row: ChunkRow) -> Result<Self> {
        let ids = |text: Option<String>| text.map(|text| from_json("chunks.relation_chunks", &text)).transpose();
        Ok(Self {
            id: row.id,
            tenant_id: TenantId(row.tenant_id),
            knowledge_id: row.knowledge_id,
            knowledge_base_id: row.knowledge_base_id,
            content: row.content,
            chunk_index: row.chunk_index,
            is_enabled: row.is_enabled,
            start_at: row.start_at,
            end_at: row.end_at,
            pre_chunk_id: row.pre_chunk_id.unwrap_or_default(),
            next_chunk_id: row.next_chunk_id.unwrap_or_default(),
            chunk_type: word("chunks.chunk_type", &row.chunk_type, ChunkType::parse)?,
            parent_chunk_id: row.parent_chunk_id.unwrap_or_default(),
            relation_chunks: ids(row.relation_chunks)?,
            indirect_relation_chunks: ids(row.indirect_relation_chunks)?,
            image_info: row.image_info.unwrap_or_default(),
            created_at: time("chunks.created_at", &row.created_at)?,
            updated_at: time("chunks.updated_at", &row.updated_at)?,
            deleted_at: optional_time("chunks.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

impl Store {
    pub async fn find_chunk(&self, scope: &TenantScope, id: &str) -> Result<Option<Chunk>> {
        read_chunk(&mut *self.reader().acquire().await.map_err(fault("reading a chunk"))?, scope, id).await
    }

    pub async fn get_chunk(&self, scope: &TenantScope, id: &str) -> Result<Chunk> {
        self.find_chunk(scope, id).await?.ok_or_else(chunk_not_found)
    }

    /// Those of `ids` that exist, in the order of `ids`, each once; disabled ones too, the caller looks at `is_enabled`.
    pub async fn find_chunks<S: AsRef<str>>(&self, scope: &TenantScope, ids: &[S]) -> Result<Vec<Chunk>> {
        self.fetch_chunks(
            sqlx::query_as(
                "select chunks.* from (select value, min(key) as place from json_each(?2) group by value) as wanted \
                 join chunks on chunks.id = wanted.value \
                 where chunks.tenant_id = ?1 and chunks.deleted_at is null order by wanted.place",
            )
            .bind(scope.tenant_id().0)
            .bind(id_list(ids)),
        )
        .await
    }

    /// Chunks of some types in the order of the document; both the rows and the total are of these types.
    pub async fn list_chunks(&self, scope: &TenantScope, knowledge_id: &str, types: &[ChunkType], page: Page) -> Result<Paged<Chunk>> {
        let types = type_list(types);
        let total = sqlx::query_scalar(
            "select count(*) from chunks where tenant_id = ?1 and knowledge_id = ?2 and deleted_at is null \
             and chunk_type in (select value from json_each(?3))",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_id)
        .bind(&types)
        .fetch_one(self.reader())
        .await
        .map_err(fault("counting chunks"))?;
        let items = self
            .fetch_chunks(
                sqlx::query_as(
                    "select * from chunks where tenant_id = ?1 and knowledge_id = ?2 and deleted_at is null \
                     and chunk_type in (select value from json_each(?3)) order by chunk_index, id limit ?4 offset ?5",
                )
                .bind(scope.tenant_id().0)
                .bind(knowledge_id)
                .bind(types)
                .bind(page.limit())
                .bind(page.offset()),
            )
            .await?;
        Ok(Paged { items, total })
    }

    /// All chunks of a document of some types, in its order. Bounded by what one document may hold.
    pub async fn list_all_chunks(&self, scope: &TenantScope, knowledge_id: &str, types: &[ChunkType]) -> Result<Vec<Chunk>> {
        self.fetch_chunks(
            sqlx::query_as(
                "select * from chunks where tenant_id = ?1 and knowledge_id = ?2 and deleted_at is null \
                 and chunk_type in (select value from json_each(?3)) order by chunk_index, id",
            )
            .bind(scope.tenant_id().0)
            .bind(knowledge_id)
            .bind(type_list(types)),
        )
        .await
    }

    pub async fn list_chunks_of_parent(&self, scope: &TenantScope, parent_chunk_id: &str) -> Result<Vec<Chunk>> {
        self.fetch_chunks(
            sqlx::query_as(
                "select * from chunks where tenant_id = ?1 and parent_chunk_id = ?2 and parent_chunk_id <> '' \
                 and deleted_at is null order by chunk_index, id",
            )
            .bind(scope.tenant_id().0)
            .bind(parent_chunk_id),
        )
        .await
    }

    /// Changes a chunk and tells the followers; the number is that of the index change, if there was any.
    pub async fn update_chunk(&self, scope: &TenantScope, id: &str, patch: &ChunkPatch) -> Result<(Chunk, Option<i64>)> {
        check_no_nul("content", patch.content.as_deref().unwrap_or_default())?;
        check_no_nul("image_info", patch.image_info.as_deref().unwrap_or_default())?;
        let mut transaction = self.begin().await?;
        let before = read_chunk(&mut transaction, scope, id).await?.ok_or_else(chunk_not_found)?;
        let row: ChunkRow = sqlx::query_as(
            "update chunks set content = coalesce(?3, content), is_enabled = coalesce(?4, is_enabled), \
             image_info = coalesce(?5, image_info), updated_at = ?6 where tenant_id = ?1 and id = ?2 returning *",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(&patch.content)
        .bind(patch.is_enabled)
        .bind(&patch.image_info)
        .bind(Timestamp::now().to_column())
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("updating a chunk"))?;
        let after = Chunk::try_from(row)?;
        let has_new_content = after.content != before.content;
        if let Some((embedded_by, vector)) = &patch.embedding {
            let embedding = ChunkEmbedding { chunk_id: after.id.clone(), vector: vector.clone() };
            upsert_embedding(&mut transaction, &after.knowledge_base_id, &after.knowledge_id, scope, embedded_by, &embedding).await?;
        } else if has_new_content {
            delete_embedding(&mut transaction, id).await?;
        }
        let action = match (before.is_enabled, after.is_enabled) {
            (true, false) => Some(IndexAction::Delete),
            (false, true) => Some(IndexAction::Upsert),
            (true, true) if has_new_content || patch.embedding.is_some() => Some(IndexAction::Upsert),
            (true, true) | (false, false) => None,
        };
        let sequence = match action {
            Some(action) => Some(insert_change(&mut transaction, scope, &after.knowledge_base_id, action, &[id]).await?),
            None => None,
        };
        commit(transaction).await?;
        if let Some(sequence) = sequence {
            self.announce_index_change(sequence);
        }
        Ok((after, sequence))
    }

    /// Removes a chunk, links its neighbours with each other and tells the followers; answers the index change's number.
    pub async fn delete_chunk(&self, scope: &TenantScope, id: &str) -> Result<i64> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let chunk = read_chunk(&mut transaction, scope, id).await?.ok_or_else(chunk_not_found)?;
        for (sql, new, at) in [
            ("update chunks set next_chunk_id = ?3 where tenant_id = ?1 and id = ?2", &chunk.next_chunk_id, &chunk.pre_chunk_id),
            ("update chunks set pre_chunk_id = ?3 where tenant_id = ?1 and id = ?2", &chunk.pre_chunk_id, &chunk.next_chunk_id),
        ] {
            sqlx::query(sql)
                .bind(scope.tenant_id().0)
                .bind(at)
                .bind(new)
                .execute(&mut *transaction)
                .await
                .map_err(fault("linking a chunk's neighbours"))?;
        }
        remove_chunk(&mut transaction, scope, id, &now).await?;
        let sequence = insert_change(&mut transaction, scope, &chunk.knowledge_base_id, IndexAction::Delete, &[id]).await?;
        commit(transaction).await?;
        self.announce_index_change(sequence);
        Ok(sequence)
    }

    async fn fetch_chunks(
        &self,
        query: sqlx::query::QueryAs<'_, sqlx::Sqlite, ChunkRow, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<Chunk>> {
        query.fetch_all(self.reader()).await.map_err(fault("reading chunks"))?.into_iter().map(Chunk::try_from).collect()
    }
}

/// Every chunk of a document, within the caller's transaction.
pub(super) async fn read_chunks_of(connection: &mut SqliteConnection, scope: &TenantScope, knowledge_id: &str) -> Result<Vec<Chunk>> {
    sqlx::query_as::<_, ChunkRow>(
        "select * from chunks where tenant_id = ?1 and knowledge_id = ?2 and deleted_at is null order by chunk_index, id",
    )
    .bind(scope.tenant_id().0)
    .bind(knowledge_id)
    .fetch_all(connection)
    .await
    .map_err(fault("reading the chunks of a document"))?
    .into_iter()
    .map(Chunk::try_from)
    .collect()
}

async fn read_chunk(connection: &mut SqliteConnection, scope: &TenantScope, id: &str) -> Result<Option<Chunk>> {
    sqlx::query_as::<_, ChunkRow>("select * from chunks where tenant_id = ?1 and id = ?2 and deleted_at is null")
        .bind(scope.tenant_id().0)
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(fault("reading a chunk"))?
        .map(Chunk::try_from)
        .transpose()
}

/// Marks a chunk as deleted and drops its vector.
pub(super) async fn remove_chunk(connection: &mut SqliteConnection, scope: &TenantScope, id: &str, now: &str) -> Result<()> {
    sqlx::query("update chunks set deleted_at = ?3, updated_at = ?3 where tenant_id = ?1 and id = ?2")
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(now)
        .execute(&mut *connection)
        .await
        .map_err(fault("deleting a chunk"))?;
    delete_embedding(connection, id).await
}

pub(super) async fn delete_embedding(connection: &mut SqliteConnection, chunk_id: &str) -> Result<()> {
    sqlx::query("delete from embeddings where source_id = ?1 and source_type = 0")
        .bind(chunk_id)
        .execute(connection)
        .await
        .map_err(fault("deleting an embedding"))?;
    Ok(())
}

fn type_list(types: &[ChunkType]) -> String {
    let words: Vec<&str> = types.iter().map(|chunk_type| chunk_type.as_str()).collect();
    id_list(&words)
}

pub(super) fn chunk_not_found() -> Error {
    Error::not_found("chunk not found")
}
