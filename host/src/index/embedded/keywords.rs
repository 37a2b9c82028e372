//! Keyword search with BM25 on tantivy.
//!
//! Not here: how texts become words (`normalise`), and vectors.
//!
//! There is one tantivy index for all knowledge bases, and the name of the space stands before every term. So the words of one knowledge base
//! have posting lists and document counts of their own: nothing has to be filtered, and a word in another tenant's base can not move a score.
//! One index for each knowledge base would give the same, at the price of a writer, a commit and a dozen open files for each.

use super::{IndexKey, limits};
use crate::provider::{IndexedChunk, ScoredChunk};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::collector::{Collector, Count, SegmentCollector, TopDocs};
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::indexer::IndexWriterOptions;
use tantivy::query::{Bm25StatisticsProvider, BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    DocAddress, DocId, DocSet, Index, IndexReader, IndexWriter, ReloadPolicy, Score, Searcher, SegmentReader, TERMINATED, TantivyDocument,
    TantivyError, Term,
};

const FORMAT: u32 = 1;

/// Stands in tantivy's own commit record.
#[derive(Serialize, Deserialize)]
struct Payload {
    format: u32,
    key: IndexKey,
    sequence: i64,
}

#[derive(Clone, Copy)]
struct Fields {
    /// Space and chunk id: what a delete names, and a column that gives the id of a hit.
    chunk: Field,
    knowledge: Field,
    space: Field,
    words: Field,
    words_count: Field,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::WithFreqs).set_fieldnorms(true);
    let fields = Fields {
        chunk: builder.add_text_field("chunk", STRING | FAST),
        knowledge: builder.add_text_field("knowledge", STRING),
        space: builder.add_text_field("space", STRING),
        words: builder.add_text_field("words", TextOptions::default().set_indexing_options(indexing)),
        words_count: builder.add_u64_field("words_count", FAST),
    };
    (builder.build(), fields)
}

/// `tenant/knowledge base`, then a byte that no id holds.
fn prefix(tenant_id: i64, knowledge_base_id: &str) -> String {
    format!("{tenant_id}/{knowledge_base_id}\u{0}")
}

pub(super) struct Keywords {
    writer: IndexWriter,
    reader: IndexReader,
    fields: Fields,
    key: IndexKey,
    sequence: i64,
    statistics: Arc<Statistics>,
}

impl Keywords {
    /// `Ok(None)`: nothing usable is there. An error: what is there is damaged.
    pub(super) fn open(folder: &Path, key: &IndexKey) -> tantivy::Result<Option<Self>> {
        if !folder.join("meta.json").exists() {
            return Ok(None);
        }
        let index = Index::open_in_dir(folder)?;
        let payload = index.load_metas()?.payload.and_then(|text| serde_json::from_str::<Payload>(&text).ok());
        match payload {
            Some(payload) if payload.format == FORMAT && payload.key == *key && index.schema() == schema().0 => {
                Self::with(index, key, payload.sequence).map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }

    pub(super) fn create(folder: &Path, key: &IndexKey) -> tantivy::Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| TantivyError::IoError(Arc::new(error)))?;
        let mut this = Self::with(Index::create_in_dir(folder, schema().0)?, key, 0)?;
        this.commit(0)?;
        Ok(this)
    }

    fn with(index: Index, key: &IndexKey, sequence: i64) -> tantivy::Result<Self> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(limits::INDEX_WRITER_BYTES)
            .build();
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        probe(&reader.searcher())?;
        let writer = index.writer_with_options(options)?;
        Ok(Self { writer, reader, fields: schema().1, key: key.clone(), sequence, statistics: Arc::default() })
    }

    pub(super) fn sequence(&self) -> i64 {
        self.sequence
    }

    /// Adds or replaces; `words` gives the words of a chunk.
    pub(super) fn upsert(
        &mut self,
        tenant_id: i64,
        chunks: &[IndexedChunk],
        words: impl Fn(&[String]) -> Vec<String>,
    ) -> tantivy::Result<()> {
        for chunk in chunks {
            let prefix = prefix(tenant_id, &chunk.knowledge_base_id);
            let chunk_key = format!("{prefix}{}", chunk.chunk_id);
            self.writer.delete_term(Term::from_field_text(self.fields.chunk, &chunk_key));
            let words = words(&chunk.tokens);
            let mut document = TantivyDocument::new();
            document.add_text(self.fields.chunk, &chunk_key);
            document.add_text(self.fields.knowledge, format!("{prefix}{}", chunk.knowledge_id));
            document.add_u64(self.fields.words_count, words.len() as u64);
            let token = |(position, word): (usize, String)| Token { position, text: format!("{prefix}{word}"), ..Token::default() };
            let tokens = words.into_iter().enumerate().map(token).collect();
            document.add_pre_tokenized_text(self.fields.words, PreTokenizedString { text: String::new(), tokens });
            document.add_text(self.fields.space, prefix);
            self.writer.add_document(document)?;
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, tenant_id: i64, knowledge_base_id: &str, chunk_ids: &[String]) {
        let prefix = prefix(tenant_id, knowledge_base_id);
        for id in chunk_ids {
            self.writer.delete_term(Term::from_field_text(self.fields.chunk, &format!("{prefix}{id}")));
        }
    }

    /// Makes everything so far durable. After an error the store must be opened anew.
    pub(super) fn commit(&mut self, sequence: i64) -> tantivy::Result<()> {
        let payload = Payload { format: FORMAT, key: self.key.clone(), sequence };
        let payload = serde_json::to_string(&payload).map_err(|error| TantivyError::InternalError(error.to_string()))?;
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        self.sequence = sequence;
        Ok(())
    }

    /// What readers see: the state of the last commit, with the segments as they are merged by now.
    pub(super) fn view(&self) -> tantivy::Result<KeywordView> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        self.statistics.keep_only(&searcher);
        Ok(KeywordView { searcher, fields: self.fields, statistics: self.statistics.clone() })
    }
}

/// Opens every part of every segment, so that a missing or shortened file is seen now and not by a search.
fn probe(searcher: &Searcher) -> tantivy::Result<()> {
    for segment in searcher.segment_readers() {
        for (field, entry) in schema().0.fields() {
            if entry.is_indexed() {
                segment.inverted_index(field)?;
            }
        }
        segment.get_fieldnorms_reader(schema().1.words)?;
        let columns = (chunk_column(segment)?, segment.fast_fields().u64("words_count")?);
        if columns.0.is_none_or(|column| column.ords().num_docs() != segment.max_doc()) || columns.1.num_docs() != segment.max_doc() {
            return Err(TantivyError::DataCorruption(tantivy::error::DataCorruption::comment_only("a column lacks documents")));
        }
    }
    Ok(())
}

/// Documents and words of a space in a segment. Segments never change, so these stay right until a merge makes another segment.
#[derive(Default)]
struct Statistics(Mutex<HashMap<SegmentId, HashMap<String, Counts>>>);

#[derive(Clone, Copy, Default)]
struct Counts {
    documents: u64,
    words: u64,
}

impl Statistics {
    fn keep_only(&self, searcher: &Searcher) {
        let alive: BTreeSet<SegmentId> = searcher.segment_readers().iter().map(SegmentReader::segment_id).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|id, spaces| alive.contains(id) && spaces.len() <= limits::INDEX_STATISTICS_MAX);
    }

    fn counts(&self, segment: &SegmentReader, fields: Fields, prefix: &str) -> tantivy::Result<Counts> {
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
fn each_document(segment: &SegmentReader, fields: Fields, prefix: &str, mut visit: impl FnMut(DocId)) -> tantivy::Result<()> {
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
struct SpaceStatistics<'a> {
    searcher: &'a Searcher,
    counts: Counts,
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

#[derive(Clone)]
pub(super) struct KeywordView {
    searcher: Searcher,
    fields: Fields,
    statistics: Arc<Statistics>,
}

impl KeywordView {
    /// Best first, ties by chunk id, each with its coverage of the query. `words` are distinct.
    pub(super) fn search(
        &self,
        tenant_id: i64,
        knowledge_base_id: &str,
        words: &[String],
        knowledge_ids: &[String],
        top_k: usize,
    ) -> tantivy::Result<(Vec<ScoredChunk>, Vec<f32>)> {
        let prefix = prefix(tenant_id, knowledge_base_id);
        let mut counts = Counts::default();
        for segment in self.searcher.segment_readers() {
            let more = self.statistics.counts(segment, self.fields, &prefix)?;
            counts = Counts { documents: counts.documents + more.documents, words: counts.words + more.words };
        }
        if top_k == 0 || words.is_empty() || counts.documents == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let words: Vec<Term> = words.iter().map(|word| Term::from_field_text(self.fields.words, &format!("{prefix}{word}"))).collect();
        let mut hits = self.best(&self.query(&prefix, &words, knowledge_ids), counts, top_k)?;
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.key.cmp(&b.key)));
        hits.truncate(top_k);
        let coverage = self.coverage(&words, counts, &hits)?;
        let chunk =
            |hit: KeywordHit| ScoredChunk { chunk_id: hit.key.get(prefix.len()..).unwrap_or_default().to_owned(), score: hit.score };
        Ok((hits.into_iter().map(chunk).collect(), coverage))
    }

    /// The best `top_k`, in any order, perhaps with others.
    fn best(&self, query: &BooleanQuery, counts: Counts, top_k: usize) -> tantivy::Result<Vec<KeywordHit>> {
        let statistics = SpaceStatistics { searcher: &self.searcher, counts };
        // One more than asked for shows whether the last place is shared.
        let best = TopDocs::with_limit(top_k + 1).order_by_score();
        let found = self.searcher.search_with_statistics_provider(query, &best, &statistics)?;
        if found.len() > top_k && rounded(found[top_k].0) == rounded(found[top_k - 1].0) {
            let all = BestByScoreAndId { top_k, floor: found[top_k].0 * 0.9999 };
            return self.searcher.search_with_statistics_provider(query, &all, &statistics);
        }
        let columns = self.searcher.segment_readers().iter().map(chunk_column).collect::<tantivy::Result<Vec<_>>>()?;
        let mut hits = Vec::with_capacity(top_k);
        for (score, address) in found.into_iter().take(top_k) {
            if let Some(column) = &columns[address.segment_ord as usize] {
                hits.push(KeywordHit { score: rounded(score), key: chunk_key(column, address.doc_id)?, address });
            }
        }
        Ok(hits)
    }

    /// Share of the query's words, weighed by rarity, that each hit holds.
    fn coverage(&self, words: &[Term], counts: Counts, hits: &[KeywordHit]) -> tantivy::Result<Vec<f32>> {
        let mut order: Vec<usize> = (0..hits.len()).collect();
        order.sort_unstable_by_key(|&hit| hits[hit].address);
        let (mut held, mut total) = (vec![0f64; hits.len()], 0f64);
        for word in words {
            let holders = self.searcher.doc_freq(word)? as f64;
            let rarity = (1.0 + (counts.documents as f64 - holders + 0.5) / (holders + 0.5)).ln();
            total += rarity;
            for group in order.chunk_by(|&a, &b| hits[a].address.segment_ord == hits[b].address.segment_ord) {
                let dictionary = self.searcher.segment_reader(hits[group[0]].address.segment_ord).inverted_index(self.fields.words)?;
                let Some(mut postings) = dictionary.read_postings(word, IndexRecordOption::Basic)? else { continue };
                for &hit in group {
                    let document = hits[hit].address.doc_id;
                    if postings.doc() < document {
                        postings.seek(document);
                    }
                    if postings.doc() == document {
                        held[hit] += rarity;
                    }
                }
            }
        }
        Ok(held.into_iter().map(|held| if total > 0.0 { (held / total) as f32 } else { 0.0 }).collect())
    }

    fn query(&self, prefix: &str, words: &[Term], knowledge_ids: &[String]) -> BooleanQuery {
        let word = |word: &Term| -> Box<dyn Query> { Box::new(TermQuery::new(word.clone(), IndexRecordOption::WithFreqs)) };
        let any = BooleanQuery::union(words.iter().map(word).collect());
        if knowledge_ids.is_empty() {
            return any;
        }
        let ids = knowledge_ids.iter().map(|id| Term::from_field_text(self.fields.knowledge, &format!("{prefix}{id}")));
        let filter = ConstScoreQuery::new(Box::new(TermSetQuery::new(ids)), 0.0);
        BooleanQuery::new(vec![(Occur::Must, Box::new(any)), (Occur::Must, Box::new(filter))])
    }

    pub(super) fn count(&self, tenant_id: i64, knowledge_base_id: &str) -> tantivy::Result<u64> {
        let term = Term::from_field_text(self.fields.space, &prefix(tenant_id, knowledge_base_id));
        Ok(self.searcher.search(&TermQuery::new(term, IndexRecordOption::Basic), &Count)? as u64)
    }

    /// All (tenant, knowledge base) that ever had a chunk and were not merged away.
    pub(super) fn spaces(&self) -> tantivy::Result<BTreeSet<(i64, String)>> {
        let mut spaces = BTreeSet::new();
        for segment in self.searcher.segment_readers() {
            let dictionary = segment.inverted_index(self.fields.space)?;
            let mut terms = dictionary.terms().stream()?;
            while terms.advance() {
                let name = String::from_utf8_lossy(terms.key());
                if let Some((tenant_id, base)) = name.trim_end_matches('\u{0}').split_once('/')
                    && let Ok(tenant_id) = tenant_id.parse()
                {
                    spaces.insert((tenant_id, base.to_owned()));
                }
            }
        }
        Ok(spaces)
    }

    pub(super) fn ids(&self, tenant_id: i64, knowledge_base_id: &str) -> tantivy::Result<Vec<String>> {
        let prefix = prefix(tenant_id, knowledge_base_id);
        let mut ids = Vec::new();
        for segment in self.searcher.segment_readers() {
            let mut documents = Vec::new();
            each_document(segment, self.fields, &prefix, |document| documents.push(document))?;
            if let Some(column) = chunk_column(segment)? {
                for document in documents.into_iter().filter(|&document| !segment.is_deleted(document)) {
                    ids.push(chunk_key(&column, document)?.get(prefix.len()..).unwrap_or_default().to_owned());
                }
            }
        }
        Ok(ids)
    }
}

/// Without the last bits: the order in which float sums were made must not decide which of two equal texts comes first.
fn rounded(score: Score) -> Score {
    Score::from_bits(score.to_bits().saturating_add(0x80) & !0xff)
}

fn chunk_column(segment: &SegmentReader) -> tantivy::Result<Option<StrColumn>> {
    segment.fast_fields().str("chunk")
}

fn chunk_key(column: &StrColumn, document: DocId) -> tantivy::Result<String> {
    let mut key = String::new();
    if let Some(ordinal) = column.term_ords(document).next() {
        column.ord_to_str(ordinal, &mut key)?;
    }
    Ok(key)
}

struct KeywordHit {
    score: Score,
    /// Space and chunk id.
    key: String,
    address: DocAddress,
}

/// The best of all that score at least `floor`, ties by chunk id: for the rare query whose last place is shared by many.
struct BestByScoreAndId {
    top_k: usize,
    floor: Score,
}

struct SegmentBest {
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
