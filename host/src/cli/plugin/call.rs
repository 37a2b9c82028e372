//! `knowhost plugin run`, `record` and `bench`: real calls of one plugin file, without installing it.
//!
//! Not here: how a call is made (`plugin::check`). The plugin's grants hold as in the server; loopback is open, because this is the author's machine.

use super::super::output::Output;
use super::super::{EXIT_DONE, EXIT_FAILED};
use super::arguments::{Bench, KindName, ModelArguments, Record, Run};
use super::check::exchanges;
use crate::app;
use crate::config::{self, Settings};
use crate::limits;
use crate::plugin::check::{
    CallRequest, ModelSpec, Performed, PluginKind, Workbench, measure, quality_requests, record as record_call, result_json,
};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer answers are cut for people; `--json` shows all.
const SHOWN_CHARS_MAX: usize = 2_000;

pub(super) async fn run(settings: &Settings, command: &Run, output: &Output) -> Result<u8> {
    if command.log {
        app::init_log(&settings.log);
    }
    let (bench, kind) = open(settings, &command.model).await?;
    let (model, request) = (model(&bench, kind, &command.model)?, request(kind, &command.model)?);
    let performed = bench.run(&model, &request, limits::PLUGIN_TRY).await;
    tell(&performed, output);
    Ok(if performed.result.is_ok() { EXIT_DONE } else { EXIT_FAILED })
}

pub(super) async fn record(settings: &Settings, command: &Record, output: &Output) -> Result<u8> {
    let (bench, kind) = open(settings, &command.model).await?;
    let model = model(&bench, kind, &command.model)?;
    let name = if command.name.is_empty() { kind.name() } else { &command.name };
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
        bail!("{name:?} is no name of a recording; use letters, digits, - and _");
    }
    let calls: Vec<(String, CallRequest)> = if command.quality {
        let requests = quality_requests(&bench, kind);
        if requests.is_empty() {
            bail!("there is no quality set for a {}", kind.name());
        }
        requests.into_iter().enumerate().map(|(number, request)| (format!("{name}-quality-{:02}", number + 1), request)).collect()
    } else {
        vec![(name.to_owned(), request(kind, &command.model)?)]
    };
    let folder = exchanges(&command.model.file, command.exchanges.as_deref());
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make {}", folder.display()))?;
    for (name, request) in calls {
        let (recording, performed) = record_call(&bench, &model, &request, limits::PLUGIN_TRY).await?;
        tell(&performed, output);
        let file = folder.join(format!("{name}.json"));
        std::fs::write(&file, recording.to_text()?).with_context(|| format!("can not write {}", file.display()))?;
        output.line(format!("Recorded {} exchanges in {}.", recording.exchanges.len(), file.display()));
        output.value(&json!({ "recorded": file, "exchanges": recording.exchanges.len() }));
    }
    Ok(EXIT_DONE)
}

pub(super) async fn bench(settings: &Settings, command: &Bench, output: &Output) -> Result<u8> {
    let (bench, kind) = open(settings, &command.model).await?;
    let (model, request) = (model(&bench, kind, &command.model)?, request(kind, &command.model)?);
    let at_once = usize::try_from(command.at_once).unwrap_or(1);
    let measured = measure(&bench, &model, &request, Duration::from_secs(command.seconds), at_once).await?;
    let mib = measured.memory_bytes as f64 / f64::from(1 << 20);
    output.line(format!("{} ({}), {} at once", bench.label(), kind.name(), command.at_once));
    output.line(format!("  calls     {} in {} s, {:.0} a second", measured.calls, command.seconds, measured.calls_per_second));
    output.line(format!("  p50       {:.3} ms", measured.p50.as_secs_f64() * 1e3));
    output.line(format!("  p99       {:.3} ms", measured.p99.as_secs_f64() * 1e3));
    output.line(format!("  memory    {mib:.1} MiB in {} instances", measured.instances));
    output.value(&json!({
        "plugin": bench.label(),
        "kind": kind.name(),
        "at_once": command.at_once,
        "calls": measured.calls,
        "calls_per_second": measured.calls_per_second,
        "p50_us": micros(measured.p50),
        "p99_us": micros(measured.p99),
        "instances": measured.instances,
        "memory_bytes": measured.memory_bytes,
    }));
    Ok(EXIT_DONE)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

async fn open(settings: &Settings, arguments: &ModelArguments) -> Result<(Workbench, PluginKind)> {
    let (file, bench_settings) = (arguments.file.clone(), super::workbench(settings, arguments.native));
    let bench = tokio::task::spawn_blocking(move || Workbench::open(&file, &bench_settings)).await??;
    let kind = bench.kind(arguments.kind.map(KindName::name))?;
    Ok((bench, kind))
}

fn model(bench: &Workbench, kind: PluginKind, arguments: &ModelArguments) -> Result<ModelSpec> {
    let mut model = bench.first_model(kind);
    if let Some(name) = &arguments.model {
        model.name.clone_from(name);
    }
    model.base_url = arguments.base_url.clone().unwrap_or_default();
    for setting in &arguments.setting {
        let (name, value) = setting.split_once('=').ok_or_else(|| anyhow!("--setting {setting:?} is not NAME=VALUE"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        model.settings.insert(name.to_owned(), value);
    }
    for secret in &arguments.secret {
        let (name, variable) =
            secret.split_once('=').ok_or_else(|| anyhow!("--secret is NAME=VARIABLE, with the name of an environment variable"))?;
        let value = config::variable(variable)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| anyhow!("the environment variable {variable:?}, from which the secret {name} shall come, is not set"))?;
        model.secrets.push(name.to_owned());
        model.secret_values.insert(name.to_owned(), value);
    }
    Ok(model)
}

fn request(kind: PluginKind, arguments: &ModelArguments) -> Result<CallRequest> {
    match &arguments.request {
        Some(text) => CallRequest::of_json(kind, text),
        None if arguments.text.is_empty() && kind != PluginKind::Catalogue => {
            bail!("what shall it be asked? --text TEXT, or --request '{}'", CallRequest::example(kind))
        }
        None => Ok(CallRequest::of_texts(kind, &arguments.text)),
    }
}

fn tell(performed: &Performed, output: &Output) {
    let mut result = result_json(&performed.result);
    match &performed.result {
        Ok(answer) => {
            let text = answer.to_json().to_string();
            let cut: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            let dots = if cut.len() < text.len() { " ..." } else { "" };
            output.line(format!("{cut}{dots}"));
        }
        Err(error) => output.line(format!("error {}: {}", result["error"]["kind"].as_str().unwrap_or_default(), error.message)),
    }
    output.line(format!(
        "  {:.2} ms, {} turns, {:.1} MiB in {} instances",
        performed.time.as_secs_f64() * 1e3,
        performed.turns,
        performed.memory_bytes as f64 / f64::from(1 << 20),
        performed.instances
    ));
    result["time_us"] = json!(micros(performed.time));
    result["turns"] = json!(performed.turns);
    result["memory_bytes"] = json!(performed.memory_bytes);
    result["instances"] = json!(performed.instances);
    output.value(&result);
}
