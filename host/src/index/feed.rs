//! Turns rows and changes of SQL into calls of a retriever.
//!
//! Not here: when that happens, and what follows when it fails (`follower`).

use crate::domain::{ScopeOf, TenantId};
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{IndexedChunk, ProviderErrorKind, Retriever, TokenizeMode, Tokenizer};
use crate::store::{IndexAction, IndexChange, IndexRow, Store};
use std::collections::HashSet;
use std::sync::Arc;

/// What feeding needs; cheap to clone.
#[derive(Clone)]
pub(super) struct Feed {
    pub store: Store,
    pub tokenizer: Arc<dyn Tokenizer>,
    pub scope_of: ScopeOf,
}

impl Feed {
    /// Applies the next changes after `from` and commits them; the answer is the number that now stands, `from` when there was nothing.
    pub(super) async fn apply_changes(&self, target: &dyn Retriever, from: i64) -> Result<i64> {
        let changes = self.store.index_changes_after(from, limits::INDEX_CHANGES_PER_COMMIT).await?;
        let Some(last) = changes.last().map(|change| change.sequence) else { return Ok(from) };
        for change in &changes {
            self.apply_change(target, change).await?;
        }
        target.commit(last).await?;
        Ok(last)
    }

    /// An upsert brings the index to what SQL says now, whatever happened since; so applying a change twice, or late, does no harm.
    async fn apply_change(&self, target: &dyn Retriever, change: &IndexChange) -> Result<()> {
        let scope = (self.scope_of)(change.tenant_id);
        match change.action {
            IndexAction::Delete => target.delete(&scope, &change.knowledge_base_id, &change.chunk_ids).await?,
            IndexAction::Upsert => {
                for ids in change.chunk_ids.chunks(limits::INDEX_ROWS_MAX as usize) {
                    let mut rows = self.store.load_index_rows(ids).await?;
                    rows.retain(|row| row.tenant_id == change.tenant_id && row.knowledge_base_id == change.knowledge_base_id);
                    let present: HashSet<&str> = rows.iter().map(|row| row.chunk_id.as_str()).collect();
                    let gone: Vec<String> = ids.iter().filter(|id| !present.contains(id.as_str())).cloned().collect();
                    if !gone.is_empty() {
                        target.delete(&scope, &change.knowledge_base_id, &gone).await?;
                    }
                    self.add_rows(target, rows).await?;
                }
            }
        }
        Ok(())
    }

    /// Adds rows of any tenants.
    pub(super) async fn add_rows(&self, target: &dyn Retriever, mut rows: Vec<IndexRow>) -> Result<()> {
        rows.sort_by_key(|row| row.tenant_id);
        while let Some(tenant_id) = rows.last().map(|row| row.tenant_id) {
            let start = rows.partition_point(|row| row.tenant_id < tenant_id);
            let rows = rows.split_off(start);
            let words = self.words(&rows).await?;
            let chunks = rows.into_iter().zip(words).map(|(row, tokens)| to_chunk(row, tokens)).collect();
            self.upsert(target, tenant_id, chunks).await?;
        }
        Ok(())
    }

    /// One chunk that the engine can not take must not keep all others out.
    async fn upsert(&self, target: &dyn Retriever, tenant_id: TenantId, chunks: Vec<IndexedChunk>) -> Result<()> {
        let scope = (self.scope_of)(tenant_id);
        match target.upsert(&scope, chunks.clone()).await {
            Err(error) if error.kind == ProviderErrorKind::Invalid => {}
            done => return Ok(done?),
        }
        for chunk in chunks {
            let id = chunk.chunk_id.clone();
            match target.upsert(&scope, vec![chunk]).await {
                Err(error) if error.kind == ProviderErrorKind::Invalid => {
                    tracing::error!(%error, chunk_id = %id, "a chunk can not be indexed and will not be found");
                }
                done => done?,
            }
        }
        Ok(())
    }

    async fn words(&self, rows: &[IndexRow]) -> Result<Vec<Vec<String>>> {
        let mut all = Vec::with_capacity(rows.len());
        for rows in rows.chunks(limits::TOKENIZE_BATCH_TEXTS) {
            let texts: Vec<String> = rows.iter().map(|row| row.content.clone()).collect();
            match self.tokenize(&texts).await {
                Ok(words) => all.extend(words),
                Err(error) if rows.len() > 1 => {
                    tracing::warn!(%error, "a batch can not be tokenized; its texts are tried one by one");
                    for row in rows {
                        all.push(self.words_of_one(row).await);
                    }
                }
                Err(_) => all.push(self.words_of_one(&rows[0]).await),
            }
        }
        Ok(all)
    }

    /// A text that the tokenizer fails on is cut in the plainest way, so that it holds nothing up and is still found.
    async fn words_of_one(&self, row: &IndexRow) -> Vec<String> {
        match self.tokenize(std::slice::from_ref(&row.content)).await.map(|mut words| words.pop()) {
            Ok(Some(words)) => words,
            Ok(None) => Vec::new(),
            Err(error) => {
                tracing::error!(%error, chunk_id = %row.chunk_id, "a chunk is indexed by plain words, because the tokenizer fails on it");
                plain_words(&row.content)
            }
        }
    }

    async fn tokenize(&self, texts: &[String]) -> Result<Vec<Vec<String>>> {
        let spans = self.tokenizer.tokenize(texts, TokenizeMode::Index).await?;
        if spans.len() != texts.len() {
            return Err(Error::Internal(anyhow::anyhow!("the tokenizer answered {} texts with {}", texts.len(), spans.len())));
        }
        let words = texts
            .iter()
            .zip(spans)
            .map(|(text, spans)| spans.into_iter().filter_map(|span| text.get(span.start..span.end)).map(str::to_owned).collect());
        Ok(words.collect())
    }
}

fn to_chunk(row: IndexRow, tokens: Vec<String>) -> IndexedChunk {
    IndexedChunk {
        chunk_id: row.chunk_id,
        knowledge_id: row.knowledge_id,
        knowledge_base_id: row.knowledge_base_id,
        tokens,
        vector: row.vector,
    }
}

/// Runs of letters and digits; characters without case, as in Chinese, each alone.
fn plain_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        let joins = character.is_alphanumeric() && (character.is_lowercase() || character.is_uppercase() || character.is_numeric());
        if joins {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            words.push(character.to_string());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_runs_of_letters_and_single_characters() {
        assert_eq!(plain_words("Über 2 知识库, end"), ["Über", "2", "知", "识", "库", "end"]);
        assert!(plain_words(" ,.-").is_empty());
    }
}
