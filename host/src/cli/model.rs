//! `knowhost model`: models that answer, embed and rerank.

use super::EXIT_DONE;
use super::arguments::{AddModel, Model, ModelKind};
use super::client::{Client, list as items, text};
use super::output::Output;
use crate::config::Settings;
use crate::plugin::{BroughtModel, PluginsConfig, brought_models};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

pub(super) async fn run(settings: Settings, command: Model, output: &Output) -> Result<u8> {
    let config = super::models::plugins_config(&settings);
    let client = Client::connect(settings).await?;
    let code = match command {
        Model::List => list(&client, output).await,
        Model::Add(model) => add(&client, &config, model, output).await,
        Model::Delete { name } => delete(&client, &name, output).await,
    };
    client.close().await?;
    code
}

async fn list(client: &Client, output: &Output) -> Result<u8> {
    let mut rows = Vec::new();
    for model in items(&client.get("/models?builtin=true").await?)? {
        output.value(&json!({
            "id": model["id"], "name": model["name"], "type": model["type"], "source": model["source"],
            "is_default": model["is_default"], "status": model["status"],
        }));
        let default = if model["is_default"] == true { "default" } else { "" };
        rows.push(
            ["type", "name", "source", "status"]
                .iter()
                .map(|key| text(&model, key).to_owned())
                .chain([default.to_owned(), text(&model, "id").to_owned()])
                .collect(),
        );
    }
    output.table(&["TYPE", "NAME", "SOURCE", "STATUS", "DEFAULT", "ID"], &rows);
    Ok(EXIT_DONE)
}

async fn add(client: &Client, config: &PluginsConfig, model: AddModel, output: &Output) -> Result<u8> {
    let key = match &model.key_file {
        Some(path) => {
            std::fs::read_to_string(path).with_context(|| format!("the key file {} can not be read", path.display()))?.trim().to_owned()
        }
        None => String::new(),
    };
    if model.key_file.is_some() && key.is_empty() {
        bail!("the key file is empty");
    }
    let kind = model.kind.map_or("KnowledgeQA", ModelKind::word);
    let provider = &model.provider;
    let (source, name, kind, base_url) = match (&provider.ollama, &provider.openai, &provider.local) {
        (Some(name), _, _) => ("local".to_owned(), name.clone(), kind, String::new()),
        (None, Some(url), _) => ("remote".to_owned(), model.name.clone().unwrap_or_default(), kind, url.trim_end_matches('/').to_owned()),
        (None, None, Some(name)) => {
            let brought = find_brought(config, name, model.kind)?;
            (brought.plugin, brought.name, brought.model_type, String::new())
        }
        (None, None, None) => bail!("--ollama, --openai or --local is needed"),
    };
    let body = json!({
        "name": name, "type": kind, "source": source, "description": "", "is_default": !model.no_default,
        "parameters": { "base_url": base_url, "api_key": key },
    });
    let made: Value = client.post("/models", &body).await?["data"].take();
    output.line(format!("Added {name} ({kind}, {source}), id {}.", text(&made, "id")));
    if text(&made, "status") == "downloading" {
        output.line("It is being fetched; `knowhost model list` tells when it is there.");
    }
    if !model.no_default {
        output.line(match kind {
            "KnowledgeQA" => "It answers from now on, wherever a knowledge base or session names no other. Try: knowhost ask \"...\"",
            "Embedding" => "It embeds for new knowledge bases; one that holds documents keeps its model.",
            _ => "It reranks where a knowledge base or session names it.",
        });
    }
    output.value(&json!({ "id": made["id"], "name": name, "type": kind, "source": source }));
    Ok(EXIT_DONE)
}

/// The model of this name that a plugin brings, ready to be used.
fn find_brought(config: &PluginsConfig, name: &str, kind: Option<ModelKind>) -> Result<BroughtModel> {
    let mut models = brought_models(config)?;
    models.retain(|model| kind.is_none_or(|kind| kind.word() == model.model_type));
    let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
    let Some(model) = models.into_iter().find(|model| model.name == name) else {
        bail!("no plugin brings a model {name:?}; there are {}", names.join(", "));
    };
    match &model.lacking {
        Some(reason) => bail!("{reason}; run `{}` first", super::models::how_to_get(&model)),
        None => Ok(model),
    }
}

async fn delete(client: &Client, name: &str, output: &Output) -> Result<u8> {
    let found: Vec<Value> = items(&client.get("/models").await?)?
        .into_iter()
        .filter(|model| text(model, "name") == name || text(model, "id") == name)
        .collect();
    match found.as_slice() {
        [] => Err(anyhow!("no model of yours is called {name:?}; see `knowhost model list`")),
        [model] => {
            let id = text(model, "id");
            client.delete(&format!("/models/{id}")).await?;
            output.line(format!("Deleted {name}."));
            output.value(&json!({ "deleted": id }));
            Ok(EXIT_DONE)
        }
        several => Err(anyhow!("{} models are called {name:?}; use an id from `knowhost model list`", several.len())),
    }
}
