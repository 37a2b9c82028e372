//! Measures of one ranking against the set of what is relevant.
//!
//! Not here: means over questions. The definitions are trec_eval's with relevance 0 or 1.

use crate::domain::RetrievalMetrics;
use std::collections::{BTreeSet, HashSet};

/// `None` when nothing is relevant: there is nothing to find then, and trec_eval leaves such a question out of its means.
/// A passage that is ranked twice counts where it comes first.
///
/// - `precision`, `recall`: hits by the length of the ranking, and by the number of relevant passages (`set_P`, `set_recall`);
/// - `ndcg3`, `ndcg10`: gain 1, discount log2(rank + 1), the ideal being as many relevant passages as there are (`ndcg_cut`);
/// - `mrr`: one by the rank of the first hit (`recip_rank`);
/// - `map`: the sum of the precisions at the hits by the number of relevant passages (`map`).
pub fn retrieval_metrics(retrieved: &[i64], relevant: &BTreeSet<i64>) -> Option<RetrievalMetrics> {
    if relevant.is_empty() {
        return None;
    }
    let mut seen = HashSet::new();
    let hits: Vec<bool> = retrieved.iter().filter(|id| seen.insert(**id)).map(|id| relevant.contains(id)).collect();
    let found = hits.iter().filter(|hit| **hit).count();
    let (mut so_far, mut precisions) = (0, 0.0);
    for (place, _) in hits.iter().enumerate().filter(|(_, hit)| **hit) {
        so_far += 1;
        precisions += share(so_far, place + 1);
    }
    Some(RetrievalMetrics {
        precision: share(found, hits.len()),
        recall: share(found, relevant.len()),
        ndcg3: ndcg(&hits, relevant.len(), 3),
        ndcg10: ndcg(&hits, relevant.len(), 10),
        mrr: hits.iter().position(|hit| *hit).map_or(0.0, |place| share(1, place + 1)),
        map: precisions / relevant.len() as f64,
    })
}

/// 0 of 0 is 0.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn ndcg(hits: &[bool], relevant: usize, cut: usize) -> f64 {
    let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let gain: f64 = hits.iter().take(cut).enumerate().filter(|(_, hit)| **hit).map(|(place, _)| discount(place)).sum();
    let ideal: f64 = (0..relevant.min(cut)).map(discount).sum();
    gain / ideal
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(retrieved: &[i64], relevant: &[i64]) -> Option<RetrievalMetrics> {
        retrieval_metrics(retrieved, &relevant.iter().copied().collect())
    }

    #[test]
    fn a_perfect_ranking_has_ones_and_a_wrong_one_zeros() {
        let all = RetrievalMetrics { precision: 1.0, recall: 1.0, ndcg3: 1.0, ndcg10: 1.0, mrr: 1.0, map: 1.0 };
        assert_eq!(of(&[3, 1, 2], &[1, 2, 3]), Some(all));
        assert_eq!(of(&[7, 8], &[1]), Some(RetrievalMetrics::default()));
        assert_eq!(of(&[], &[1]), Some(RetrievalMetrics::default()));
    }

    #[test]
    fn without_anything_relevant_there_is_no_measure() {
        assert_eq!(of(&[1, 2], &[]), None);
    }

    #[test]
    fn a_short_perfect_list_is_not_perfect() {
        let short = of(&[1], &[1, 2, 3]).expect("measured");
        assert_eq!((short.precision, short.mrr), (1.0, 1.0));
        assert!(short.recall < 0.34 && short.map < 0.34 && short.ndcg3 < 0.5, "{short:?}");
    }

    #[test]
    fn a_double_counts_once() {
        assert_eq!(of(&[1, 1, 1, 2], &[1, 2]), of(&[1, 2], &[1, 2]));
    }

    proptest! {
        #[test]
        fn measures_stay_between_nothing_and_one(
            retrieved in proptest::collection::vec(0_i64..20, 0..30),
            relevant in proptest::collection::btree_set(0_i64..20, 1..15),
        ) {
            let measured = retrieval_metrics(&retrieved, &relevant).expect("something is relevant");
            for value in [measured.precision, measured.recall, measured.ndcg3, measured.ndcg10, measured.mrr, measured.map] {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{:?}", measured);
            }
        }
    }
}
