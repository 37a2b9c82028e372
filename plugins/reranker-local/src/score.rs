//! The score of a text: which part of the query's weight it holds, in which order, with which numbers.
//!
//! Not here: sorting and cutting the list.

use knowhost_plugin_sdk::text::{Term, TermKind, is_chinese, terms};
use std::collections::{BTreeMap, BTreeSet};

/// More of a text is not looked at: a chunk is far shorter.
const TERMS_MAX: usize = 20_000;
/// Weight of a query term that no text holds; it may be a way of asking and not a matter.
const ABSENT_WEIGHT: f32 = 0.4;
/// The share of order in the raw score; the rest is coverage.
const ORDER_SHARE: f32 = 0.2;
/// What is left of the score of a text that lacks a number of the query.
const NUMBER_MISSING: f32 = 0.7;
/// Just above the one half at which texts are dropped: no evidence is no evidence against.
const ABSTAINED: f32 = 0.52;

/// From raw score to shown score, fitted on the pairs in `tests.rs`: related texts come out above one half, most others below.
const SHOWN: [(f32, f32); 5] = [(0.0, 0.0), (0.12, 0.45), (0.16, 0.51), (0.5, 0.8), (1.0, 0.99)];

pub(crate) fn scores(query: &str, texts: &[String]) -> Vec<f32> {
    let asked = Query::new(query);
    let texts: Vec<Text> = texts.iter().map(|text| Text::new(text)).collect();
    let weights = asked.weights(&texts);
    texts.iter().map(|text| asked.score(&weights, text)).collect()
}

struct Text {
    is_chinese: bool,
    /// places of each term
    places: BTreeMap<String, Vec<usize>>,
}

impl Text {
    fn new(text: &str) -> Self {
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, term) in terms(text).into_iter().take(TERMS_MAX).enumerate() {
            places.entry(term.text).or_default().push(place);
        }
        Self { is_chinese: is_chinese(text), places }
    }

    fn has(&self, term: &str) -> bool {
        self.places.contains_key(term)
    }
}

struct Query {
    is_chinese: bool,
    /// in order, without those that say little; each once
    terms: Vec<Term>,
}

impl Query {
    fn new(query: &str) -> Self {
        let all = terms(query);
        // A query of nothing but small words ("who are you") still has to be compared.
        let only_stops = all.iter().all(|term| term.is_stop);
        let mut seen = BTreeSet::new();
        let terms = all.into_iter().filter(|term| (only_stops || !term.is_stop) && seen.insert(term.text.clone())).take(200).collect();
        Self { is_chinese: is_chinese(query), terms }
    }

    /// What each term is worth: much where few texts hold it.
    #[expect(clippy::cast_precision_loss, reason = "counts of texts are small")]
    fn weights(&self, texts: &[Text]) -> Vec<f32> {
        let count = texts.len() as f32;
        let weight = |term: &Term| {
            let holding = texts.iter().filter(|text| text.has(&term.text)).count() as f32;
            if holding == 0.0 { ABSENT_WEIGHT } else { (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln().max(0.3) }
        };
        self.terms.iter().map(weight).collect()
    }

    fn score(&self, weights: &[f32], text: &Text) -> f32 {
        if self.terms.is_empty() {
            return ABSTAINED;
        }
        let total: f32 = weights.iter().sum();
        let held: f32 = self.terms.iter().zip(weights).filter(|(term, _)| text.has(&term.text)).map(|(_, weight)| weight).sum();
        let coverage = held / total;
        if self.is_chinese != text.is_chinese {
            // Names and numbers are the same in both languages; they lift the text, their absence proves nothing.
            return ABSTAINED + 0.4 * coverage;
        }
        let mut raw = (1.0 - ORDER_SHARE) * coverage + ORDER_SHARE * coverage * self.order(text);
        let lacks_number = self.terms.iter().any(|term| term.kind == TermKind::Number && !text.has(&term.text));
        if lacks_number {
            raw *= NUMBER_MISSING;
        }
        shown(raw)
    }

    /// The share of neighbours in the query that stand close and in the same order in the text.
    #[expect(clippy::cast_precision_loss, reason = "queries are short")]
    fn order(&self, text: &Text) -> f32 {
        const CLOSE: usize = 4;
        if self.terms.len() < 2 {
            return 1.0;
        }
        let follows = |first: &Term, second: &Term| {
            let (Some(first), Some(second)) = (text.places.get(&first.text), text.places.get(&second.text)) else { return false };
            first.iter().any(|at| {
                let next = second.partition_point(|place| place <= at);
                second.get(next).is_some_and(|place| place - at <= CLOSE)
            })
        };
        let kept = self.terms.windows(2).filter(|pair| follows(&pair[0], &pair[1])).count();
        kept as f32 / (self.terms.len() - 1) as f32
    }
}

/// Linear between the points of [`SHOWN`].
fn shown(raw: f32) -> f32 {
    let raw = raw.clamp(0.0, 1.0);
    let right = SHOWN.partition_point(|point| point.0 < raw).clamp(1, SHOWN.len() - 1);
    let ((x0, y0), (x1, y1)) = (SHOWN[right - 1], SHOWN[right]);
    y0 + (y1 - y0) * (raw - x0) / (x1 - x0)
}
