//! Scores by shared pairs of letters.
//!
//! Not here: mistakes that every kind can make (`stumble`).

use crate::{Broken, LETTERS_MAX, stumble};
use knowhost_plugin_sdk::{Ctx, Hit, Ranking, RerankRequest, Reranker, Result};
use std::collections::BTreeSet;

impl Reranker for Broken {
    async fn rerank(ctx: &Ctx, request: RerankRequest) -> Result<Ranking> {
        stumble(&request.model, &request.texts)?;
        ctx.sleep_ms(1).await;
        let name = request.model.name.as_str();
        let wanted = pairs(&request.query);
        let score = |text: &String| wanted.intersection(&pairs(text)).count() as f32 / wanted.len().max(1) as f32;
        let mut hits: Vec<Hit> = Vec::new();
        for (index, text) in (0_u32..).zip(&request.texts) {
            let relevance_score = match name {
                "scores" => 1.5,
                "quality" => 0.5,
                // The place counts, and not the text alone.
                "batch" => score(text) / (1.0 + index as f32),
                _ => score(text),
            };
            hits.push(Hit { index, relevance_score });
        }
        if name != "ranking" {
            hits.sort_by(|left, right| right.relevance_score.total_cmp(&left.relevance_score));
        }
        hits.truncate(request.top.map_or(usize::MAX, |top| top as usize));
        Ok(Ranking { hits, usage: None })
    }
}

fn pairs(text: &str) -> BTreeSet<(char, char)> {
    let letters: Vec<char> =
        text.chars().take(LETTERS_MAX).flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).collect();
    letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
}
