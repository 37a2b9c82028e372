//! Search without an answer: what a question would be answered from.
//!
//! Not here: the hybrid search of one knowledge base as it is (`search` room).

use super::budget::Budget;
use super::steps::{self, Finding, Ranking, Searched};
use super::text::{merge, preprocess, top, validate};
use super::{Chat, ChatParts, FindQuery};
use crate::domain::{KnowledgeBase, ModelStatus, ModelType, SearchResult, TenantScope};
use crate::error::Result;
use crate::limits;
use crate::store::ModelFilter;
use tokio_util::sync::CancellationToken;

impl Chat {
    /// Best first, merged and cut as the settings say; nothing found is an empty list.
    pub async fn search_knowledge(
        &self,
        scope: &TenantScope,
        request_id: &str,
        query: &str,
        knowledge_base_id: &str,
    ) -> Result<Vec<SearchResult>> {
        let parts = &self.parts;
        let text = validate::question(query)?;
        let kb = parts.store.get_knowledge_base(scope, knowledge_base_id).await?;
        let cancel = CancellationToken::new();
        // Whoever asks waits for all of it: when the request is dropped, so are its calls.
        let _guard = cancel.clone().drop_guard();
        let budget = Budget::new(scope.tenant_id(), request_id, limits::SEARCH_TIME + limits::RERANK_TIME, cancel);
        let settings = &parts.conversation;
        let keywords = preprocess::keywords(&*parts.registry.tokenizer(), text).await?;
        let searched = Searched { text: text.to_owned(), keywords };
        let query = FindQuery {
            knowledge_base_id: kb.id.clone(),
            text: String::new(),
            vector_threshold: settings.vector_threshold,
            keyword_threshold: settings.keyword_threshold,
            match_count: settings.embedding_top_k,
            explain: false,
        };
        let model_id = rerank_model(parts, scope, &kb).await?;
        let finding = Finding { query, ranking: Ranking { model_id: &model_id, threshold: settings.rerank_threshold, question: text } };
        let ranked = steps::find(parts, &budget, scope, &finding, &searched, &[]).await?;
        Ok(top(merge::merge(ranked), settings.rerank_top_k).into_iter().map(|hit| hit.result).collect())
    }
}

/// The knowledge base's own, else the tenant's oldest active one, else none.
async fn rerank_model(parts: &ChatParts, scope: &TenantScope, kb: &KnowledgeBase) -> Result<String> {
    if !kb.rerank_model_id.is_empty() {
        return Ok(kb.rerank_model_id.clone());
    }
    let filter = ModelFilter { model_type: Some(ModelType::Rerank), ..ModelFilter::default() };
    let models = parts.store.list_models(scope, &filter).await?;
    let own = models.into_iter().filter(|model| model.tenant_id == scope.tenant_id() && model.status == ModelStatus::Active);
    let oldest = own.min_by(|left, right| (left.created_at, &left.id).cmp(&(right.created_at, &right.id)));
    Ok(oldest.map(|model| model.id).unwrap_or_default())
}
