//! Embeds texts with a small HTTP API: `POST {base_url}/embed` with `{"model", "input"}` answers `{"vectors": [[..], ..]}`.

use knowhost_plugin_sdk::{Ctx, EmbedRequest, Embedder, Embeddings, Error, Purpose, Result, export_plugin};
use serde_json::{Value, json};

struct Plugin;

impl Embedder for Plugin {
    async fn embed(ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        let input_type = match request.purpose {
            Purpose::Chunk => "document",
            Purpose::Query => "query",
        };
        let body = json!({ "model": request.model.name, "input": request.texts, "input_type": input_type });
        let url = request.model.url("", "embed");
        // The host puts the key in, if the model row has one; the plugin never sees it.
        let mut asking = ctx.post(url).json(&body);
        if request.model.setting_bool("api_key_present") == Some(true) {
            asking = asking.bearer("api_key");
        }
        let answer: Value = asking.await?.accepted().await?.json().await?;
        let vectors = answer["vectors"].as_array().ok_or_else(|| Error::upstream("the answer holds no vectors"))?;
        if vectors.len() != request.texts.len() {
            return Err(Error::upstream(format!("{} vectors for {} texts", vectors.len(), request.texts.len())));
        }
        let mut data = Vec::new();
        let mut dimension = 0;
        for vector in vectors {
            let row = vector.as_array().ok_or_else(|| Error::upstream("a vector is no list"))?;
            if dimension != 0 && row.len() != dimension {
                return Err(Error::upstream("the vectors have different lengths"));
            }
            dimension = row.len();
            for number in row {
                data.push(number.as_f64().ok_or_else(|| Error::upstream("a vector holds something else than numbers"))? as f32);
            }
        }
        Ok(Embeddings { dimension: dimension as u32, data, usage: None })
    }
}

export_plugin!(Plugin: embedder);

#[cfg(test)]
mod tests {
    use super::*;
    use knowhost_plugin_sdk::Model;
    use knowhost_plugin_sdk::testing::{Exchange, same_at_every_cut};

    #[test]
    fn recorded_call_gives_its_rows() {
        let script = Exchange::recorded(include_str!("../exchanges/embed.json"));
        let rows = same_at_every_cut(&script, |host| {
            let model = Model { name: "small".into(), base_url: "http://127.0.0.1:8090".into(), settings: vec![] };
            let texts = vec!["The ferry leaves at seven.".into(), "员工享有年假。".into()];
            host.embed::<Plugin>(EmbedRequest { model, purpose: Purpose::Chunk, texts, dimensions: None })
        });
        let rows = rows.expect("an answer");
        assert_eq!((rows.dimension, rows.data), (4, vec![0.5, 0.5, 0.5, 0.5, 1.0, 0.0, 0.0, 0.0]));
    }
}
