//! Embeddings: one request, rows counted and measured.
//!
//! Not here: batches. The host cuts long lists before they come here.

use crate::server;
use knowhost_plugin_sdk::{Ctx, EmbedRequest, Embeddings, Error, Result, Usage};
use serde::Deserialize;
use serde_json::json;

const DEFAULT_MODEL: &str = "nomic-embed-text";

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    embeddings: Vec<Vec<f32>>,
    prompt_eval_count: Option<u32>,
    error: Option<String>,
}

pub(crate) async fn embed(ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
    if request.texts.is_empty() {
        return Ok(Embeddings { dimension: request.dimensions.unwrap_or(0), data: vec![], usage: None });
    }
    let model = &request.model;
    let name = server::model_name(model).unwrap_or(DEFAULT_MODEL);
    let mut sent = json!({ "model": name, "input": request.texts });
    let wanted = request.dimensions.filter(|_| model.setting_bool("send_dimensions") == Some(true));
    if let Some(dimensions) = wanted {
        sent["dimensions"] = dimensions.into();
    }
    let mut body = server::accepted(server::request(ctx, model, "POST", "api/embed").json(&sent).await?).await?;
    let response: Response = body.json().await?;
    if let Some(error) = response.error {
        return Err(server::broken_off(&error));
    }
    let count = request.texts.len();
    if response.embeddings.len() != count {
        return Err(Error::upstream(format!("Ollama sent {} embeddings for {count} texts", response.embeddings.len())));
    }
    let length = response.embeddings.first().map_or(0, Vec::len);
    let Some(dimension) = u32::try_from(length).ok().filter(|dimension| *dimension > 0) else {
        return Err(Error::upstream("Ollama sent empty embeddings; is this an embedding model?"));
    };
    let mut data = Vec::with_capacity(count * length);
    for row in response.embeddings {
        if row.len() != length || !row.iter().all(|number| number.is_finite()) {
            return Err(Error::upstream(format!("Ollama sent a row that does not hold {length} finite numbers")));
        }
        data.extend(row);
    }
    let usage = response.prompt_eval_count.map(|input_tokens| Usage { input_tokens, output_tokens: 0 });
    Ok(Embeddings { dimension, data, usage })
}
