//! What BM25 needs to know about a knowledge base: how many documents and words it has.
//!
//! Not here: how often a word occurs; the prefixed terms count that by themselves.

use super::keywords::Fields;
use super::limits;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use tantivy::index::SegmentId;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Searcher, SegmentReader, TERMINATED, Term};

/// Documents and words of a space in a segment. Segments never change, so these stay right until a merge makes another segment.
#[derive(Default)]
pub(super) struct Statistics(Mutex<HashMap<SegmentId, HashMap<String, Counts>>>);

#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub documents: u64,
    pub words: u64,
}

impl Statistics {
    pub(super) fn keep_only(&self, searcher: &Searcher) {
        let alive: BTreeSet<SegmentId> = searcher.segment_readers().iter().map(SegmentReader::segment_id).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|id, spaces| alive.contains(id) && spaces.len() <= limits::INDEX_STATISTICS_MAX);
    }

    pub(super) fn counts(&self, segment: &SegmentReader, fields: Fields, prefix: &str) -> tantivy::Result<Counts> {
        let known = |all: &HashMap<SegmentId, HashMap<String, Counts>>| all.get(&segment.segment_id())?.get(prefix).copied();
        if let Some(counts) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(counts);
        }
        let lengths = segment.fast_fields().u64("words_count")?;
        let mut counts = Counts::default();
        each_document(segment, fields, prefix, |document| {
            counts.documents += 1;
            counts.words += lengths.first(document).unwrap_or(0);
        })?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(segment.segment_id()).or_default().insert(prefix.to_owned(), counts);
        Ok(counts)
    }
}

/// Every document of a space in a segment, deleted ones too.
pub(super) fn each_document(segment: &SegmentReader, fields: Fields, prefix: &str, mut visit: impl FnMut(DocId)) -> tantivy::Result<()> {
    let term = Term::from_field_text(fields.space, prefix);
    if let Some(mut postings) = segment.inverted_index(fields.space)?.read_postings(&term, IndexRecordOption::Basic)? {
        let mut document = postings.doc();
        while document != TERMINATED {
            visit(document);
            document = postings.advance();
        }
    }
    Ok(())
}

/// BM25 as if the space were alone.
pub(super) struct SpaceStatistics<'a> {
    pub searcher: &'a Searcher,
    pub counts: Counts,
}

impl Bm25StatisticsProvider for SpaceStatistics<'_> {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.counts.words)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.counts.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.searcher.doc_freq(term)
    }
}
