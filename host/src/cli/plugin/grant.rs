//! `knowhost plugin grant`: what an allowed plugin may do, chosen from what it asks for.
//!
//! Not here: the check of the choice, and writing it down (`plugin::desk`).

use super::super::EXIT_DONE;
use super::super::output::Output;
use super::desk::Desk;
use crate::config::Settings;
use crate::plugin::{PluginGrantsChange, PluginListing};
use anyhow::{Result, anyhow, bail};
use std::collections::BTreeMap;

/// What the command line names; `None` keeps what is granted.
pub(super) struct Wanted {
    pub(super) hosts: Option<Vec<String>>,
    pub(super) models: Option<Vec<String>>,
    /// By name; their hosts are the manifest's.
    pub(super) secrets: Option<Vec<String>>,
    pub(super) all: bool,
}

pub(super) fn choice(named: Vec<String>, none: bool) -> Option<Vec<String>> {
    (none || !named.is_empty()).then_some(named)
}

pub(super) async fn run(settings: Settings, name: &str, wanted: &Wanted, output: &Output) -> Result<u8> {
    let desk = Desk::find(settings).await?;
    let plugin = desk.list().await?.into_iter().find(|plugin| plugin.name == name);
    let plugin = plugin.ok_or_else(|| anyhow!("no plugin is called {name:?}; see `knowhost plugin list`"))?;
    let now = desk.grant(name, &change(wanted, &plugin)?).await?;
    show(&now, output);
    output.value(&serde_json::to_value(&now)?);
    desk.tell(output);
    Ok(EXIT_DONE)
}

fn change(wanted: &Wanted, plugin: &PluginListing) -> Result<PluginGrantsChange> {
    if wanted.all {
        return Ok(PluginGrantsChange {
            allowed_hosts: Some(plugin.allowed_hosts.clone()),
            allowed_models: Some(plugin.allowed_models.clone()),
            secrets: Some(plugin.secrets.clone()),
        });
    }
    if wanted.hosts.is_none() && wanted.models.is_none() && wanted.secrets.is_none() {
        bail!("nothing to change; name a --host, --model or --secret, or --all (see `knowhost plugin grant --help`)");
    }
    let secrets = match &wanted.secrets {
        None => None,
        Some(names) => {
            let mut secrets = BTreeMap::new();
            for name in names {
                let hosts = plugin.secrets.get(name).ok_or_else(|| anyhow!("{} asks for no secret {name:?}", plugin.name))?;
                secrets.insert(name.clone(), hosts.clone());
            }
            Some(secrets)
        }
    };
    Ok(PluginGrantsChange { allowed_hosts: wanted.hosts.clone(), allowed_models: wanted.models.clone(), secrets })
}

/// What it asks for, and which of it is granted.
fn show(plugin: &PluginListing, output: &Output) {
    let granted = plugin.granted.clone().unwrap_or_default();
    let line = |what: &str, asked: &[String], granted: &[String]| {
        let marked = asked.iter().map(|item| if granted.contains(item) { item.clone() } else { format!("{item} (not granted)") });
        let marked: Vec<String> = marked.collect();
        output.line(format!("  {what:<8} {}", if marked.is_empty() { "none".to_owned() } else { marked.join(", ") }));
    };
    output.line(format!("{} {} may now have:", plugin.name, plugin.version));
    line("hosts", &plugin.allowed_hosts, &granted.allowed_hosts);
    line("models", &plugin.allowed_models, &granted.allowed_models);
    let names = |secrets: &BTreeMap<String, Vec<String>>| secrets.keys().cloned().collect::<Vec<_>>();
    line("secrets", &names(&plugin.secrets), &names(&granted.secrets));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plugin() -> PluginListing {
        let value = json!({
            "form": "component", "name": "p", "title": "", "version": "1.0.0", "licence": "", "digest": "", "kinds": [], "profile": "network",
            "allowed_hosts": ["https://a.example:443", "{base_url}"], "secrets": { "key": ["{base_url}"] }, "allowed_models": ["chat"],
            "cache_bytes_max": 0, "memory_bytes_max": 0, "turn_ms_max": 0, "models": [], "files": {}, "file": null, "state": "allowed",
            "loaded_from": null, "load_time_us": 0, "instances": 0, "memory_bytes": 0, "paused": null
        });
        serde_json::from_value(value).unwrap()
    }

    fn wanted() -> Wanted {
        Wanted { hosts: None, models: None, secrets: None, all: false }
    }

    #[test]
    fn what_is_not_named_is_kept_and_none_is_a_choice() {
        assert_eq!((choice(vec![], false), choice(vec![], true)), (None, Some(vec![])));
        let change = change(&Wanted { models: choice(vec![], true), ..wanted() }, &plugin()).unwrap();
        assert_eq!(change, PluginGrantsChange { allowed_models: Some(vec![]), ..PluginGrantsChange::default() });
    }

    #[test]
    fn secrets_go_by_name_and_all_means_what_the_manifest_asks_for() {
        let secrets = change(&Wanted { secrets: Some(vec!["key".into()]), ..wanted() }, &plugin()).unwrap().secrets.unwrap();
        assert_eq!(secrets["key"], ["{base_url}"]);
        assert!(change(&Wanted { secrets: Some(vec!["other".into()]), ..wanted() }, &plugin()).is_err());
        let all = change(&Wanted { all: true, ..wanted() }, &plugin()).unwrap();
        assert_eq!(all.allowed_hosts.unwrap().len(), 2);
        assert!(change(&wanted(), &plugin()).unwrap_err().to_string().contains("--help"));
    }
}
