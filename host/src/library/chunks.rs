//! The pieces of a document, as people see and change them.
//!
//! Not here: making them (`ingest`).

use super::Documents;
use crate::domain::{Chunk, ChunkType, TenantScope};
use crate::error::{Error, Result};
use crate::limits::EMBED_ONE_TIME;
use crate::provider::{CallContext, EmbedPurpose};
use crate::store::{ChunkPatch, EmbeddedBy, Page, Paged};

/// `None` keeps what is there; so does an empty content.
#[derive(Clone, Debug, Default)]
pub struct ChunkChange {
    pub content: Option<String>,
    pub is_enabled: Option<bool>,
}

impl Documents {
    /// Text chunks in their order, disabled ones too; the total counts the same.
    pub async fn list_chunks(&self, scope: &TenantScope, knowledge_id: &str, page: Page) -> Result<Paged<Chunk>> {
        self.store.get_knowledge(scope, knowledge_id).await?;
        self.store.list_chunks(scope, knowledge_id, &[ChunkType::Text], page).await
    }

    /// The chunk, if it is this document's.
    pub async fn get_chunk(&self, scope: &TenantScope, knowledge_id: &str, id: &str) -> Result<Chunk> {
        let chunk = self.store.find_chunk(scope, id).await?.ok_or_else(|| Error::not_found("Chunk not found"))?;
        if chunk.knowledge_id == knowledge_id { Ok(chunk) } else { Err(Error::Forbidden("No permission to access this chunk".into())) }
    }

    /// Answers when searches see the change: new content is embedded anew, a disabled chunk is not found.
    pub async fn update_chunk(&self, scope: &TenantScope, chunk: &Chunk, change: ChunkChange, request_id: &str) -> Result<Chunk> {
        let content = change.content.filter(|content| !content.is_empty() && *content != chunk.content);
        let embedding = match &content {
            Some(content) => Some(self.embed_one(scope, chunk, content, request_id).await?),
            None => None,
        };
        let patch = ChunkPatch { content, is_enabled: change.is_enabled, image_info: None, embedding };
        let (chunk, sequence) = self.store.update_chunk(scope, &chunk.id, &patch).await?;
        if let Some(sequence) = sequence {
            self.wait_until(sequence).await?;
        }
        Ok(chunk)
    }

    /// Answers when no search can return the chunk.
    pub async fn delete_chunk(&self, scope: &TenantScope, chunk: &Chunk) -> Result<()> {
        let sequence = self.store.delete_chunk(scope, &chunk.id).await?;
        self.wait_until(sequence).await
    }

    /// Answers when no search can return any chunk of the document.
    pub async fn delete_chunks(&self, scope: &TenantScope, knowledge_id: &str) -> Result<()> {
        let sequence = self.store.delete_chunks_of_knowledge(scope, knowledge_id).await?;
        self.wait_until(sequence).await
    }

    pub(super) async fn embed_one(
        &self,
        scope: &TenantScope,
        chunk: &Chunk,
        content: &str,
        request_id: &str,
    ) -> Result<(EmbeddedBy, Vec<f32>)> {
        let kb = self.store.get_knowledge_base(scope, &chunk.knowledge_base_id).await?;
        let embedder = self.registry.embedder(scope, &kb.embedding_model_id).await?;
        let call = CallContext::interactive(scope.tenant_id(), request_id, EMBED_ONE_TIME);
        let embeddings = embedder.embed(&call, EmbedPurpose::Chunk, &[content.to_owned()]).await?;
        let vector = embeddings.rows().next().map(<[f32]>::to_vec).unwrap_or_default();
        let mine = EmbeddedBy {
            model_id: embedder.model_id().to_owned(),
            dimension: i64::try_from(vector.len()).unwrap_or_default(),
            digest: embedder.digest().to_owned(),
        };
        let fixed = self.store.fix_embedding(scope, &kb.id, &mine).await?;
        if fixed == mine {
            Ok((mine, vector))
        } else {
            Err(Error::Conflict(format!("The chunks of this knowledge base were embedded with another model, {}.", fixed.model_id)))
        }
    }
}
