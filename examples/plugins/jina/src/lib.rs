//! An embedder and a reranker that speak Jina's API.
//!
//! Not here: retries, and cutting long lists of texts; the host does the latter (`texts_per_call_max` in plugin.toml).

mod failure;
#[cfg(test)]
mod tests;

use knowhost_plugin_sdk::{
    Body, Ctx, EmbedRequest, Embedder, Embeddings, Error, Hit, Model, Purpose, Ranking, RerankRequest, Reranker, Result, Usage,
    export_plugin,
};
use serde::Deserialize;
use serde_json::{Value, json};

const SERVICE: &str = "https://api.jina.ai/v1";

struct Jina;

#[derive(Deserialize)]
struct EmbeddingsAnswer {
    data: Vec<Row>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct RankingAnswer {
    results: Vec<Scored>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Scored {
    index: usize,
    relevance_score: f32,
}

#[derive(Deserialize)]
struct Tokens {
    total_tokens: u32,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        Self { input_tokens: tokens.total_tokens, output_tokens: 0 }
    }
}

impl Embedder for Jina {
    async fn embed(ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        if request.texts.is_empty() {
            return Ok(Embeddings { dimension: request.dimensions.unwrap_or(0), data: vec![], usage: None });
        }
        let mut body = json!({ "model": request.model.name, "input": request.texts, "embedding_type": "float" });
        if request.model.setting_bool("tasks") != Some(false) {
            body["task"] = match request.purpose {
                Purpose::Chunk => "retrieval.passage".into(),
                Purpose::Query => "retrieval.query".into(),
            };
        }
        if let Some(dimensions) = request.dimensions {
            body["dimensions"] = dimensions.into();
        }
        let answer: EmbeddingsAnswer = send(ctx, &request.model, "embeddings", &body).await?.json().await?;
        let usage = answer.usage.map(Usage::from);
        let (dimension, data) = rows(answer.data, request.texts.len(), request.dimensions)?;
        Ok(Embeddings { dimension, data, usage })
    }
}

impl Reranker for Jina {
    async fn rerank(ctx: &Ctx, request: RerankRequest) -> Result<Ranking> {
        let count = request.texts.len();
        if count == 0 {
            return Ok(Ranking { hits: vec![], usage: None });
        }
        let top = request.top.map_or(count, |top| (top as usize).clamp(1, count));
        let body = json!({
            "model": request.model.name, "query": request.query, "documents": request.texts, "top_n": top, "return_documents": false,
        });
        let answer: RankingAnswer = send(ctx, &request.model, "rerank", &body).await?.json().await?;
        let mut seen = vec![false; count];
        let mut hits = Vec::with_capacity(answer.results.len());
        for Scored { index, relevance_score } in answer.results {
            match seen.get_mut(index) {
                Some(seen) if !*seen => *seen = true,
                Some(_) | None => return Err(Error::upstream(format!("the service ranked text {index} of {count}, or twice"))),
            }
            hits.push(Hit { index: u32::try_from(index).unwrap_or(u32::MAX), relevance_score: relevance_score.clamp(0.0, 1.0) });
        }
        hits.sort_by(|a, b| b.relevance_score.total_cmp(&a.relevance_score).then(a.index.cmp(&b.index)));
        hits.truncate(top);
        Ok(Ranking { hits, usage: answer.usage.map(Usage::from) })
    }
}

/// The response, if its status says success; else the error with the service's own words.
async fn send(ctx: &Ctx, model: &Model, path: &str, body: &Value) -> Result<Body> {
    let request = ctx.post(model.url(SERVICE, path)).header("Accept", "application/json").json(body);
    let mut body = request.bearer("api_key").await?;
    if body.is_success() { Ok(body) } else { Err(failure::read(&mut body).await) }
}

/// The rows in the order of the texts, flat.
fn rows(rows: Vec<Row>, count: usize, wanted: Option<u32>) -> Result<(u32, Vec<f32>)> {
    if rows.len() != count {
        return Err(Error::upstream(format!("the service sent {} embeddings for {count} texts", rows.len())));
    }
    let length = rows.first().map_or(0, |row| row.embedding.len());
    let dimension = u32::try_from(length).ok().filter(|dimension| *dimension > 0 && wanted.is_none_or(|wanted| wanted == *dimension));
    let Some(dimension) = dimension else {
        return Err(Error::upstream(format!("the service sent rows of {length} numbers")));
    };
    let mut places = vec![None; count];
    for Row { index, embedding } in rows {
        if embedding.len() != length || embedding.iter().any(|number| !number.is_finite()) {
            return Err(Error::upstream(format!("the service sent a row for text {index} that does not fit the others")));
        }
        match places.get_mut(index) {
            Some(place @ None) => *place = Some(embedding),
            Some(Some(_)) | None => return Err(Error::upstream(format!("the service embedded text {index} of {count}, or twice"))),
        }
    }
    Ok((dimension, places.into_iter().flatten().flatten().collect()))
}

export_plugin!(Jina: embedder, reranker);
