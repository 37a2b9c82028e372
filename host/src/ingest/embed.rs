//! Vectors for the chunks of a document, in batches, going on where an earlier run stopped.
//!
//! Not here: who embeds, and searching.

use crate::domain::{Knowledge, TenantScope};
use crate::error::{Error, Result};
use crate::limits::EMBED_BATCH_TEXTS;
use crate::provider::{CallContext, EmbedPurpose, Embedder};
use crate::store::{ChunkEmbedding, EmbeddedBy, Store};

/// The work on one document.
pub(super) struct Embedding<'a> {
    pub(super) store: &'a Store,
    pub(super) scope: &'a TenantScope,
    pub(super) knowledge: &'a Knowledge,
    pub(super) embedder: &'a dyn Embedder,
    pub(super) context: &'a CallContext,
}

impl Embedding<'_> {
    /// What the vectors of the knowledge base are made with. The first document decides by embedding a first text.
    pub(super) async fn origin(&self, first_text: &str) -> Result<EmbeddedBy> {
        let kb_id = &self.knowledge.knowledge_base_id;
        let (model_id, digest) = (self.embedder.model_id().to_owned(), self.embedder.digest().to_owned());
        let fixed = match self.store.find_fixed_embedding(self.scope, kb_id).await? {
            Some(fixed) => fixed,
            None => {
                let (dimension, _) = self.embed(&[first_text.to_owned()]).await?;
                let mine = EmbeddedBy { model_id: model_id.clone(), dimension: to_i64(dimension), digest: digest.clone() };
                self.store.fix_embedding(self.scope, kb_id, &mine).await?
            }
        };
        if fixed.model_id == model_id && fixed.digest == digest {
            return Ok(fixed);
        }
        Err(Error::Conflict(format!(
            "The documents of this knowledge base were embedded with the model {}, and vectors of {model_id} do not compare with theirs; embed them anew or use the former model.",
            fixed.model_id
        )))
    }

    /// Embeds the next batch of what has no vector of this origin yet; answers how many, 0 when nothing is left.
    pub(super) async fn next(&self, origin: &EmbeddedBy) -> Result<usize> {
        let missing = self.store.list_chunks_to_embed(self.scope, &self.knowledge.id, origin, to_i64(EMBED_BATCH_TEXTS)).await?;
        if missing.is_empty() {
            return Ok(0);
        }
        let (ids, texts): (Vec<String>, Vec<String>) = missing.into_iter().unzip();
        let (dimension, rows) = self.embed(&texts).await?;
        if to_i64(dimension) != origin.dimension {
            return Err(Error::Conflict(format!(
                "The model {} gives vectors of {dimension} numbers, but the knowledge base holds vectors of {}.",
                origin.model_id, origin.dimension
            )));
        }
        let embeddings: Vec<_> = ids.into_iter().zip(rows).map(|(chunk_id, vector)| ChunkEmbedding { chunk_id, vector }).collect();
        self.store.save_embeddings(self.scope, &self.knowledge.id, origin, &embeddings).await?;
        Ok(embeddings.len())
    }

    async fn embed(&self, texts: &[String]) -> Result<(usize, Vec<Vec<f32>>)> {
        let embeddings = self.embedder.embed(self.context, EmbedPurpose::Chunk, texts).await?;
        let rows: Vec<Vec<f32>> = embeddings.rows().map(<[f32]>::to_vec).collect();
        let is_sound = embeddings.dimension > 0 && rows.len() == texts.len() && embeddings.data.iter().all(|value| value.is_finite());
        if !is_sound {
            return Err(Error::Unavailable {
                reason: format!(
                    "the embedding model {} answered {} vectors for {} texts",
                    self.embedder.model_id(),
                    rows.len(),
                    texts.len()
                ),
            });
        }
        Ok((embeddings.dimension, rows))
    }
}

fn to_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
