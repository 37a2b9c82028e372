//! Orders candidates by how well they answer, and drops those that do not.
//!
//! Not here: who judges. A judge that fails never empties an answer: the order of the search stays.

use super::Searched;
use crate::chat::ChatParts;
use crate::chat::budget::Budget;
use crate::chat::text::{Hit, passages};
use crate::domain::{MatchType, TenantScope};
use crate::limits;
use crate::provider::{RerankHit, Reranker};
use std::sync::Arc;

/// How to rerank.
#[derive(Clone, Debug)]
pub(in crate::chat) struct Ranking<'a> {
    /// Empty: not at all.
    pub(in crate::chat) model_id: &'a str,
    pub(in crate::chat) threshold: f64,
    /// As typed.
    pub(in crate::chat) question: &'a str,
}

/// Best first; empty when a judge found nothing good enough.
pub(in crate::chat) async fn rerank(
    parts: &ChatParts,
    budget: &Budget,
    scope: &TenantScope,
    ranking: &Ranking<'_>,
    searched: &Searched,
    hits: Vec<Hit>,
) -> Vec<Hit> {
    if hits.is_empty() || ranking.model_id.is_empty() {
        return hits;
    }
    let request_id = budget.request_id();
    let model: Arc<dyn Reranker> = match parts.registry.reranker(scope, ranking.model_id).await {
        Ok(Some(model)) => model,
        Ok(None) => return hits,
        Err(error) => {
            tracing::warn!(request_id, %error, "no reranker: the order of the search stays");
            return hits;
        }
    };
    let texts: Vec<String> = hits.iter().map(|hit| passages::for_rerank(&hit.result)).collect();
    let mut queries = vec![searched.text.as_str(), searched.keywords.as_str(), ranking.question];
    queries.retain(|query| !query.trim().is_empty());
    queries.dedup();
    for query in queries {
        let context = budget.context(limits::RERANK_TIME);
        let call = async { Ok(model.rerank(&context, query, &texts, None).await?) };
        match budget.run("the rerank", &context, call).await {
            Ok(judged) if judged.is_empty() => {
                tracing::warn!(request_id, plugin = %model.plugin(), "the reranker returned nothing: the order of the search stays");
                return hits;
            }
            Ok(judged) => {
                let mut passed = passed(&hits, &judged, ranking.threshold);
                if !passed.is_empty() {
                    for story in passed.iter_mut().filter_map(|hit| hit.story.as_mut()) {
                        story.reranker = Some(model.plugin().to_string());
                    }
                    return passed;
                }
            }
            Err(error) => {
                tracing::warn!(request_id, %error, "the rerank failed: the order of the search stays");
                return hits;
            }
        }
    }
    Vec::new()
}

/// Hits above the threshold with the judge's score, in its order. Chunks of an earlier answer must do a little better.
fn passed(hits: &[Hit], judged: &[RerankHit], threshold: f64) -> Vec<Hit> {
    let of_history = (threshold - 0.1).max(0.5);
    judged
        .iter()
        .filter_map(|judgement| {
            let hit = hits.get(judgement.index)?;
            let score = as_written(judgement.relevance_score);
            let needed = if hit.result.match_type == MatchType::History { of_history } else { threshold };
            (score > needed).then(|| {
                let mut hit = hit.clone();
                hit.rank = score;
                hit.result.score = score;
                if let Some(story) = &mut hit.story {
                    story.rerank_score = Some(score);
                }
                hit
            })
        })
        .collect()
}

/// The decimal that the judge wrote: 0.9 stays 0.9, and equals a threshold of 0.9.
fn as_written(score: f32) -> f64 {
    score.to_string().parse().unwrap_or_else(|_| f64::from(score))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::testing::hit;

    fn judged(scores: &[(usize, f32)]) -> Vec<RerankHit> {
        scores.iter().map(|(index, relevance_score)| RerankHit { index: *index, relevance_score: *relevance_score }).collect()
    }

    #[test]
    fn only_scores_above_the_threshold_pass_with_the_judges_score() {
        let mut old = hit("old", 0, "x", 0.9);
        old.result.match_type = MatchType::History;
        let hits = [hit("a", 0, "x", 0.9), hit("b", 0, "x", 0.8), old];
        let passed = passed(&hits, &judged(&[(1, 0.75), (0, 0.25), (2, 0.5), (9, 1.0)]), 0.25);
        assert_eq!(passed.len(), 1);
        assert_eq!((passed[0].result.id.as_str(), passed[0].rank, passed[0].result.score), ("b", 0.75, 0.75));
    }
    #[test]
    fn scores_are_shown_and_compared_as_they_were_written() {
        let hits = [hit("a", 0, "x", 0.1), hit("b", 0, "x", 0.1)];
        let passed = passed(&hits, &judged(&[(0, 0.9), (1, 0.3)]), 0.3);
        assert_eq!(passed.iter().map(|hit| hit.result.score).collect::<Vec<_>>(), [0.9]);
    }
}
