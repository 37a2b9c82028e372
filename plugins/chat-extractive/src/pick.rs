//! Which sentences answer: the weight of the question's words in them, the rank of their source, their place in it.
//!
//! Not here: cutting sentences, wording the answer.

use crate::sentences::sentences;
use knowhost_plugin_sdk::Source;
use knowhost_plugin_sdk::text::{Term, TermKind, is_chinese, terms};
use std::collections::{BTreeMap, BTreeSet};

const QUOTES_MAX: usize = 4;
/// A sentence that holds less of the question's weight does not answer it.
const SCORE_MIN: f32 = 0.28;
/// Sentences far behind the best only dilute it.
const SHARE_OF_BEST_MIN: f32 = 0.6;
/// A sentence that alone holds so much of the question is quoted although others hold more.
const NEWS_MIN: f32 = 0.15;
/// What a word counts that stands in the title or elsewhere in the source, not in the sentence.
const CONTEXT_SHARE: f32 = 0.35;
/// The part of the question's weight that has to be in the sentence itself.
const OWN_MIN: f32 = 0.15;
/// Sentences quoted from the best source when words can not be compared.
const LEADING: usize = 2;
const SOURCES_MAX: usize = 50;
/// Rows of tables and broken lines hold the words of a question more often than its answer.
const FRAGMENT_SHARE: f32 = 0.5;
/// What a word counts that stands in the heading above the sentence.
const HEADING_SHARE: f32 = 0.6;
/// A line without an end that has more words is no heading.
const HEADING_TERMS_MAX: usize = 10;
/// How far down a source of another language may stand to be quoted when no words fit.
const FOREIGN_RANK_MAX: usize = 3;

/// A sentence and the place of its source in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) source: usize,
    pub(crate) text: String,
}

struct Sentence {
    source: usize,
    place: usize,
    text: String,
    terms: BTreeSet<String>,
    /// Of the heading above it.
    heading: BTreeSet<String>,
    is_fragment: bool,
}

/// The sentences to quote, best first; none when nothing fits.
pub(crate) fn quotes(question: &str, sources: &[Source]) -> Vec<Quote> {
    let sources = &sources[..sources.len().min(SOURCES_MAX)];
    let asked = asked(question);
    if asked.is_empty() || sources.is_empty() {
        return vec![];
    }
    let sentences = all_sentences(sources);
    let found = best(&asked, sources, &sentences);
    if !found.is_empty() {
        return found;
    }
    let question_is_chinese = is_chinese(question);
    let is_foreign = |source: &Source| is_chinese(&source.text) != question_is_chinese;
    match sources.iter().take(FOREIGN_RANK_MAX).position(is_foreign) {
        Some(source) => leading(source, &sentences),
        None => vec![],
    }
}

/// The words of the question that say something, each once.
fn asked(question: &str) -> Vec<Term> {
    let all = terms(question);
    let only_stops = all.iter().all(|term| term.is_stop);
    let mut seen = BTreeSet::new();
    all.into_iter().filter(|term| (only_stops || !term.is_stop) && seen.insert(term.text.clone())).take(200).collect()
}

fn all_sentences(sources: &[Source]) -> Vec<Sentence> {
    let mut seen = BTreeSet::new();
    let mut found: Vec<Sentence> = Vec::new();
    for (source, content) in sources.iter().enumerate() {
        let texts = sentences(&content.text);
        // A source of headings alone has nothing else to quote.
        let has_whole = texts.iter().any(|text| is_whole(text));
        let mut heading = BTreeSet::new();
        for (place, text) in texts.into_iter().enumerate() {
            // Neighbouring chunks overlap; a sentence belongs to the first that has it.
            if !seen.insert(text.clone()) {
                continue;
            }
            let terms: Vec<Term> = terms(&text);
            let is_fragment = !is_whole(&text);
            let is_heading = is_fragment && has_whole && terms.len() <= HEADING_TERMS_MAX && !text.contains('|');
            let terms = terms.into_iter().map(|term| term.text).collect();
            if is_heading {
                heading = terms;
            } else {
                found.push(Sentence { source, place, text, terms, heading: heading.clone(), is_fragment });
            }
        }
    }
    found
}

fn is_whole(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '。', '！', '？', '；', '…', '"', '”', ')', '）', ';', ':'])
}

#[expect(clippy::cast_precision_loss, reason = "counts of sentences are small")]
fn best(asked: &[Term], sources: &[Source], sentences: &[Sentence]) -> Vec<Quote> {
    let count = sentences.len() as f32;
    let weight = |term: &Term| {
        let holding = sentences.iter().filter(|sentence| sentence.terms.contains(&term.text)).count() as f32;
        // A word that stands nowhere may be a way of asking; it counts, but not for much.
        if holding == 0.0 { 0.8 } else { (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln().clamp(0.3, 3.0) }
    };
    let weights: Vec<f32> = asked.iter().map(weight).collect();
    let total: f32 = weights.iter().sum();
    let contexts = contexts(sources, sentences);
    let score = |sentence: &Sentence| {
        let (mut own, mut context) = (0.0, 0.0);
        for (term, weight) in asked.iter().zip(&weights) {
            if sentence.terms.contains(&term.text) {
                own += weight;
            } else if sentence.heading.contains(&term.text) {
                own += weight * HEADING_SHARE;
            } else if contexts.get(&sentence.source).is_some_and(|terms| terms.contains(&term.text)) {
                context += weight * CONTEXT_SHARE;
            }
        }
        if own / total < OWN_MIN {
            return 0.0;
        }
        let lacks_number = asked.iter().any(|term| term.kind == TermKind::Number && !sentence.terms.contains(&term.text));
        let rank = 1.0 - 0.15 * (sentence.source as f32 / sources.len() as f32);
        let place = if sentence.place == 0 { 1.03 } else { 1.0 };
        let whole = if sentence.is_fragment { FRAGMENT_SHARE } else { 1.0 };
        let number = if lacks_number { 0.7 } else { 1.0 };
        (own + context) / total * rank * place * whole * number
    };
    let scored: Vec<(f32, &Sentence)> = sentences.iter().map(|sentence| (score(sentence), sentence)).collect();
    let top = scored.iter().map(|(score, _)| *score).fold(0.0, f32::max);
    if top < SCORE_MIN {
        return vec![];
    }
    let weighed: Vec<(&str, f32)> = asked.iter().map(|term| term.text.as_str()).zip(weights.iter().map(|weight| weight / total)).collect();
    choose(scored, &weighed, SCORE_MIN.max(top * SHARE_OF_BEST_MIN))
}

/// One after the other: what scores well, and above all what says something that was asked and not yet said.
fn choose(mut scored: Vec<(f32, &Sentence)>, asked: &[(&str, f32)], score_min: f32) -> Vec<Quote> {
    let mut said: BTreeSet<&str> = BTreeSet::new();
    let mut chosen = Vec::new();
    while chosen.len() < QUOTES_MAX {
        let news = |sentence: &Sentence| -> f32 {
            asked.iter().filter(|(term, _)| sentence.terms.contains(*term) && !said.contains(term)).map(|(_, share)| share).sum()
        };
        let is_good = |score: f32, sentence: &Sentence| score >= score_min || (score >= SCORE_MIN && news(sentence) >= NEWS_MIN);
        let best = scored
            .iter()
            .enumerate()
            .filter(|(_, (score, sentence))| is_good(*score, sentence))
            .max_by(|(a, (left, first)), (b, (right, second))| (left + news(first)).total_cmp(&(right + news(second))).then(b.cmp(a)))
            .map(|(index, _)| index);
        let Some(index) = best else { break };
        let (_, sentence) = scored.remove(index);
        said.extend(asked.iter().map(|(term, _)| *term).filter(|term| sentence.terms.contains(*term)));
        chosen.push(Quote { source: sentence.source, text: sentence.text.clone() });
    }
    chosen
}

/// The words of each source's title and text.
fn contexts(sources: &[Source], sentences: &[Sentence]) -> BTreeMap<usize, BTreeSet<String>> {
    let mut contexts: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        contexts.insert(index, terms(&source.title).into_iter().map(|term| term.text).collect());
    }
    for sentence in sentences {
        contexts.entry(sentence.source).or_default().extend(sentence.terms.iter().cloned());
    }
    contexts
}

/// What a source begins with, headings left out where it has anything else.
fn leading(source: usize, sentences: &[Sentence]) -> Vec<Quote> {
    let quote = |sentence: &Sentence| Quote { source, text: sentence.text.clone() };
    let of_source = || sentences.iter().filter(|sentence| sentence.source == source);
    let whole: Vec<Quote> = of_source().filter(|sentence| !sentence.is_fragment).take(LEADING).map(quote).collect();
    if whole.is_empty() { of_source().take(LEADING).map(quote).collect() } else { whole }
}
