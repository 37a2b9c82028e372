//! Where the operator decides about plugins: at the running server, or at the data folder itself.
//!
//! Not here: files in the plugins folder (`install`), and anything that authors do.

use super::super::client::Client;
use super::super::models::mib;
use super::super::output::Output;
use super::super::{EXIT_DONE, EXIT_FAILED};
use crate::app::folder::DataFolder;
use crate::config::Settings;
use crate::plugin::{PluginDesk, PluginForm, PluginGrantsChange, PluginListing, PluginState, Plugins, PluginsConfig};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the plugins are decided about.
pub(super) enum Desk {
    /// In the server that runs: what is decided holds at once.
    Running(Box<Client>),
    /// In this process, which holds the folder meanwhile.
    Folder(Arc<Plugins>, #[expect(dead_code, reason = "held, not read")] DataFolder),
}

pub(super) async fn show(settings: Settings, output: &Output) -> Result<u8> {
    list(&Desk::find(settings).await?.list().await?, output);
    Ok(EXIT_DONE)
}

pub(super) async fn allow(settings: Settings, name: &str, native: bool, yes: bool, output: &Output) -> Result<u8> {
    let desk = Desk::find(settings).await?;
    let waiting = desk.list().await?.into_iter().find(|plugin| plugin.name == name);
    let waiting = waiting.ok_or_else(|| anyhow!("no plugin is called {name:?}; see `knowhost plugin list`"))?;
    if let PluginState::Broken { reason } = &waiting.state {
        bail!("{name} can not be allowed: {reason}");
    }
    if waiting.form == PluginForm::Native && !native {
        bail!("{name} is a native library and would run as the server itself; if that is wanted: knowhost plugin allow {name} --native");
    }
    describe(&waiting, output);
    if !yes && !output.confirm(&format!("Allow {name} all of this?")) {
        output.warn("Nothing was allowed; --yes skips the question.");
        return Ok(EXIT_FAILED);
    }
    let allowed = desk.allow(name, &waiting.digest, native).await?;
    output.line(format!("Allowed {} {} with the digest {}.", allowed.name, allowed.version, allowed.digest));
    output.value(&serde_json::to_value(&allowed)?);
    desk.tell(output);
    Ok(EXIT_DONE)
}

pub(super) async fn deny(settings: Settings, name: &str, output: &Output) -> Result<u8> {
    let desk = Desk::find(settings).await?;
    desk.deny(name).await?;
    output.line(format!("Took the grants of {name} back."));
    output.value(&json!({ "denied": name }));
    desk.tell(output);
    Ok(EXIT_DONE)
}

pub(super) async fn roll_back(settings: Settings, name: &str, output: &Output) -> Result<u8> {
    let desk = Desk::find(settings).await?;
    let now = desk.roll_back(name).await?;
    output.line(format!("{name} {} runs again.", now.version));
    if let Some(previous) = &now.previous {
        output.line(format!("`knowhost plugin rollback {name}` goes back to {}.", previous.version));
    }
    output.value(&serde_json::to_value(&now)?);
    desk.tell(output);
    Ok(EXIT_DONE)
}

impl Desk {
    pub(super) async fn find(settings: Settings) -> Result<Self> {
        if let Some(client) = Client::operator(&settings).await? {
            return Ok(Self::Running(Box::new(client)));
        }
        let folder = DataFolder::lock(&settings.data_dir)?;
        let config = PluginsConfig::in_data_dir(&settings.data_dir, settings.private_hosts.clone(), settings.ollama_base_url.clone());
        let plugins = tokio::task::spawn_blocking(move || Plugins::open(config)).await??;
        Ok(Self::Folder(plugins, folder))
    }

    pub(super) async fn list(&self) -> Result<Vec<PluginListing>> {
        match self {
            Self::Running(client) => listing(client.get("/plugins").await?),
            Self::Folder(plugins, _) => Ok(plugins.list()?),
        }
    }

    /// The file with this digest and no other.
    pub(super) async fn allow(&self, name: &str, digest: &str, native: bool) -> Result<PluginListing> {
        match self {
            Self::Running(client) => {
                let body = json!({ "digest": digest, "allow_native": native });
                listing(client.post(&format!("/plugins/{name}/allow"), &body).await?)
            }
            Self::Folder(plugins, _) if native => Ok(plugins.allow_native(name, digest)?),
            Self::Folder(plugins, _) => Ok(plugins.allow(name, Some(digest))?),
        }
    }

    pub(super) async fn deny(&self, name: &str) -> Result<()> {
        match self {
            Self::Running(client) => client.post(&format!("/plugins/{name}/deny"), &Value::Null).await.map(|_| ()),
            Self::Folder(plugins, _) => Ok(plugins.deny(name)?),
        }
    }

    pub(super) async fn grant(&self, name: &str, change: &PluginGrantsChange) -> Result<PluginListing> {
        match self {
            Self::Running(client) => listing(client.put(&format!("/plugins/{name}/grants"), &serde_json::to_value(change)?).await?),
            Self::Folder(plugins, _) => Ok(plugins.grant(name, change)?),
        }
    }

    async fn roll_back(&self, name: &str) -> Result<PluginListing> {
        match self {
            Self::Running(client) => listing(client.post(&format!("/plugins/{name}/rollback"), &Value::Null).await?),
            Self::Folder(plugins, _) => Ok(plugins.roll_back(name)?),
        }
    }

    pub(super) fn tell(&self, output: &Output) {
        match self {
            Self::Running(_) => output.line("The running server has taken this up."),
            Self::Folder(..) => {}
        }
    }
}

fn listing<T: serde::de::DeserializeOwned>(mut answer: Value) -> Result<T> {
    serde_json::from_value(answer["data"].take()).context("the server's answer is none of this version")
}

fn list(plugins: &[PluginListing], output: &Output) {
    let mut rows = Vec::new();
    for plugin in plugins {
        output.value(&serde_json::to_value(plugin).unwrap_or_default());
        let digest: String = plugin.digest.chars().take(12).collect();
        rows.push(vec![plugin.name.clone(), plugin.version.clone(), plugin.kinds.join(", "), state(plugin), digest, plugin.title.clone()]);
    }
    output.table(&["NAME", "VERSION", "KINDS", "STATE", "DIGEST", "TITLE"], &rows);
}

pub(super) fn state(plugin: &PluginListing) -> String {
    match &plugin.state {
        PluginState::Shipped => "shipped".to_owned(),
        PluginState::Allowed if plugin.form == PluginForm::Native => "allowed, native".to_owned(),
        PluginState::Allowed => "allowed".to_owned(),
        PluginState::Waiting => "waiting".to_owned(),
        PluginState::NativeRefused => format!("native, refused: knowhost plugin allow {} --native", plugin.name),
        PluginState::Changed { allowed_digest } => format!("changed (allowed was {})", allowed_digest.chars().take(12).collect::<String>()),
        PluginState::NeedsFiles { reason, get } => format!("needs files ({reason}): knowhost models get {get}"),
        PluginState::Broken { reason } => format!("broken: {reason}"),
    }
}

/// What it is and what it asks for.
pub(super) fn describe(plugin: &PluginListing, output: &Output) {
    let or_none = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    output.line(format!("{} {}: {} ({})", plugin.name, plugin.version, plugin.title, plugin.licence));
    output.line(format!("  digest   {}", plugin.digest));
    output.line(format!("  kinds    {}", or_none(&plugin.kinds)));
    output.line(format!("  hosts    {}", or_none(&plugin.allowed_hosts)));
    for (secret, hosts) in &plugin.secrets {
        output.line(format!("  secret   {secret}, sent to {}", or_none(hosts)));
    }
    output.line(format!("  models   {}", or_none(&plugin.allowed_models)));
    for (file, bytes) in &plugin.files {
        output.line(format!("  file     {file}, {}, fetched by `knowhost models get`", mib(*bytes)));
    }
    if plugin.form == PluginForm::Native {
        output
            .line("  form     native library: it runs as the server itself. It can read and change everything that the server can: every");
        output.line(
            "           tenant's data, keys and files, the network, this machine as the server's user. The hosts and secrets above say",
        );
        output.line(
            "           what it asks the server for; nothing keeps it from more. It has no limit of memory or time, and a crash of it",
        );
        output.line("           ends the server. Allow it only if you would run its author's programs as the server's user.");
        return;
    }
    output.line(format!(
        "  limits   {} MiB of memory an instance, {} ms a turn, {} KiB of cache",
        plugin.memory_bytes_max >> 20,
        plugin.turn_ms_max,
        plugin.cache_bytes_max >> 10
    ));
}
