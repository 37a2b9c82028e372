//! `knowhost plugin doctor`: what is wrong with the installed plugins, and what is missing to build one.
//!
//! Not here: the server as a whole (`knowhost doctor`).

use super::super::output::Output;
use super::super::{EXIT_DONE, EXIT_FAILED};
use super::desk::Desk;
use super::language::Language;
use crate::config::Settings;
use crate::plugin::{PluginListing, PluginState};
use anyhow::Result;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub(super) async fn run(settings: Settings, output: &Output) -> Result<u8> {
    let mut findings: Vec<(String, Result<String, String>)> = Vec::new();
    let folder = settings.data_dir.join("plugins");
    findings.push(("folder".into(), plugins_folder(&folder)));
    for plugin in Desk::find(settings).await?.list().await? {
        findings.push((plugin.name.clone(), plugin_health(&plugin)));
    }
    // Nobody has to build plugins, so what is missing for it is no fault.
    for language in Language::ALL {
        let name = language.name();
        let text = match language.lacking(None) {
            None => format!("plugins in {name} can be built here"),
            Some(lacking) => format!("plugins in {name} can not be built here: {lacking}"),
        };
        findings.push(("toolchain".into(), Ok(text)));
    }
    for (subject, finding) in &findings {
        let (mark, text) = match finding {
            Ok(text) => ("ok  ", text),
            Err(text) => ("FAIL", text),
        };
        output.line(format!("{mark} {subject:18} {text}"));
        output.value(&json!({ "subject": subject, "ok": finding.is_ok(), "text": text }));
    }
    let bad = findings.iter().filter(|(_, finding)| finding.is_err()).count();
    output.line(if bad == 0 { "\nAll is well.".to_owned() } else { format!("\n{bad} of {} checks failed.", findings.len()) });
    Ok(if bad == 0 { EXIT_DONE } else { EXIT_FAILED })
}

fn plugins_folder(folder: &Path) -> Result<String, String> {
    let shown = folder.display();
    match std::fs::metadata(folder) {
        Err(_) => Ok(format!("{shown} does not exist yet; `knowhost plugin install` makes it")),
        Ok(about) if !about.is_dir() => Err(format!("{shown} is no folder; remove it")),
        Ok(about) if about.permissions().mode() & 0o002 != 0 => {
            Err(format!("everybody on this machine can write into {shown}; run chmod o-w {shown}"))
        }
        Ok(_) => Ok(shown.to_string()),
    }
}

fn plugin_health(plugin: &PluginListing) -> Result<String, String> {
    let name = &plugin.name;
    if let Some(paused) = &plugin.paused {
        return Err(format!("{paused}; try its file with `knowhost plugin check`"));
    }
    match &plugin.state {
        PluginState::Shipped => Ok("shipped".into()),
        PluginState::Allowed => Ok(format!("allowed, {}", plugin.version)),
        PluginState::NativeRefused => Ok(format!("native, refused; `knowhost plugin allow {name} --native` says what it means")),
        PluginState::Waiting => Ok(format!("waits for `knowhost plugin allow {name}`")),
        PluginState::Changed { .. } => Err(format!(
            "its file is not the one that was allowed, and the old one answers only until a restart; `knowhost plugin allow {name}`"
        )),
        // Those that ship are an offer.
        PluginState::NeedsFiles { reason, get } if plugin.file.is_none() => {
            Ok(format!("not in use: {reason}; `knowhost models get {get}`"))
        }
        PluginState::NeedsFiles { reason, get } => Err(format!("{reason}; `knowhost models get {get}`")),
        PluginState::Broken { reason } => Err(format!("{reason}; `knowhost plugin remove {name}`, or install it again")),
    }
}
