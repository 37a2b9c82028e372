//! Retrieves and reranks: the part of the way that an answer, a search without an answer and a measurement share.
//!
//! Not here: what is searched for (`rewrite`, `text::preprocess`), and what becomes of the hits (`text::merge`).

use super::{Ranking, Searched, rerank, retrieve};
use crate::chat::budget::Budget;
use crate::chat::text::Hit;
use crate::chat::{ChatParts, FindQuery};
use crate::domain::{SearchResult, Session, TenantScope};
use crate::error::Result;

/// Where to look, how wide, and by whose judgement.
#[derive(Clone, Debug)]
pub(in crate::chat) struct Finding<'a> {
    /// Its text is filled with what is searched.
    pub(in crate::chat) query: FindQuery,
    pub(in crate::chat) ranking: Ranking<'a>,
}

impl<'a> Finding<'a> {
    /// As a session says. `question` is what was typed.
    pub(in crate::chat) fn of_session(session: &'a Session, question: &'a str, explain: bool) -> Self {
        Self {
            query: FindQuery {
                knowledge_base_id: session.knowledge_base_id.clone(),
                text: String::new(),
                vector_threshold: session.vector_threshold,
                keyword_threshold: session.keyword_threshold,
                match_count: session.embedding_top_k,
                explain,
            },
            ranking: Ranking { model_id: &session.rerank_model_id, threshold: session.rerank_threshold, question },
        }
    }
}

/// Best first. `cited`: what the last answer cited.
pub(in crate::chat) async fn find(
    parts: &ChatParts,
    budget: &Budget,
    scope: &TenantScope,
    finding: &Finding<'_>,
    searched: &Searched,
    cited: &[SearchResult],
) -> Result<Vec<Hit>> {
    let hits = retrieve(parts, budget, scope, &finding.query, searched, cited).await?;
    Ok(rerank(parts, budget, scope, &finding.ranking, searched, hits).await)
}
