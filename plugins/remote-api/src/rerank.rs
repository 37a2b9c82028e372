//! Rerank in two forms: the common `/rerank`, and Aliyun's.
//!
//! Not here: batches of documents, thresholds.

use crate::failure;
use crate::service::{Call, DEFAULT_BASE_URL, model_name};
use knowhost_plugin_sdk::{Ctx, Error, Hit, Ranking, RerankRequest, Result, Usage};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const ALIYUN: &str = "https://dashscope.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank";
const TRUNCATE_TOKENS: u32 = 511;

#[derive(Deserialize)]
struct Scored {
    index: usize,
    relevance_score: Option<f32>,
    score: Option<f32>,
}

pub(crate) async fn rerank(ctx: &Ctx, request: RerankRequest) -> Result<Ranking> {
    if request.texts.is_empty() {
        return Ok(Ranking { hits: vec![], usage: None });
    }
    let model = &request.model;
    let is_aliyun = model.base_url.contains(ALIYUN);
    let name = model_name(model)?;
    let (url, body) = if is_aliyun { (model.base_url.trim().to_owned(), aliyun(name, &request)) } else { common(name, &request) };
    let optional = &["additional_data", "truncate_prompt_tokens"];
    let mut call = Call { model, url, body, optional, streamed: false, timeout_ms: None };
    let mut body = call.send(ctx).await??;
    let value: Value = body.json().await?;
    let results = value.pointer(if is_aliyun { "/output/results" } else { "/results" });
    let Some(results) = results else {
        let other = || Error::upstream("the service sent a ranking of another form");
        return Err(failure::error_in(&value).unwrap_or_else(other));
    };
    let results = Vec::<Scored>::deserialize(results)
        .map_err(|error| Error::upstream(format!("the service sent a ranking of another form: {error}")))?;
    let usage = value.pointer("/usage/total_tokens").and_then(Value::as_u64).and_then(|tokens| u32::try_from(tokens).ok());
    let usage = usage.map(|input_tokens| Usage { input_tokens, output_tokens: 0 });
    Ok(Ranking { hits: hits(results, &request)?, usage })
}

fn common(model: Value, request: &RerankRequest) -> (String, Map<String, Value>) {
    let mut body = Map::new();
    body.insert("model".into(), model);
    body.insert("query".into(), request.query.clone().into());
    body.insert("documents".into(), request.texts.clone().into());
    body.insert("additional_data".into(), Value::Null);
    body.insert("truncate_prompt_tokens".into(), TRUNCATE_TOKENS.into());
    (request.model.url(DEFAULT_BASE_URL, "rerank"), body)
}

fn aliyun(model: Value, request: &RerankRequest) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("model".into(), model);
    body.insert("input".into(), json!({ "query": request.query, "documents": request.texts }));
    body.insert("parameters".into(), json!({ "return_documents": true, "top_n": request.texts.len() }));
    body
}

/// Scores in [0, 1], best first. A model that answers with logits is bent into that range, in the same order.
fn hits(results: Vec<Scored>, request: &RerankRequest) -> Result<Vec<Hit>> {
    let mut seen = vec![false; request.texts.len()];
    let mut hits = Vec::with_capacity(results.len());
    for result in results {
        match seen.get_mut(result.index) {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return Err(Error::upstream(format!("the service ranked text {} twice", result.index))),
            None => return Err(Error::upstream(format!("the service ranked text {} of {}", result.index, request.texts.len()))),
        }
        let score = result.relevance_score.or(result.score).unwrap_or(0.0);
        if !score.is_finite() {
            return Err(Error::upstream("the service sent a score that is not finite"));
        }
        hits.push(Hit { index: u32::try_from(result.index).unwrap_or(u32::MAX), relevance_score: score });
    }
    if hits.iter().any(|hit| !(0.0..=1.0).contains(&hit.relevance_score)) {
        for hit in &mut hits {
            hit.relevance_score = 1.0 / (1.0 + (-hit.relevance_score).exp());
        }
    }
    hits.sort_by(|a, b| b.relevance_score.total_cmp(&a.relevance_score).then(a.index.cmp(&b.index)));
    hits.truncate(request.top.map_or(usize::MAX, |top| top as usize));
    Ok(hits)
}
