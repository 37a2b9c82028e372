//! Reranks with a small HTTP API: `POST {base_url}/rerank` with `{"model", "query", "documents"}` answers `{"results": [{"index", "score"}, ..]}`.

use knowhost_plugin_sdk::{Ctx, Error, Hit, Ranking, RerankRequest, Reranker, Result, export_plugin};
use serde_json::{Value, json};

struct Plugin;

impl Reranker for Plugin {
    async fn rerank(ctx: &Ctx, request: RerankRequest) -> Result<Ranking> {
        let body = json!({ "model": request.model.name, "query": request.query, "documents": request.texts });
        let url = request.model.url("", "rerank");
        // The host puts the key in, if the model row has one; the plugin never sees it.
        let mut asking = ctx.post(url).json(&body);
        if request.model.setting_bool("api_key_present") == Some(true) {
            asking = asking.bearer("api_key");
        }
        let answer: Value = asking.await?.accepted().await?.json().await?;
        let results = answer["results"].as_array().ok_or_else(|| Error::upstream("the answer holds no results"))?;
        let mut hits = Vec::new();
        for result in results {
            let index = result["index"].as_u64().ok_or_else(|| Error::upstream("a result has no index"))?;
            let score = result["score"].as_f64().ok_or_else(|| Error::upstream("a result has no score"))?;
            if index >= request.texts.len() as u64 || hits.iter().any(|hit: &Hit| u64::from(hit.index) == index) {
                return Err(Error::upstream(format!("the service ranked text {index} of {}", request.texts.len())));
            }
            hits.push(Hit { index: index as u32, relevance_score: score.clamp(0.0, 1.0) as f32 });
        }
        hits.sort_by(|left, right| right.relevance_score.total_cmp(&left.relevance_score));
        hits.truncate(request.top.map_or(usize::MAX, |top| top as usize));
        Ok(Ranking { hits, usage: None })
    }
}

export_plugin!(Plugin: reranker);

#[cfg(test)]
mod tests {
    use super::*;
    use knowhost_plugin_sdk::Model;
    use knowhost_plugin_sdk::testing::{Exchange, same_at_every_cut};

    #[test]
    fn recorded_call_gives_the_best_first() {
        let script = Exchange::recorded(include_str!("../exchanges/rerank.json"));
        let ranking = same_at_every_cut(&script, |host| {
            let model = Model { name: "small".into(), base_url: "http://127.0.0.1:8090".into(), settings: vec![] };
            let texts = vec!["Tea is green.".into(), "The ferry leaves at seven.".into()];
            host.rerank::<Plugin>(RerankRequest { model, query: "When does the ferry leave?".into(), texts, top: None })
        });
        let order: Vec<u32> = ranking.expect("an answer").hits.iter().map(|hit| hit.index).collect();
        assert_eq!(order, [1, 0]);
    }
}
