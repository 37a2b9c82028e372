//! Makes a recording: one real call with everything that went over the network.
//!
//! Not here: its format (`recording`).

use super::answer::{Performed, result_json};
use super::recording::{Content, Recording};
use super::request::{CallRequest, ModelSpec};
use super::workbench::{How, Workbench};
use anyhow::bail;
use std::time::Duration;

/// Also a refusal is worth recording: the plugin should tell it well.
pub async fn record(bench: &Workbench, model: &ModelSpec, request: &CallRequest, time: Duration) -> anyhow::Result<(Recording, Performed)> {
    bench.tape.record();
    let performed = bench.perform(model, request, How::within(time)).await;
    let exchanges = bench.tape.taken();
    let recording = Recording { model: model.clone(), request: request.clone(), exchanges, result: result_json(&performed.result) };
    // Values are taken out as they come by; one that was cut in two by the network would pass.
    let said: String = recording.exchanges.iter().flat_map(|exchange| &exchange.chunks).map(text).collect();
    let written = recording.to_text()? + &said;
    for (name, value) in &model.secret_values {
        if !value.is_empty() && written.contains(value.as_str()) {
            bail!("the secret {name} came back from the service and would stand in the recording; nothing was written");
        }
    }
    Ok((recording, performed))
}

fn text(content: &Content) -> String {
    content.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
