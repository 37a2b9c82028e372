//! What rerankers have to keep: scores between 0 and 1, best first, each text judged on its own, and some sense.
//!
//! Not here: what all kinds have to keep (`common`).

use super::super::answer::CallAnswer;
use super::super::quality::{self, Language};
use super::super::report::Verdict;
use super::super::request::{CallRequest, RerankCall};
use super::Check;
use super::samples::Sample;

/// Between the same text in two lists.
const BATCH_TOLERANCE: f32 = 1e-4;

impl Check<'_> {
    pub(super) async fn reranker(&mut self, sample: &Sample) {
        let CallRequest::Reranker(call) = &sample.request else { return };
        let subject = sample.subject.clone();
        let Some(CallAnswer::Ranking { hits, .. }) = sample.answer() else { return };
        self.report.judge("scores", &subject, scores(hits));
        let mut outcome = ranking(hits, call.texts.len(), call.top);
        if outcome.is_ok() && sample.is_free() {
            outcome = self.top(sample, call).await;
        }
        self.report.judge("ranking", &subject, outcome);
        if sample.is_free() {
            let outcome = self.reranker_batch(sample, call).await;
            self.report.judge("batch", &subject, outcome);
        } else {
            self.report.add("batch", &subject, Verdict::Skip, "only the recorded call is answered");
        }
        self.reranker_quality(sample).await;
    }

    async fn hits(&self, sample: &Sample, query: &str, texts: Vec<String>, top: Option<u32>) -> Result<Vec<(u32, f32)>, String> {
        let request = CallRequest::Reranker(RerankCall { query: query.to_owned(), texts, top });
        match self.perform(sample, &request).await.result {
            Ok(CallAnswer::Ranking { hits, .. }) => Ok(hits),
            Ok(_) => Err("its answer is none of a reranker".into()),
            Err(error) => Err(error.message),
        }
    }

    async fn top(&self, sample: &Sample, call: &RerankCall) -> Result<String, String> {
        let hits = self.hits(sample, &call.query, call.texts.clone(), Some(2)).await?;
        ranking(&hits, call.texts.len(), Some(2))?;
        Ok(format!("{} texts in order; with top = 2 two of them", call.texts.len()))
    }

    /// The same texts the other way round have the same order; scores may look at the other texts, the order may not depend on places.
    async fn reranker_batch(&self, sample: &Sample, call: &RerankCall) -> Result<String, String> {
        let forth = self.hits(sample, &call.query, call.texts.clone(), None).await?;
        let reversed: Vec<String> = call.texts.iter().rev().cloned().collect();
        let back = self.hits(sample, &call.query, reversed, None).await?;
        let last = u32::try_from(call.texts.len().saturating_sub(1)).unwrap_or(u32::MAX);
        for (index, score) in &forth {
            let Some((_, other)) = back.iter().find(|(place, _)| last.saturating_sub(*place) == *index) else {
                return Err(format!("text {index} is missing when the texts come the other way round"));
            };
            if (score - other).abs() > BATCH_TOLERANCE {
                return Err(format!("text {index} has {score}, and {other} when the texts come the other way round"));
            }
        }
        Ok(format!("{} texts in both orders", call.texts.len()))
    }

    async fn reranker_quality(&mut self, sample: &Sample) {
        let mut all = Vec::new();
        for language in Language::ALL {
            let pairs = language.pairs();
            let mut found = 0;
            for (place, (question, _)) in pairs.iter().enumerate() {
                let passages = pairs.iter().map(|(_, passage)| (*passage).to_owned()).collect();
                match self.hits(sample, question, passages, None).await {
                    Ok(hits) => {
                        let best = hits.iter().max_by(|left, right| left.1.total_cmp(&right.1));
                        found += usize::from(best.is_some_and(|(index, _)| *index as usize == place));
                    }
                    Err(error) if sample.is_free() => return self.report.add("quality", &sample.subject, Verdict::Fail, error),
                    Err(_) => {
                        let text = "the set is not recorded: `knowhost plugin record --quality` does it";
                        return self.report.add("quality", &sample.subject, Verdict::Skip, text);
                    }
                }
            }
            all.push((language, found));
        }
        self.report.judge("quality", &sample.subject, quality::judge(&all));
    }
}

/// The calls of the quality set, for those whose service has to be recorded.
pub(super) fn quality_requests() -> Vec<CallRequest> {
    let of = |language: Language| {
        let pairs = language.pairs();
        let passages: Vec<String> = pairs.iter().map(|(_, passage)| (*passage).to_owned()).collect();
        let request = move |(question, _): (&str, &str)| {
            CallRequest::Reranker(RerankCall { query: question.to_owned(), texts: passages.clone(), top: None })
        };
        pairs.into_iter().map(request)
    };
    Language::ALL.into_iter().flat_map(of).collect()
}

fn scores(hits: &[(u32, f32)]) -> Result<String, String> {
    match hits.iter().find(|(_, score)| !(0.0..=1.0).contains(score)) {
        Some((index, score)) => Err(format!("text {index} has the score {score}")),
        None => {
            let (least, most) = hits.iter().fold((1.0_f32, 0.0_f32), |(least, most), (_, score)| (least.min(*score), most.max(*score)));
            Ok(format!("{least:.3} to {most:.3}"))
        }
    }
}

fn ranking(hits: &[(u32, f32)], texts: usize, top: Option<u32>) -> Result<String, String> {
    let wanted = top.map_or(texts, |top| texts.min(top as usize));
    if hits.len() > wanted {
        return Err(format!("{} hits, where {wanted} are wanted", hits.len()));
    }
    if top.is_none() && hits.len() < texts {
        return Err(format!("{} hits of {texts} texts, though no `top` was given", hits.len()));
    }
    let mut seen = vec![false; texts];
    for (index, _) in hits {
        match seen.get_mut(*index as usize) {
            None => return Err(format!("it ranked text {index} of {texts}")),
            Some(true) => return Err(format!("it ranked text {index} twice")),
            Some(first) => *first = true,
        }
    }
    match hits.windows(2).find(|pair| pair[0].1 < pair[1].1) {
        Some(pair) => Err(format!("text {} with {} stands before text {} with {}", pair[0].0, pair[0].1, pair[1].0, pair[1].1)),
        None => Ok(format!("{} texts in order", hits.len())),
    }
}
