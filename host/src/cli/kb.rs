//! `knowhost kb`: knowledge bases.

use super::arguments::Kb;
use super::client::{Client, text};
use super::output::Output;
use super::{EXIT_DONE, EXIT_FAILED};
use crate::config::Settings;
use anyhow::{Result, anyhow};
use serde_json::{Value, json};

pub(super) async fn run(settings: Settings, command: Kb, output: &Output) -> Result<u8> {
    let client = Client::connect(settings).await?;
    let code = match command {
        Kb::List => list(&client, output).await,
        Kb::Delete { name, yes } => delete(&client, &name, yes, output).await,
    };
    client.close().await?;
    code
}

async fn list(client: &Client, output: &Output) -> Result<u8> {
    let mut rows = Vec::new();
    for kb in client.knowledge_bases().await? {
        let documents = documents_count(client, text(&kb, "id")).await?;
        output.value(&json!({ "id": kb["id"], "name": kb["name"], "description": kb["description"], "documents": documents }));
        rows.push(vec![
            text(&kb, "name").to_owned(),
            documents.to_string(),
            text(&kb, "id").to_owned(),
            text(&kb, "description").to_owned(),
        ]);
    }
    if rows.is_empty() {
        output.line("There is no knowledge base yet; `knowhost import PATH --kb NAME` makes one.");
    } else {
        output.table(&["NAME", "DOCUMENTS", "ID", "DESCRIPTION"], &rows);
    }
    Ok(EXIT_DONE)
}

pub(super) async fn documents_count(client: &Client, id: &str) -> Result<u64> {
    Ok(client.get(&format!("/knowledge-bases/{id}/knowledge?page_size=1")).await?["total"].as_u64().unwrap_or_default())
}

async fn delete(client: &Client, name: &str, yes: bool, output: &Output) -> Result<u8> {
    let kb: Value =
        client.find_knowledge_base(name).await?.ok_or_else(|| anyhow!("no knowledge base is called {name:?}; see `knowhost kb list`"))?;
    let id = text(&kb, "id");
    let documents = documents_count(client, id).await?;
    if !yes && !output.confirm(&format!("Delete {:?} with {documents} documents?", text(&kb, "name"))) {
        output.warn("Nothing was deleted; --yes skips the question.");
        return Ok(EXIT_FAILED);
    }
    client.delete(&format!("/knowledge-bases/{id}")).await?;
    output.line(format!("Deleted {:?} with {documents} documents.", text(&kb, "name")));
    output.value(&json!({ "deleted": id, "documents": documents }));
    Ok(EXIT_DONE)
}
