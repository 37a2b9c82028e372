//! `knowhost doctor`: what works, what does not, and what to do about it.

use super::client::{Client, list, text};
use super::models::{how_to_get, mib};
use super::output::Output;
use super::{EXIT_DONE, EXIT_FAILED};
use crate::app::{self, folder};
use crate::config::Settings;
use crate::plugin::{BroughtModel, brought_models, closed_models};
use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

/// One line of the report.
struct Finding {
    subject: &'static str,
    good: bool,
    /// Works, but should not stay so.
    is_warning: bool,
    text: String,
}

impl Finding {
    fn good(subject: &'static str, text: impl Into<String>) -> Self {
        Self { subject, good: true, is_warning: false, text: text.into() }
    }

    fn mark(&self) -> &'static str {
        match (self.good, self.is_warning) {
            (false, _) => "FAIL",
            (true, true) => "WARN",
            (true, false) => "ok  ",
        }
    }

    fn bad(subject: &'static str, text: impl Into<String>) -> Self {
        Self { subject, good: false, is_warning: false, text: text.into() }
    }
}

pub(super) async fn run(settings: Settings, output: &Output) -> Result<u8> {
    let mut findings = vec![Finding::good("settings", "are readable")];
    if !settings.without_effect.is_empty() {
        findings.push(Finding::good("settings", format!("without effect here: {}", settings.without_effect.join(", "))));
    }
    if app::shares_tokens(&settings) {
        findings.push(Finding { is_warning: true, ..Finding::good("tokens", app::SHARED_SECRET) });
    }
    findings.push(data_folder(&settings.data_dir));
    findings.extend(secrets(&settings.data_dir));
    findings.extend(model_files(&settings));
    match Client::connect(settings.clone()).await {
        Ok(client) => {
            let checked = server(&client, &settings).await;
            client.close().await?;
            match checked {
                Ok(more) => findings.extend(more),
                Err(error) => findings.push(Finding::bad("server", format!("{error:#}"))),
            }
        }
        Err(error) => findings.push(Finding::bad("server", format!("does not start: {error:#}"))),
    }
    let bad = findings.iter().filter(|finding| !finding.good).count();
    for finding in &findings {
        output.line(format!("{} {:10} {}", finding.mark(), finding.subject, finding.text));
        output.value(&json!({ "subject": finding.subject, "ok": finding.good, "warning": finding.is_warning, "text": finding.text }));
    }
    output.line(if bad == 0 { "\nAll is well.".to_owned() } else { format!("\n{bad} of {} checks failed.", findings.len()) });
    Ok(if bad == 0 { EXIT_DONE } else { EXIT_FAILED })
}

fn data_folder(path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(_) => Finding::good("data", format!("{shown} does not exist yet; the first start makes it")),
        Ok(about) if !about.is_dir() => Finding::bad("data", format!("{shown} is not a folder; choose another with --data-dir")),
        Ok(_) => match folder::read_note(path) {
            Some(note) => Finding::good("data", format!("{shown}, served by process {} at http://{}", note.pid, note.address)),
            None => Finding::good("data", format!("{shown}, served by nobody")),
        },
    }
}

fn secrets(data_dir: &Path) -> Vec<Finding> {
    let folder = data_dir.join("secrets");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let open: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|about| about.permissions().mode() & 0o077 != 0))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    vec![if open.is_empty() {
        Finding::good("secrets", "are readable by their owner alone")
    } else {
        Finding::bad("secrets", format!("others can read {}; run chmod 600 on them in {}", open.join(", "), folder.display()))
    }]
}

/// Models whose files are fetched on demand; one without any file is merely not used.
fn model_files(settings: &Settings) -> Vec<Finding> {
    let models = match brought_models(&super::models::plugins_config(settings)) {
        Ok(models) => models,
        Err(error) => return vec![Finding::bad("files", format!("{error:#}"))],
    };
    let finding = |model: &BroughtModel| match &model.lacking {
        None => Finding::good("files", format!("of {} are there", model.name)),
        Some(reason) if model.has_any_file => Finding::bad("files", format!("{reason}; run `{}`", how_to_get(model))),
        Some(_) => {
            Finding::good("files", format!("{} is optional and not fetched ({}): {}", model.name, mib(model.size_bytes), how_to_get(model)))
        }
    };
    models.iter().filter(|model| model.has_files).map(finding).collect()
}

/// Models that stand where plugins may not reach, with the line that opens it.
async fn model_hosts(models: &[Value], settings: &Settings) -> Result<Option<Finding>> {
    let base_urls = models.iter().map(|model| text(&model["parameters"], "base_url"));
    let closed = closed_models(&settings.private_hosts, base_urls).await?;
    Ok(closed.map(|closed| {
        let problem = format!("stand inside your network, where plugins may not reach: {}", closed.hosts);
        Finding::bad("models", format!("{problem}; to open it, put {} into .env and start again", closed.setting))
    }))
}

async fn server(client: &Client, settings: &Settings) -> Result<Vec<Finding>> {
    let whose = if client.is_remote() { "the running server answers" } else { "starts on this data folder and answers" };
    let mut findings = vec![Finding::good("server", format!("{whose} at {}", client.base()))];
    let models = list(&client.get("/models?builtin=true").await?)?;
    let unusable: Vec<&str> = models.iter().filter(|model| text(model, "status") != "active").map(|model| text(model, "name")).collect();
    findings.push(if unusable.is_empty() {
        Finding::good("models", format!("{} are configured", models.len()))
    } else {
        Finding::bad("models", format!("not usable: {}", unusable.join(", ")))
    });
    findings.extend(model_hosts(&models, settings).await?);
    let generates = models.iter().any(|model| text(model, "type") == "KnowledgeQA" && model["tenant_id"] != 0);
    if !generates {
        findings.push(Finding::good("answers", "are quotations by the built-in answerer; `knowhost model add` makes them generated"));
    }
    for kb in client.knowledge_bases().await? {
        findings.extend(knowledge_base(client, &kb).await?);
    }
    Ok(findings)
}

async fn knowledge_base(client: &Client, kb: &Value) -> Result<Vec<Finding>> {
    let (id, name) = (text(kb, "id"), text(kb, "name"));
    let mut findings = Vec::new();
    let (mut page, mut seen, mut failed) = (1, 0, Vec::new());
    loop {
        let answer = client.get(&format!("/knowledge-bases/{id}/knowledge?page={page}&page_size=100")).await?;
        let items = list(&answer)?;
        seen += items.len() as u64;
        failed.extend(
            items
                .iter()
                .filter(|item| text(item, "parse_status") == "failed")
                .map(|item| (text(item, "file_name").to_owned(), text(item, "error_message").to_owned())),
        );
        if items.is_empty() || seen >= answer["total"].as_u64().unwrap_or_default() {
            break;
        }
        page += 1;
    }
    findings.push(if failed.is_empty() {
        Finding::good("documents", format!("{name}: {seen}, none failed"))
    } else {
        let first = failed.first().map(|(file, reason)| format!("{file}: {reason}")).unwrap_or_default();
        Finding::bad("documents", format!("{name}: {} of {seen} failed, for example {first}", failed.len()))
    });
    if seen > 0 {
        let started = Instant::now();
        let body = json!({ "query_text": name, "match_count": 1 });
        let answer = client.request(Method::GET, &format!("/knowledge-bases/{id}/hybrid-search")).json(&body).send().await?;
        let status = answer.status();
        findings.push(if status.is_success() {
            Finding::good("search", format!("{name}: answers in {} ms", started.elapsed().as_millis()))
        } else {
            let body: Value = answer.json().await.unwrap_or_default();
            Finding::bad("search", format!("{name}: {}", super::client::failure(&body).unwrap_or_else(|| status.to_string())))
        });
    }
    Ok(findings)
}
