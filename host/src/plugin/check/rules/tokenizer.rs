//! What tokenizers have to keep: words on character borders, in order, the same alone and in company, and none left out.
//!
//! Not here: what all kinds have to keep (`common`).

use super::super::answer::CallAnswer;
use super::super::request::{CallRequest, ModeName, TokenizeCall};
use super::Check;
use super::samples::{Sample, TEXTS};

type Spans = Vec<Vec<(usize, usize)>>;

impl Check<'_> {
    pub(super) async fn tokenizer(&mut self, sample: &Sample) {
        let subject = sample.subject.clone();
        let outcome = self.spans(sample).await;
        self.report.judge("spans", &subject, outcome);
        let outcome = self.tokenizer_batch(sample).await;
        self.report.judge("batch", &subject, outcome);
        let outcome = self.findable(sample).await;
        self.report.judge("quality", &subject, outcome);
    }

    async fn words(&self, sample: &Sample, texts: &[&str], mode: ModeName) -> Result<Spans, String> {
        let request = CallRequest::Tokenizer(TokenizeCall { texts: texts.iter().map(|text| (*text).to_owned()).collect(), mode });
        match self.perform(sample, &request).await.result {
            Ok(CallAnswer::Words { counts, spans }) => cut_up(texts, &counts, &spans),
            Ok(_) => Err("its answer is none of a tokenizer".into()),
            Err(error) => Err(error.message),
        }
    }

    async fn spans(&self, sample: &Sample) -> Result<String, String> {
        let odd = ["", "e\u{301}a 👩‍🔬 한국어 ไทย", "\u{0}\u{feff}", "naïve 𠮷野家"];
        let mut words = 0;
        for mode in [ModeName::Index, ModeName::Query] {
            for texts in [&TEXTS[..], &odd] {
                words += self.words(sample, texts, mode).await?.iter().map(Vec::len).sum::<usize>();
            }
        }
        Ok(format!("{words} words"))
    }

    async fn tokenizer_batch(&self, sample: &Sample) -> Result<String, String> {
        let together = self.words(sample, &TEXTS, ModeName::Index).await?;
        for (text, words) in TEXTS.iter().zip(&together) {
            if self.words(sample, &[text], ModeName::Index).await?.first() != Some(words) {
                return Err(format!("{text:?} alone has other words than among {} texts", TEXTS.len()));
            }
        }
        Ok(format!("{} texts", TEXTS.len()))
    }

    /// A word that is looked for must be one that a chunk can be found by.
    async fn findable(&self, sample: &Sample) -> Result<String, String> {
        let index = self.words(sample, &TEXTS, ModeName::Index).await?;
        let query = self.words(sample, &TEXTS, ModeName::Query).await?;
        for ((text, indexed), asked) in TEXTS.iter().zip(&index).zip(&query) {
            if indexed.is_empty() || asked.is_empty() {
                return Err(format!("{text:?} has no words"));
            }
            let known = |(start, end): &(usize, usize)| indexed.iter().any(|(from, to)| text[*from..*to] == text[*start..*end]);
            if let Some((start, end)) = asked.iter().find(|span| !known(span)) {
                let word = &text[*start..*end];
                return Err(format!("{word:?} is a word of the query, but no word that the same text is found by"));
            }
        }
        Ok("every word of a query finds the text that it came from".into())
    }
}

/// Checked against their texts, because every offset goes into an index.
fn cut_up(texts: &[&str], counts: &[u32], spans: &[u32]) -> Result<Spans, String> {
    if counts.len() != texts.len() {
        return Err(format!("words for {} texts of {}", counts.len(), texts.len()));
    }
    let words: usize = counts.iter().map(|count| *count as usize).sum();
    if words * 2 != spans.len() {
        return Err(format!("{} offsets for {words} words", spans.len()));
    }
    let mut pairs = spans.chunks_exact(2);
    let mut all = Spans::new();
    for (text, count) in texts.iter().zip(counts) {
        let mut before = 0;
        let mut of_text = Vec::new();
        for pair in pairs.by_ref().take(*count as usize) {
            let (start, end) = (pair[0] as usize, pair[1] as usize);
            if start >= end || end > text.len() {
                return Err(format!("the word {start}..{end} of a text of {} bytes", text.len()));
            }
            if !text.is_char_boundary(start) || !text.is_char_boundary(end) {
                return Err(format!("the word {start}..{end} of {text:?} ends inside a character"));
            }
            if start < before {
                return Err(format!("the word {start}..{end} comes after one that begins at {before}"));
            }
            before = start;
            of_text.push((start, end));
        }
        all.push(of_text);
    }
    Ok(all)
}
