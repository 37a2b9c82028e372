//! `knowhost plugin`: shipped plugins and those in the plugins folder.

use super::arguments::Plugin;
use super::output::Output;
use super::{EXIT_DONE, EXIT_FAILED};
use crate::app::folder;
use crate::config::Settings;
use crate::plugin::{PluginListing, PluginState, Plugins, PluginsConfig};
use anyhow::{Result, anyhow};
use serde_json::json;

pub(super) async fn run(settings: Settings, command: Plugin, output: &Output) -> Result<u8> {
    let config = PluginsConfig::in_data_dir(&settings.data_dir, settings.private_hosts.clone(), settings.ollama_base_url.clone());
    let plugins = tokio::task::spawn_blocking(move || Plugins::open(config)).await??;
    match command {
        Plugin::List => {
            list(&plugins.list()?, output);
            Ok(EXIT_DONE)
        }
        Plugin::Allow { name, yes } => {
            let waiting = plugins.list()?.into_iter().find(|plugin| plugin.name == name);
            let waiting = waiting.ok_or_else(|| anyhow!("no plugin is called {name:?}; see `knowhost plugin list`"))?;
            describe(&waiting, output);
            if !yes && !output.confirm(&format!("Allow {name} all of this?")) {
                output.warn("Nothing was allowed; --yes skips the question.");
                return Ok(EXIT_FAILED);
            }
            let allowed = plugins.allow(&name)?;
            output.line(format!("Allowed {} {} with the digest {}.", allowed.name, allowed.version, allowed.digest));
            output.value(&value(&allowed));
            tell_running(&settings, output);
            Ok(EXIT_DONE)
        }
        Plugin::Deny { name } => {
            plugins.deny(&name)?;
            output.line(format!("Took the grants of {name} back."));
            output.value(&json!({ "denied": name }));
            tell_running(&settings, output);
            Ok(EXIT_DONE)
        }
    }
}

fn tell_running(settings: &Settings, output: &Output) {
    if folder::read_note(&settings.data_dir).is_some() {
        output.line("The running server takes this up at its next start.");
    }
}

fn list(plugins: &[PluginListing], output: &Output) {
    let mut rows = Vec::new();
    for plugin in plugins {
        output.value(&value(plugin));
        let digest: String = plugin.digest.chars().take(12).collect();
        rows.push(vec![plugin.name.clone(), plugin.version.clone(), plugin.kinds.join(", "), state(plugin), digest, plugin.title.clone()]);
    }
    output.table(&["NAME", "VERSION", "KINDS", "STATE", "DIGEST", "TITLE"], &rows);
}

fn state(plugin: &PluginListing) -> String {
    match &plugin.state {
        PluginState::Shipped => "shipped".to_owned(),
        PluginState::Allowed => "allowed".to_owned(),
        PluginState::Waiting => "waiting".to_owned(),
        PluginState::Changed { allowed_digest } => format!("changed (allowed was {})", allowed_digest.chars().take(12).collect::<String>()),
        PluginState::Broken { reason } => format!("broken: {reason}"),
    }
}

/// What it is and what it asks for.
fn describe(plugin: &PluginListing, output: &Output) {
    let or_none = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    output.line(format!("{} {}: {} ({})", plugin.name, plugin.version, plugin.title, plugin.licence));
    output.line(format!("  digest   {}", plugin.digest));
    output.line(format!("  kinds    {}", or_none(&plugin.kinds)));
    output.line(format!("  hosts    {}", or_none(&plugin.allowed_hosts)));
    for (secret, hosts) in &plugin.secrets {
        output.line(format!("  secret   {secret}, sent to {}", or_none(hosts)));
    }
    output.line(format!("  models   {}", or_none(&plugin.allowed_models)));
    output.line(format!(
        "  limits   {} MiB of memory an instance, {} ms a turn, {} KiB of cache",
        plugin.memory_bytes_max >> 20,
        plugin.turn_ms_max,
        plugin.cache_bytes_max >> 10
    ));
}

fn value(plugin: &PluginListing) -> serde_json::Value {
    json!({
        "name": plugin.name, "version": plugin.version, "title": plugin.title, "licence": plugin.licence, "digest": plugin.digest,
        "kinds": plugin.kinds, "state": state(plugin), "allowed_hosts": plugin.allowed_hosts, "secrets": plugin.secrets,
        "allowed_models": plugin.allowed_models, "models": plugin.models, "memory_bytes_max": plugin.memory_bytes_max,
        "turn_ms_max": plugin.turn_ms_max, "cache_bytes_max": plugin.cache_bytes_max, "file": plugin.file,
    })
}
