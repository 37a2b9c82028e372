//! A reranker without a model: it compares the words of the query with the words of each text.
//!
//! Not here: understanding. It knows no synonyms and no translations. Where query and text are in different languages it has nothing to
//! compare, says so with a score just above one half, and so leaves such texts in the order in which search found them.
//! Use a real rerank model where one is at hand.

mod score;
#[cfg(test)]
mod tests;

use knowhost_plugin_sdk::{Ctx, Hit, Ranking, RerankRequest, Reranker, Result, export_plugin};

struct RerankerLocal;

impl Reranker for RerankerLocal {
    async fn rerank(_ctx: &Ctx, request: RerankRequest) -> Result<Ranking> {
        let scores = score::scores(&request.query, &request.texts);
        let mut hits: Vec<Hit> = (0..).zip(scores).map(|(index, relevance_score)| Hit { index, relevance_score }).collect();
        hits.sort_by(|a, b| b.relevance_score.total_cmp(&a.relevance_score).then(a.index.cmp(&b.index)));
        hits.truncate(request.top.map_or(usize::MAX, |top| top as usize));
        Ok(Ranking { hits, usage: None })
    }
}

export_plugin!(RerankerLocal: reranker);
