//! Tells which models a small HTTP API has: `GET {base_url}/models` answers `{"models": [{"name", "size"}, ..]}`.

use knowhost_plugin_sdk::{Catalogue, CatalogueCtx, Entry, Error, Model, Result, export_plugin};
use serde_json::Value;

struct Plugin;

async fn list(ctx: &CatalogueCtx, model: &Model) -> Result<Vec<Entry>> {
    let answer: Value = ctx.get(model.url("", "models")).await?.accepted().await?.json().await?;
    let models = answer["models"].as_array().ok_or_else(|| Error::upstream("the answer holds no models"))?;
    let entry = |model: &Value| {
        let name = model["name"].as_str().ok_or_else(|| Error::upstream("a model has no name"))?;
        let size_bytes = model["size"].as_u64().unwrap_or_default();
        Ok(Entry { name: name.to_owned(), size_bytes, digest: String::new(), modified_at: String::new() })
    };
    models.iter().map(entry).collect()
}

/// What the API can not do, such as fetching a model, stays `unsupported`.
impl Catalogue for Plugin {
    async fn models(ctx: &CatalogueCtx, model: Model) -> Result<Vec<Entry>> {
        list(ctx, &model).await
    }

    async fn check(ctx: &CatalogueCtx, model: Model) -> Result<bool> {
        Ok(list(ctx, &model).await?.iter().any(|entry| entry.name == model.name))
    }
}

export_plugin!(Plugin: catalogue);

#[cfg(test)]
mod tests {
    use super::*;
    use knowhost_plugin_sdk::testing::{Exchange, same_at_every_cut};
    use knowhost_plugin_sdk::{CatalogueQuery, CatalogueReply, CatalogueRequest};

    #[test]
    fn recorded_call_lists_the_models() {
        let script = Exchange::recorded(include_str!("../exchanges/models.json"));
        let reply = same_at_every_cut(&script, |host| {
            let model = Model { name: String::new(), base_url: "http://127.0.0.1:8090".into(), settings: vec![] };
            host.catalogue::<Plugin>(CatalogueRequest { model, query: CatalogueQuery::Models }).result()
        });
        let Ok(CatalogueReply::Models(entries)) = reply else { panic!("no list: {reply:?}") };
        assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["small", "large"]);
    }
}
