//! The query's vector: made once for a text and model, and kept for a short while.
//!
//! Not here: vectors of chunks.

use crate::domain::TenantId;
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{CallContext, EmbedPurpose, Embedder};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::OnceCell;

type Vector = Arc<[f32]>;

/// The tenant belongs to it, so that nobody can measure what others asked.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant_id: TenantId,
    model_id: String,
    digest: String,
    text: String,
}

struct Entry {
    born: Instant,
    /// Those who ask while it is being made wait for the same one.
    vector: Arc<OnceCell<Vector>>,
}

#[derive(Default)]
pub(super) struct QueryEmbeddings {
    entries: Mutex<HashMap<Key, Entry>>,
}

impl QueryEmbeddings {
    pub(super) async fn embed(&self, context: &CallContext, embedder: &dyn Embedder, text: &str) -> Result<Vector> {
        let cell = self.cell(Key {
            tenant_id: context.tenant_id,
            model_id: embedder.model_id().to_owned(),
            digest: embedder.digest().to_owned(),
            text: text.to_owned(),
        });
        // An error is not kept: the next one who asks tries again.
        cell.get_or_try_init(|| fresh(context, embedder, text)).await.cloned()
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<Vector>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(&key).filter(|entry| entry.born.elapsed() < limits::QUERY_EMBEDDING_AGE) {
            return entry.vector.clone();
        }
        if entries.len() >= limits::QUERY_EMBEDDINGS_MAX {
            entries.retain(|_, entry| entry.born.elapsed() < limits::QUERY_EMBEDDING_AGE);
        }
        if entries.len() >= limits::QUERY_EMBEDDINGS_MAX
            && let Some(oldest) = entries.iter().min_by_key(|(_, entry)| entry.born).map(|(key, _)| key.clone())
        {
            entries.remove(&oldest);
        }
        let vector = Arc::<OnceCell<Vector>>::default();
        entries.insert(key, Entry { born: Instant::now(), vector: vector.clone() });
        vector
    }
}

async fn fresh(context: &CallContext, embedder: &dyn Embedder, text: &str) -> Result<Vector> {
    let embeddings = embedder.embed(context, EmbedPurpose::Query, &[text.to_owned()]).await?;
    let row = embeddings.rows().next().unwrap_or_default();
    if row.is_empty() || embeddings.data.len() != row.len() || row.iter().any(|value| !value.is_finite()) {
        return Err(Error::Unavailable { reason: format!("{}: the embedding of the query is no vector", embedder.plugin()) });
    }
    Ok(row.into())
}
