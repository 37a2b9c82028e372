//! `knowhost index`: whether searches find what the database holds, and making the index anew.
//!
//! Not here: the work, which the server that runs does, or one that lives as long as the command.

use super::arguments::Index;
use super::client::{Client, text};
use super::output::Output;
use super::{EXIT_DONE, EXIT_FAILED};
use crate::app::folder;
use crate::config::Settings;
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(100);

pub(super) async fn run(settings: Settings, command: Index, output: &Output) -> Result<u8> {
    if folder::is_new(&settings.data_dir) {
        bail!("there is no database in {}; start Knowhost once, or name another folder with --data-dir", settings.data_dir.display());
    }
    let client = Client::connect_operator(settings).await?;
    let code = match command {
        Index::Verify { repair } => verify(&client, repair, output).await,
        Index::Rebuild => rebuild(&client, output).await,
    };
    client.close().await?;
    code
}

async fn verify(client: &Client, repair: bool, output: &Output) -> Result<u8> {
    let state = settled(client, None, output).await?;
    let found_at_start = &state["found_at_start"];
    if let Some(reason) = found_at_start.as_str() {
        let when = if client.is_remote() { "the server started" } else { "the folder was opened" };
        output.line(format!("Found when {when}: {reason}. It was rebuilt since."));
    }
    let mut found = compare(client, output).await?;
    let is_repaired = repair && found["is_good"] != true;
    if is_repaired {
        remake(client, output).await?;
        found = compare(client, output).await?;
    }
    let is_good = found["is_good"] == true;
    if !is_good && !repair {
        output.line("`knowhost index rebuild` makes the index anew, as `--repair` does.");
    }
    let mut value = found;
    value["found_at_start"] = found_at_start.clone();
    value["is_repaired"] = json!(is_repaired);
    output.value(&value);
    Ok(if is_good { EXIT_DONE } else { EXIT_FAILED })
}

async fn compare(client: &Client, output: &Output) -> Result<Value> {
    let found = client.post("/system/index/verify", &Value::Null).await?["data"].take();
    let count = |key: &str| found[key].as_u64().unwrap_or_default();
    if found["is_good"] == true {
        output.line(format!("The index is right: all {} chunks can be found.", count("chunks_in_database")));
        return Ok(found);
    }
    output.line(format!(
        "The index is wrong: beside {} chunks in the database {} entries are missing and {} are too many.",
        count("chunks_in_database"),
        count("missing_count"),
        count("surplus_count")
    ));
    for id in found["examples"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        output.line(format!("  {id}"));
    }
    Ok(found)
}

async fn rebuild(client: &Client, output: &Output) -> Result<u8> {
    let start = Instant::now();
    let state = remake(client, output).await?;
    let (bytes, seconds) = (state["size_bytes"].as_u64().unwrap_or_default(), start.elapsed().as_secs_f64());
    output.line(format!("The index was rebuilt in {seconds:.1} s; it takes {} KiB.", bytes.div_ceil(1024)));
    let mut found = compare(client, output).await?;
    let is_good = found["is_good"] == true;
    found["size_bytes"] = json!(bytes);
    found["seconds"] = json!(seconds);
    output.value(&found);
    Ok(if is_good { EXIT_DONE } else { EXIT_FAILED })
}

/// The state afterwards.
async fn remake(client: &Client, output: &Output) -> Result<Value> {
    let before = client.post("/system/index/rebuild", &Value::Null).await?["data"].take();
    settled(client, before["rebuilds_count"].as_u64(), output).await
}

/// Waits until no rebuild is under way and, where `rebuilds` is given, more than so many have ended.
async fn settled(client: &Client, rebuilds: Option<u64>, output: &Output) -> Result<Value> {
    let mut bar: Option<ProgressBar> = None;
    loop {
        let state = client.get("/system/index").await?["data"].take();
        let is_enough = rebuilds.is_none_or(|rebuilds| state["rebuilds_count"].as_u64().unwrap_or_default() > rebuilds);
        // A follower that has just started says that it follows before it begins the rebuild that is due.
        let is_due = state["found_at_start"].is_string() && state["rebuilds_count"] == 0;
        match text(&state, "state") {
            "failing" => bail!("the index can not be made: {}; the server tries again by itself", text(&state, "reason")),
            "rebuilding" => {
                let bar = bar.get_or_insert_with(|| output.bar(0, "Chunks indexed"));
                bar.set_length(state["total"].as_u64().unwrap_or_default());
                bar.set_position(state["done"].as_u64().unwrap_or_default());
            }
            _ if is_enough && !is_due => {
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                }
                return Ok(state);
            }
            _ => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}
