//! Hits of the keyword index: their scores without noise, their chunks, and a fair choice among equals.
//!
//! Not here: which words are sought.

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocAddress, DocId, Score, SegmentReader};

/// Without the last bits: the order in which float sums were made must not decide which of two equal texts comes first.
pub(super) fn rounded(score: Score) -> Score {
    Score::from_bits(score.to_bits().saturating_add(0x80) & !0xff)
}

pub(super) fn chunk_column(segment: &SegmentReader) -> tantivy::Result<Option<StrColumn>> {
    segment.fast_fields().str("chunk")
}

pub(super) fn chunk_key(column: &StrColumn, document: DocId) -> tantivy::Result<String> {
    let mut key = String::new();
    if let Some(ordinal) = column.term_ords(document).next() {
        column.ord_to_str(ordinal, &mut key)?;
    }
    Ok(key)
}

pub(super) struct KeywordHit {
    pub score: Score,
    /// Space and chunk id.
    pub key: String,
    pub address: DocAddress,
}

/// The best of all that score at least `floor`, ties by chunk id: for the rare query whose last place is shared by many.
pub(super) struct BestByScoreAndId {
    pub top_k: usize,
    pub floor: Score,
}

pub(super) struct SegmentBest {
    top_k: usize,
    floor: Score,
    segment: u32,
    column: Option<StrColumn>,
    ordinals: Option<Column<u64>>,
    /// (score, ordinal, document): within a segment ordinals are in the order of the ids.
    hits: Vec<(Score, u64, DocId)>,
}

impl SegmentBest {
    fn cut(&mut self) {
        self.hits.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.hits.truncate(self.top_k);
    }
}

impl Collector for BestByScoreAndId {
    type Fruit = Vec<KeywordHit>;
    type Child = SegmentBest;

    fn for_segment(&self, segment: u32, reader: &SegmentReader) -> tantivy::Result<SegmentBest> {
        let column = chunk_column(reader)?;
        let ordinals = column.as_ref().map(|column| column.ords().clone());
        Ok(SegmentBest { top_k: self.top_k, floor: self.floor, segment, column, ordinals, hits: Vec::new() })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, fruits: Vec<tantivy::Result<Vec<KeywordHit>>>) -> tantivy::Result<Vec<KeywordHit>> {
        Ok(fruits.into_iter().collect::<tantivy::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}

impl SegmentCollector for SegmentBest {
    type Fruit = tantivy::Result<Vec<KeywordHit>>;

    fn collect(&mut self, document: DocId, score: Score) {
        if score < self.floor {
            return;
        }
        if let Some(ordinal) = self.ordinals.as_ref().and_then(|ordinals| ordinals.first(document)) {
            self.hits.push((rounded(score), ordinal, document));
        }
        if self.hits.len() >= 4 * self.top_k + 1024 {
            self.cut();
        }
    }

    fn harvest(mut self) -> Self::Fruit {
        self.cut();
        let Some(column) = &self.column else { return Ok(Vec::new()) };
        let mut found = Vec::with_capacity(self.hits.len());
        for &(score, ordinal, document) in &self.hits {
            let mut key = String::new();
            column.ord_to_str(ordinal, &mut key)?;
            found.push(KeywordHit { score, key, address: DocAddress::new(self.segment, document) });
        }
        Ok(found)
    }
}
