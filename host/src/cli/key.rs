//! `knowhost key`: the API key again.

use super::EXIT_DONE;
use super::client::Client;
use super::output::Output;
use crate::config::Settings;
use anyhow::Result;
use serde_json::json;

pub(super) async fn run(settings: Settings, output: &Output) -> Result<u8> {
    let client = Client::connect(settings).await?;
    output.line(client.api_key());
    output.value(&json!({ "api_key": client.api_key() }));
    client.close().await?;
    Ok(EXIT_DONE)
}
