//! `knowhost models`: the models that plugins bring, and the files that some of them need.
//!
//! Not here: models that were configured (`model`), and how files are checked (`plugin`).

use super::EXIT_DONE;
use super::arguments::Models;
use super::output::Output;
use crate::app::folder;
use crate::config::Settings;
use crate::limits;
use crate::plugin::{BroughtModel, Installation, PluginDesk, PluginState, Plugins, PluginsConfig, brought_models};
use anyhow::{Context, Result, anyhow, bail};
use futures_util::StreamExt;
use indicatif::ProgressBar;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::io::AsyncWriteExt;
use url::{Host, Url};

pub(super) async fn run(settings: Settings, command: Option<Models>, output: &Output) -> Result<u8> {
    let config = plugins_config(&settings);
    match command {
        None => list(&brought_models(&config)?, output),
        Some(Models::Get { name, from }) => get(&settings, config, &name, from.as_deref(), output).await?,
    }
    Ok(EXIT_DONE)
}

pub(super) fn plugins_config(settings: &Settings) -> PluginsConfig {
    PluginsConfig::in_data_dir(&settings.data_dir, settings.private_hosts.clone(), settings.ollama_base_url.clone())
}

pub(super) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// The line to type for files that are not there.
pub(super) fn how_to_get(model: &BroughtModel) -> String {
    format!("knowhost models get {}", model.name)
}

fn list(models: &[BroughtModel], output: &Output) {
    let mut rows = Vec::new();
    for model in models {
        let state = if model.lacking.is_none() { "ready" } else { "needs files" };
        let how = match (&model.lacking, model.has_files) {
            (Some(_), _) => how_to_get(model),
            (None, true) => "fetched".to_owned(),
            (None, false) => "built in".to_owned(),
        };
        output.value(&json!({
            "name": model.name, "type": model.model_type, "title": model.title, "dimension": model.dimension, "plugin": model.plugin,
            "is_default": model.is_default, "state": state, "size_bytes": model.size_bytes, "reason": model.lacking,
            "get": model.lacking.as_ref().map(|_| how_to_get(model)),
        }));
        let default = if model.is_default { "default" } else { "" };
        let dimension = model.dimension.map(|dimension| dimension.to_string()).unwrap_or_default();
        rows.push(vec![
            model.name.clone(),
            model.model_type.to_owned(),
            dimension,
            default.to_owned(),
            state.to_owned(),
            mib(model.size_bytes),
            how,
            model.title.clone(),
        ]);
    }
    output.table(&["NAME", "TYPE", "DIMENSION", "DEFAULT", "STATE", "SIZE", "HOW", "TITLE"], &rows);
}

async fn get(settings: &Settings, config: PluginsConfig, name: &str, from: Option<&str>, output: &Output) -> Result<()> {
    let installation = Installation::find(&config, name)?;
    let complete = from.is_none() && installation.is_complete();
    if !complete {
        fetch(&installation, from, output).await?;
    }
    let plugin = installation.plugin.clone();
    if !complete {
        output.line(format!("The files of {plugin} are in {}.", installation.folder().display()));
    }
    let started = Instant::now();
    let bar = output.bar(1, "preparing, once");
    let name_of_plugin = plugin.clone();
    let state = tokio::task::spawn_blocking(move || {
        let found = Plugins::open(config)?.list()?.into_iter().find(|listing| listing.name == name_of_plugin);
        found.map(|listing| listing.state).ok_or_else(|| anyhow!("{name_of_plugin} is no longer there"))
    });
    let state = state.await??;
    bar.finish_and_clear();
    if let PluginState::NeedsFiles { reason, .. } = &state {
        bail!("{reason}");
    }
    let verb = if complete { "is there already" } else { "is ready" };
    output.line(format!("{name} {verb} (checked in {:.1} s).", started.elapsed().as_secs_f64()));
    let is_running = folder::read_note(&settings.data_dir).is_some();
    if is_running {
        output.line("The running server takes it up with its next use; no restart is needed.");
    }
    output.line(format!("Use it for new knowledge bases: knowhost model add --local {name}"));
    output
        .value(&json!({ "name": name, "plugin": plugin, "folder": installation.folder(), "fetched": !complete, "restart_needed": false }));
    Ok(())
}

async fn fetch(installation: &Installation, from: Option<&str>, output: &Output) -> Result<()> {
    match from {
        Some(address) if address.contains("://") => fetch_from(installation, address, address, output).await,
        Some(path) => {
            let path = PathBuf::from(path);
            tokio::task::block_in_place(|| installation.take(&path))?;
            missing(installation)
        }
        None => {
            let urls = installation.urls();
            if urls.is_empty() {
                bail!("{} does not say where its files can be fetched; give them with --from FILE", installation.plugin);
            }
            for url in &urls {
                fetch_from(installation, url, url, output).await?;
            }
            missing(installation)
        }
    }
}

/// A file alone may be given first and the other later.
fn missing(installation: &Installation) -> Result<()> {
    match installation.lacking() {
        Some(reason) => bail!("{reason}"),
        None => Ok(()),
    }
}

/// The download lies beside the files until they were taken out of it.
async fn fetch_from(installation: &Installation, address: &str, listed: &str, output: &Output) -> Result<()> {
    let url = Url::parse(address).with_context(|| format!("{address:?} is no address"))?;
    if !may_be_fetched(&url) {
        bail!("{address} is not an https address");
    }
    let path = installation.download_path()?;
    let fetched = download(url, &path, output).await;
    let taken = match fetched {
        Ok(()) => tokio::task::block_in_place(|| installation.take_download(listed, &path)).map(|_| ()),
        Err(error) => Err(error.context(format!(
            "{address} can not be fetched; on a machine without this network, fetch it elsewhere and give it with --from FILE"
        ))),
    };
    let _ = std::fs::remove_file(&path);
    taken
}

/// Content is checked by its digest; `https` keeps others from seeing and slowing what is fetched. This machine needs none.
fn may_be_fetched(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

async fn download(url: Url, path: &Path, output: &Output) -> Result<()> {
    let plain = url.scheme() == "http";
    let redirects = reqwest::redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > limits::MODEL_REDIRECTS_MAX || !may_be_fetched(attempt.url()) {
            attempt.stop()
        } else {
            attempt.follow()
        }
    });
    let client = reqwest::Client::builder()
        .user_agent(concat!("knowhost/", env!("CARGO_PKG_VERSION")))
        .redirect(redirects)
        .connect_timeout(limits::PLUGIN_CONNECT)
        .read_timeout(limits::MODEL_DOWNLOAD_SILENCE);
    let client = if plain { client.no_proxy() } else { client }.build()?;
    let answer = client.get(url).send().await?.error_for_status()?;
    if !answer.status().is_success() {
        bail!("the server answered {}", answer.status());
    }
    let expected = answer.content_length();
    if expected.is_some_and(|bytes| bytes > limits::MODEL_DOWNLOAD_BYTES_MAX) {
        bail!("it is larger than {}", mib(limits::MODEL_DOWNLOAD_BYTES_MAX));
    }
    let bar = output.bytes_bar(expected, "fetching");
    let result = receive(answer, path, &bar, expected).await;
    bar.finish_and_clear();
    result
}

async fn receive(answer: reqwest::Response, path: &Path, bar: &ProgressBar, expected: Option<u64>) -> Result<()> {
    let cannot_write = || format!("can not write {}", path.display());
    let mut file = tokio::fs::File::create(path).await.with_context(cannot_write)?;
    let (mut body, mut bytes) = (answer.bytes_stream(), 0_u64);
    while let Some(piece) = body.next().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        if bytes > limits::MODEL_DOWNLOAD_BYTES_MAX {
            bail!("it is larger than {}", mib(limits::MODEL_DOWNLOAD_BYTES_MAX));
        }
        file.write_all(&piece).await.with_context(cannot_write)?;
        bar.inc(piece.len() as u64);
    }
    file.flush().await.with_context(cannot_write)?;
    match expected.filter(|expected| *expected != bytes) {
        Some(expected) => bail!("the connection ended after {bytes} of {expected} bytes"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_fetched_from() {
        let may = |address: &str| may_be_fetched(&Url::parse(address).unwrap());
        assert!(may("https://example.com/a.whl") && may("http://127.0.0.1:8000/a") && may("http://[::1]/a") && may("http://localhost/a"));
        assert!(!may("http://example.com/a.whl") && !may("ftp://127.0.0.1/a") && !may("file:///etc/passwd"));
    }
}
