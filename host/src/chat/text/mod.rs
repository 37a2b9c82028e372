//! What the pipeline does with texts and lists of hits: pure functions.
//!
//! Not here: models, the store, streams.

pub mod filter;
pub mod follow_up;
pub mod history;
pub mod merge;
pub mod passages;
pub mod preprocess;
pub mod think;
pub mod validate;

use crate::domain::SearchResult;
use crate::search::Explain;
use serde::Serialize;

/// A found chunk on its way through the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub result: SearchResult,
    /// What orders hits; `result.score` is only shown.
    pub rank: f64,
    /// Why it stands where it stands, for those who ask.
    pub story: Option<Story>,
}

/// What `explain` shows of a hit: what the search says of it, and the judge's word.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Story {
    #[serde(flatten)]
    pub search: Option<Explain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerank_score: Option<f64>,
    /// Name and version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reranker: Option<String>,
    /// The chunks that were joined into this one, in the order of the document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MergedStory>,
}

/// Of a chunk that is shown as part of another.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MergedStory {
    pub chunk_id: String,
    #[serde(flatten)]
    pub story: Option<Story>,
}

/// Best first, ties by their place in the document: ids are another each time that a document is stored.
pub fn sort(hits: &mut [Hit]) {
    hits.sort_by(|left, right| {
        let place = |hit: &Hit| (hit.result.chunk_index, hit.result.start_at);
        right
            .rank
            .total_cmp(&left.rank)
            .then_with(|| left.result.knowledge_id.cmp(&right.result.knowledge_id))
            .then_with(|| place(left).cmp(&place(right)))
            .then_with(|| left.result.id.cmp(&right.result.id))
    });
}

/// Keeps the best `count`; 0 and less keep all, as the contract has it.
pub fn top(mut hits: Vec<Hit>, count: i64) -> Vec<Hit> {
    if count > 0 {
        hits.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    }
    hits
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Hit;
    use crate::domain::{ChunkType, MatchType, SearchResult};

    /// A chunk `id` of knowledge `k`, in place from `start`.
    pub(crate) fn hit(id: &str, start: i64, content: &str, rank: f64) -> Hit {
        let end = start + content.chars().count() as i64;
        Hit {
            rank,
            story: None,
            result: SearchResult {
                id: id.into(),
                content: content.into(),
                knowledge_id: "k".into(),
                chunk_index: start,
                knowledge_title: "note.txt".into(),
                start_at: start,
                end_at: end,
                seq: start,
                score: rank.clamp(0.0, 1.0),
                match_type: MatchType::Vector,
                sub_chunk_id: None,
                metadata: Some(Default::default()),
                chunk_type: ChunkType::Text,
                parent_chunk_id: String::new(),
                image_info: String::new(),
                knowledge_filename: "note.txt".into(),
                knowledge_source: String::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::hit;

    #[test]
    fn equal_ranks_are_ordered_by_place_and_then_by_id() {
        let mut hits = vec![hit("a", 7, "x", 0.5), hit("d", 0, "x", 0.5), hit("b", 0, "x", 0.5), hit("c", 9, "x", 0.9)];
        sort(&mut hits);
        let ids: Vec<&str> = hits.iter().map(|hit| hit.result.id.as_str()).collect();
        assert_eq!(ids, ["c", "b", "d", "a"]);
    }

    #[test]
    fn top_of_nothing_or_less_keeps_all() {
        let hits = vec![hit("a", 0, "x", 0.5), hit("b", 0, "x", 0.4)];
        assert_eq!(top(hits.clone(), 1).len(), 1);
        assert_eq!(top(hits.clone(), 0).len(), 2);
        assert_eq!(top(hits, -3).len(), 2);
    }
}
