//! The server's version and models; fetching and removing them.
//!
//! Not here: tasks that outlive a call. The host keeps those.

use crate::server;
use knowhost_plugin_sdk::{CatalogueCtx, Entry, Error, Model, Progress, Result};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Twelve hours: a model of many gigabytes over a slow line.
const PULL_MS: u32 = 12 * 3_600_000;

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Tags {
    models: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    modified_at: String,
}

#[derive(Deserialize)]
struct PullLine {
    #[serde(default)]
    status: String,
    digest: Option<String>,
    total: Option<u64>,
    completed: Option<u64>,
    error: Option<String>,
}

pub(crate) async fn status(ctx: &CatalogueCtx, model: &Model) -> Result<String> {
    let mut body = server::accepted(server::request(ctx, model, "GET", "api/version").await?).await?;
    Ok(body.json::<Version>().await?.version)
}

pub(crate) async fn models(ctx: &CatalogueCtx, model: &Model) -> Result<Vec<Entry>> {
    let mut body = server::accepted(server::request(ctx, model, "GET", "api/tags").await?).await?;
    let tags = body.json::<Tags>().await?.models.unwrap_or_default();
    let entry = |tag: Tag| Entry { name: tag.name, size_bytes: tag.size, digest: tag.digest, modified_at: tag.modified_at };
    Ok(tags.into_iter().map(entry).collect())
}

pub(crate) async fn check(ctx: &CatalogueCtx, model: &Model) -> Result<bool> {
    let name = full_name(server::model_name(model)?);
    Ok(models(ctx, model).await?.iter().any(|entry| full_name(&entry.name) == name))
}

/// A name without a tag means its latest; the tag stands behind the last slash, as a registry's port stands before it.
fn full_name(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

pub(crate) async fn pull(ctx: &CatalogueCtx, model: &Model) -> Result<()> {
    let name = server::model_name(model)?;
    let request =
        server::request(ctx, model, "POST", "api/pull").json(&json!({ "name": name, "model": name, "stream": true })).timeout_ms(PULL_MS);
    let mut lines = server::accepted(request.await?).await?.lines();
    let mut layers: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut complete = false;
    while let Some(line) = lines.next_json::<PullLine>().await? {
        // The server has sent its 200 by the time it finds out.
        if let Some(error) = line.error {
            return Err(server::broken_off(&error));
        }
        if let Some(digest) = line.digest {
            let layer = layers.entry(digest).or_default();
            layer.0 = layer.0.max(line.completed.unwrap_or(0));
            layer.1 = layer.1.max(line.total.unwrap_or(0));
        }
        complete = line.status == "success";
        // The sum over all layers, so that a new layer does not begin at nothing again.
        let completed_bytes = layers.values().map(|layer| layer.0).sum();
        let total_bytes = layers.values().map(|layer| layer.1).sum();
        ctx.emit(Progress { status: line.status, completed_bytes, total_bytes });
    }
    if complete { Ok(()) } else { Err(Error::upstream("Ollama ended the download before it was complete")) }
}

pub(crate) async fn remove(ctx: &CatalogueCtx, model: &Model) -> Result<()> {
    let name = server::model_name(model)?;
    let request = server::request(ctx, model, "DELETE", "api/delete").json(&json!({ "name": name, "model": name }));
    server::accepted(request.await?).await?;
    Ok(())
}
