//! Keyword search with BM25 on tantivy.
//!
//! Not here: how texts become words (`normalise`), and vectors.
//!
//! There is one tantivy index for all knowledge bases, and the name of the space stands before every term. So the words of one knowledge base
//! have posting lists and document counts of their own: nothing has to be filtered, and a word in another tenant's base can not move a score.
//! One index for each knowledge base would give the same, at the price of a writer, a commit and a dozen open files for each.

use super::hits::{BestByScoreAndId, KeywordHit, chunk_column, chunk_key, rounded};
use super::statistics::{Counts, SpaceStatistics, Statistics, each_document};
use super::{IndexKey, limits};
use crate::provider::{IndexedChunk, ScoredChunk};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tantivy::collector::{Count, TopDocs};
use tantivy::indexer::IndexWriterOptions;
use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocSet, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term};

const FORMAT: u32 = 1;

/// Stands in tantivy's own commit record.
#[derive(Serialize, Deserialize)]
struct Payload {
    format: u32,
    key: IndexKey,
    sequence: i64,
}

#[derive(Clone, Copy)]
pub(super) struct Fields {
    /// Space and chunk id: what a delete names, and a column that gives the id of a hit.
    chunk: Field,
    knowledge: Field,
    pub space: Field,
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
        remove_unfinished(folder);
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

/// The engine writes its records under names of their own first; a kill leaves them, and nobody else would take them away.
fn remove_unfinished(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".tmp")
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, file = %entry.path().display(), "an unfinished file of the index stays on disk");
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kill_left_unfinished_is_removed_at_the_next_opening() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = IndexKey::new("db", "tokens");
        drop(Keywords::create(folder.path(), &key).expect("creates"));
        std::fs::write(folder.path().join(".tmpAbC123"), "half").expect("written");
        assert!(Keywords::open(folder.path(), &key).expect("opens").is_some());
        assert!(!folder.path().join(".tmpAbC123").exists() && folder.path().join("meta.json").exists());
    }
}
