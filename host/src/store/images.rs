//! A picture's change: its parent chunk, the chunks that hold its texts, and the document's hash, in one transaction.
//!
//! Not here: which chunks those are.

use super::chunks::{chunk_not_found, remove_chunk};
use super::embeddings::{ChunkEmbedding, EmbeddedBy, upsert_embedding};
use super::fault::fault;
use super::index_changes::{IndexAction, insert_change};
use super::ingestion::{live_knowledge, upsert_chunk};
use super::{Store, commit};
use crate::domain::{Chunk, TenantScope, Timestamp};
use crate::error::Result;

/// A caption or a recognised text as a chunk.
#[derive(Clone, Debug)]
pub struct PictureChunk {
    pub chunk: Chunk,
    /// `None` keeps the one that is there.
    pub embedding: Option<(EmbeddedBy, Vec<f32>)>,
}

#[derive(Clone, Debug, Default)]
pub struct ImageChange {
    /// Of the parent chunk.
    pub image_info: String,
    /// Of the document.
    pub file_hash: String,
    pub written: Vec<PictureChunk>,
    /// Ids of chunks whose text was emptied.
    pub removed: Vec<String>,
}

impl Store {
    /// Answers the number of the last index change, if there was any.
    pub async fn change_image(
        &self,
        scope: &TenantScope,
        knowledge_id: &str,
        parent_id: &str,
        change: &ImageChange,
    ) -> Result<Option<i64>> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let knowledge = live_knowledge(&mut transaction, scope, knowledge_id).await?;
        let parent = sqlx::query(
            "update chunks set image_info = ?4, updated_at = ?5 where tenant_id = ?1 and knowledge_id = ?2 and id = ?3 and deleted_at is null",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_id)
        .bind(parent_id)
        .bind(&change.image_info)
        .bind(&now)
        .execute(&mut *transaction)
        .await
        .map_err(fault("changing a picture"))?;
        if parent.rows_affected() == 0 {
            return Err(chunk_not_found());
        }
        for PictureChunk { chunk, embedding } in &change.written {
            upsert_chunk(&mut transaction, &knowledge, chunk, &now).await?;
            if let Some((embedded_by, vector)) = embedding {
                let embedding = ChunkEmbedding { chunk_id: chunk.id.clone(), vector: vector.clone() };
                let kb_id = &knowledge.knowledge_base_id;
                upsert_embedding(&mut transaction, kb_id, knowledge_id, scope, embedded_by, &embedding).await?;
            }
        }
        for id in &change.removed {
            remove_chunk(&mut transaction, scope, id, &now).await?;
        }
        sqlx::query("update knowledges set file_hash = ?2, updated_at = ?3 where id = ?1")
            .bind(knowledge_id)
            .bind(&change.file_hash)
            .bind(&now)
            .execute(&mut *transaction)
            .await
            .map_err(fault("changing a document's hash"))?;
        let written: Vec<&str> =
            change.written.iter().filter(|written| written.chunk.is_enabled).map(|written| written.chunk.id.as_str()).collect();
        let mut sequence = None;
        if !written.is_empty() {
            sequence = Some(insert_change(&mut transaction, scope, &knowledge.knowledge_base_id, IndexAction::Upsert, &written).await?);
        }
        if !change.removed.is_empty() {
            let removed = &change.removed;
            sequence = Some(insert_change(&mut transaction, scope, &knowledge.knowledge_base_id, IndexAction::Delete, removed).await?);
        }
        commit(transaction).await?;
        if let Some(sequence) = sequence {
            self.announce_index_change(sequence);
        }
        Ok(sequence)
    }
}
