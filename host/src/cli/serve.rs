//! `knowhost`, `knowhost serve`: the server, until a signal ends it.

use super::output::Output;
use super::{EXIT_DONE, EXIT_FAILED};
use crate::app::{self, FirstStart, Running};
use crate::config::Settings;
use anyhow::Result;
use serde_json::json;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};

pub(super) async fn run(settings: Settings, output: &Output) -> Result<u8> {
    let started = Instant::now();
    app::init_log(&settings.log);
    if !settings.without_effect.is_empty() {
        output.warn(&format!("These settings have no effect here: {}.", settings.without_effect.join(", ")));
    }
    if app::shares_tokens(&settings) {
        output.warn(&format!("WARNING: {}", app::SHARED_SECRET));
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let running = app::start(settings).await?;
    greet(&running, started, output);
    let sample = async {
        match running.first_start() {
            FirstStart::No => std::future::pending().await,
            FirstStart::Empty => {
                invite(&running, None, output);
                std::future::pending().await
            }
            FirstStart::Sample { knowledge_base_id } => watch_sample(&running, knowledge_base_id, output).await,
        }
    };
    tokio::select! {
        () = sample => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    output.warn("Stopping: streams get a moment to end. A second signal ends at once.");
    tokio::select! {
        result = running.stop() => result.map(|()| EXIT_DONE),
        _ = interrupt.recv() => Ok(EXIT_FAILED),
        _ = terminate.recv() => Ok(EXIT_FAILED),
    }
}

fn greet(running: &Running, started: Instant, output: &Output) {
    output.line(format!("Knowhost {} is ready after {} ms.", env!("CARGO_PKG_VERSION"), started.elapsed().as_millis()));
    output.line(format!("  address  http://{}", running.address()));
    output.line(format!("  data     {}", running.data_dir().display()));
    output
        .value(&json!({ "address": running.address().to_string(), "data_dir": running.data_dir(), "version": env!("CARGO_PKG_VERSION") }));
    if matches!(running.first_start(), FirstStart::No) {
        output.line("  API key  shown by `knowhost key`");
    } else {
        output.line(format!("  API key  {}", running.api_key()));
        output.line(
            "\nThis tenant's models may stand on this machine (loopback) and at public https addresses; KNOWHOST_PRIVATE_HOSTS opens more.",
        );
    }
}

/// Shows the sample's documents becoming searchable, then how to ask. Never ends, so that only a signal does.
async fn watch_sample(running: &Running, knowledge_base_id: &str, output: &Output) {
    let total = running.sample_documents();
    output.line(format!("\nA sample knowledge base is being filled with {total} documents."));
    let bar = output.bar(total, "Sample documents");
    let counts = running.wait_for_documents(knowledge_base_id, |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    match counts {
        Ok(counts) if counts.failed == 0 => output.line(format!("All {} documents can be asked.", counts.completed)),
        Ok(counts) => {
            output.line(format!("{} documents can be asked, {} failed; `knowhost doctor` says why.", counts.completed, counts.failed))
        }
        Err(error) => output.warn(&format!("The sample could not be followed: {error:#}")),
    }
    match running.make_session(knowledge_base_id).await {
        Ok(session_id) => invite(running, Some(&session_id), output),
        Err(error) => output.warn(&format!("No session could be made: {error:#}")),
    }
    std::future::pending().await
}

fn invite(running: &Running, session_id: Option<&str>, output: &Output) {
    if let Some(session_id) = session_id {
        output.line("\nAsk something; the answer streams with its sources:\n");
        output.line(format!(
            "  curl -N http://{}/api/v1/knowledge-chat/{session_id} -H 'X-API-Key: {}' -d '{{\"query\":\"{}\"}}'",
            running.address(),
            running.api_key(),
            app::SAMPLE_QUESTION
        ));
        output.line(format!("  knowhost ask \"{}\"", app::SAMPLE_QUESTION));
    } else {
        output.line("\nTake in documents with `knowhost import PATH --kb NAME`, then `knowhost ask \"...\"`.");
    }
    output.line("\nThe built-in answerer only quotes sentences that it found. For generated answers, one line away:\n");
    output.line("  knowhost model add --ollama qwen3:8b");
    output.line("  knowhost model add --openai https://api.example.com/v1 --name MODEL --key-file key.txt\n");
}
