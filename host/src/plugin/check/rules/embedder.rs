//! What embedders have to keep: rows of the promised length, finite numbers, the same alone and in company, and some sense.
//!
//! Not here: what all kinds have to keep (`common`).

use super::super::answer::{CallAnswer, Performed};
use super::super::quality::{self, Language};
use super::super::report::Verdict;
use super::super::request::{CallRequest, EmbedCall, Purpose};
use super::Check;
use super::samples::{Sample, TEXTS};
use knowhost_plugin_sdk::manifest::ModelKind;

/// Between a text alone and in company: other sums in another order, nothing more.
const BATCH_TOLERANCE: f32 = 1e-4;

type Rows = Vec<Vec<f32>>;

impl Check<'_> {
    pub(super) async fn embedder(&mut self, sample: &Sample) {
        let CallRequest::Embedder(call) = &sample.request else { return };
        let subject = sample.subject.clone();
        let Some(CallAnswer::Embeddings { dimension, data, .. }) = sample.answer() else {
            return;
        };
        let outcome = self.dimension(sample, call.texts.len(), *dimension, data.len());
        let is_whole = outcome.is_ok();
        self.report.judge("dimension", &subject, outcome);
        self.report.judge("numbers", &subject, numbers(*dimension, data));
        if !is_whole {
            return;
        }
        if sample.is_free() {
            let outcome = self.embedder_batch(sample).await;
            self.report.judge("batch", &subject, outcome);
        } else {
            self.report.add("batch", &subject, Verdict::Skip, "only the recorded call is answered");
        }
        self.embedder_quality(sample).await;
    }

    fn dimension(&self, sample: &Sample, texts: usize, dimension: u32, numbers: usize) -> Result<String, String> {
        if dimension == 0 || dimension as usize * texts != numbers {
            return Err(format!("{numbers} numbers for {texts} texts with rows of {dimension}"));
        }
        let promised = self.bench.plugin.models(ModelKind::Embedder).find(|model| model.name == sample.model.name);
        match promised.and_then(|model| model.dimension) {
            Some(promised) if promised != dimension => {
                Err(format!("its rows have {dimension} numbers, but the manifest says dimension = {promised}"))
            }
            Some(_) | None => Ok(format!("{texts} rows of {dimension}")),
        }
    }

    async fn embed(&self, sample: &Sample, texts: &[&str], purpose: Purpose) -> Result<Rows, String> {
        let mut rows = Rows::new();
        for batch in texts.chunks(self.texts_per_call(crate::limits::EMBED_BATCH_TEXTS)) {
            let texts = batch.iter().map(|text| (*text).to_owned()).collect();
            rows.extend(rows_of(self.perform(sample, &CallRequest::Embedder(EmbedCall { texts, purpose })).await)?);
        }
        Ok(rows)
    }

    async fn embedder_batch(&self, sample: &Sample) -> Result<String, String> {
        let mut widest = 0_f32;
        for purpose in [Purpose::Chunk, Purpose::Query] {
            let together = self.embed(sample, &TEXTS, purpose).await?;
            for (text, row) in TEXTS.iter().zip(&together) {
                let alone = self.embed(sample, &[text], purpose).await?;
                let alone = alone.first().ok_or("a text alone has no row")?;
                let scale = row.iter().fold(1e-12_f32, |most, number| most.max(number.abs()));
                let off = row.iter().zip(alone).fold(0_f32, |most, (left, right)| most.max((left - right).abs())) / scale;
                if alone.len() != row.len() || off > BATCH_TOLERANCE {
                    return Err(format!("{text:?} alone has another row than among {} texts (off by {off:.6})", TEXTS.len()));
                }
                widest = widest.max(off);
            }
        }
        Ok(format!("{} texts, off by at most {widest:.1e}", TEXTS.len()))
    }

    async fn embedder_quality(&mut self, sample: &Sample) {
        let mut hits = Vec::new();
        for language in Language::ALL {
            let pairs = language.pairs();
            let questions: Vec<&str> = pairs.iter().map(|(question, _)| *question).collect();
            let passages: Vec<&str> = pairs.iter().map(|(_, passage)| *passage).collect();
            let rows = match (self.embed(sample, &questions, Purpose::Query).await, self.embed(sample, &passages, Purpose::Chunk).await) {
                (Ok(questions), Ok(passages)) => (questions, passages),
                (Err(error), _) | (_, Err(error)) if sample.is_free() => {
                    return self.report.add("quality", &sample.subject, Verdict::Fail, error);
                }
                (Err(_), _) | (_, Err(_)) => {
                    let text = "the set is not recorded: `knowhost plugin record --quality` does it";
                    return self.report.add("quality", &sample.subject, Verdict::Skip, text);
                }
            };
            let is_found = |(place, question): (usize, &Vec<f32>)| {
                let scores: Vec<f32> = rows.1.iter().map(|passage| cosine(question, passage)).collect();
                quality::best(&scores) == Some(place)
            };
            let found = rows.0.iter().enumerate().filter(|pair| is_found(*pair)).count();
            hits.push((language, found));
        }
        self.report.judge("quality", &sample.subject, quality::judge(&hits));
    }
}

/// The calls of the quality set, for those whose service has to be recorded; `batch`: texts at once.
pub(super) fn quality_requests(batch: usize) -> Vec<CallRequest> {
    let mut requests = Vec::new();
    for language in Language::ALL {
        let pairs = language.pairs();
        for (purpose, texts) in [
            (Purpose::Query, pairs.iter().map(|(question, _)| (*question).to_owned()).collect::<Vec<_>>()),
            (Purpose::Chunk, pairs.iter().map(|(_, passage)| (*passage).to_owned()).collect()),
        ] {
            requests.extend(texts.chunks(batch.max(1)).map(|texts| CallRequest::Embedder(EmbedCall { texts: texts.to_vec(), purpose })));
        }
    }
    requests
}

fn rows_of(performed: Performed) -> Result<Rows, String> {
    match performed.result {
        Ok(CallAnswer::Embeddings { dimension, data, .. }) => Ok(data.chunks((dimension as usize).max(1)).map(<[f32]>::to_vec).collect()),
        Ok(_) => Err("its answer is none of an embedder".into()),
        Err(error) => Err(error.message),
    }
}

fn numbers(dimension: u32, data: &[f32]) -> Result<String, String> {
    if let Some(place) = data.iter().position(|number| !number.is_finite()) {
        return Err(format!("number {place} is {}", data[place]));
    }
    let empty = |row: &[f32]| row.iter().all(|number| *number == 0.0);
    match data.chunks((dimension as usize).max(1)).position(empty) {
        Some(row) => Err(format!("the row of text {row} is all zeros, though the text holds words")),
        None => Ok(format!("{} finite numbers", data.len())),
    }
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let lengths = (dot(left, left) * dot(right, right)).sqrt();
    if lengths > 0.0 { dot(left, right) / lengths } else { 0.0 }
}
