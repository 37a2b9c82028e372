//! Vectors of chunks with what made them, kept so that an index can be rebuilt. Not here: searching them (`index`).

use super::convert::id_list;
use super::fault::fault;
use super::ingestion::live_knowledge;
use super::{Store, commit};
use crate::domain::{TenantScope, Timestamp};
use crate::error::{Error, Result};
use sqlx::SqliteConnection;

/// What makes vectors comparable: model, length and the digest of the component that made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedBy {
    pub model_id: String,
    pub dimension: i64,
    /// Empty: the provider has none.
    pub digest: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChunkEmbedding {
    pub chunk_id: String,
    pub vector: Vec<f32>,
}

impl Store {
    /// Adds or replaces vectors of chunks of one document. A chunk that is not of this document is an error and nothing is saved.
    pub async fn save_embeddings(
        &self,
        scope: &TenantScope,
        knowledge_id: &str,
        embedded_by: &EmbeddedBy,
        embeddings: &[ChunkEmbedding],
    ) -> Result<()> {
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        let ids: Vec<&str> = embeddings.iter().map(|embedding| embedding.chunk_id.as_str()).collect();
        let strangers: i64 = sqlx::query_scalar(
            "select count(*) from json_each(?3) as wanted where not exists (select 1 from chunks where chunks.id = wanted.value \
             and chunks.tenant_id = ?1 and chunks.knowledge_id = ?2 and chunks.deleted_at is null)",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_id)
        .bind(id_list(&ids))
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("checking the chunks of embeddings"))?;
        if strangers > 0 {
            return Err(super::chunks::chunk_not_found());
        }
        for embedding in embeddings {
            upsert_embedding(&mut transaction, &knowledge.knowledge_base_id, knowledge_id, scope, embedded_by, embedding).await?;
        }
        commit(transaction).await
    }

    /// Which chunks of a document lack a vector of this origin, in the document's order: what a resumed job still has to embed.
    pub async fn list_chunks_to_embed(
        &self,
        scope: &TenantScope,
        knowledge_id: &str,
        embedded_by: &EmbeddedBy,
        limit: i64,
    ) -> Result<Vec<(String, String)>> {
        sqlx::query_as(
            "select chunks.id, chunks.content from chunks where tenant_id = ?1 and knowledge_id = ?2 and deleted_at is null \
             and not exists (select 1 from embeddings where source_id = chunks.id and source_type = 0 and model_id = ?3 \
             and dimension = ?4 and digest = ?5) order by chunk_index, id limit ?6",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_id)
        .bind(&embedded_by.model_id)
        .bind(embedded_by.dimension)
        .bind(&embedded_by.digest)
        .bind(limit)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing chunks to embed"))
    }
}

/// The chunk must be known to belong to the document.
pub(super) async fn upsert_embedding(
    connection: &mut SqliteConnection,
    knowledge_base_id: &str,
    knowledge_id: &str,
    scope: &TenantScope,
    embedded_by: &EmbeddedBy,
    embedding: &ChunkEmbedding,
) -> Result<()> {
    if i64::try_from(embedding.vector.len()) != Ok(embedded_by.dimension) || !embedding.vector.iter().all(|value| value.is_finite()) {
        return Err(Error::Internal(anyhow::anyhow!(
            "the vector of chunk {} has {} numbers where {} finite ones are due",
            embedding.chunk_id,
            embedding.vector.len(),
            embedded_by.dimension
        )));
    }
    sqlx::query(
        "insert into embeddings (created_at, updated_at, source_id, source_type, chunk_id, knowledge_id, knowledge_base_id, dimension, \
         embedding, tenant_id, model_id, digest) values (?1, ?1, ?2, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         on conflict (source_id, source_type) do update set updated_at = excluded.updated_at, dimension = excluded.dimension, \
         embedding = excluded.embedding, model_id = excluded.model_id, digest = excluded.digest",
    )
    .bind(Timestamp::now().to_column())
    .bind(&embedding.chunk_id)
    .bind(knowledge_id)
    .bind(knowledge_base_id)
    .bind(embedded_by.dimension)
    .bind(to_bytes(&embedding.vector))
    .bind(scope.tenant_id().0)
    .bind(&embedded_by.model_id)
    .bind(&embedded_by.digest)
    .execute(connection)
    .await
    .map_err(fault("saving an embedding"))?;
    Ok(())
}

pub(super) fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A trailing part of less than four bytes is damage.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::Internal(anyhow::anyhow!("an embedding has {} bytes, which is no number of floats", bytes.len())));
    }
    Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}
