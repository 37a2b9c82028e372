//! The kit catches a broken plugin for each of its rules, and finds nothing at those that ship.

use super::recording::{Content, RecordedExchange, Recording};
use super::report::{RULES, Report, Verdict};
use super::request::{CallRequest, ModelSpec, PluginKind};
use super::rules::check_bytes;
use super::workbench::WorkbenchSettings;
use crate::plugin::tests::support::{component, component_with, shipped_component};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const URL: &str = "http://127.0.0.1:8090/row";

fn failed(report: &Report) -> Vec<(&'static str, String)> {
    let failed = report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failed.map(|finding| (finding.rule, format!("{}: {}", finding.subject, finding.text))).collect()
}

/// The plugin `broken` with one model of one kind, and nothing else that it could be blamed for.
async fn check_broken(kind: &str, model: &str) -> Report {
    let bytes = component_with("broken", |toml| {
        let head = toml.split("[[models]]").next().unwrap_or_default();
        let dimension = if kind == "embedder" { "dimension = 256\n" } else { "" };
        format!("{head}[[models]]\nkind = \"{kind}\"\nname = \"{model}\"\n{dimension}")
    });
    let mut report = check_bytes(bytes, &WorkbenchSettings::default(), &[]).await;
    report.findings.retain(|finding| finding.subject.is_empty() || finding.subject == format!("{kind} {model}"));
    report
}

/// The first rule that is broken is the one that it is called after.
async fn catches(kind: &str, rule: &str) {
    let report = check_broken(kind, rule).await;
    let failed = failed(&report);
    assert!(failed.iter().any(|(found, _)| *found == rule), "the {kind} that breaks {rule:?} was not caught: {:#?}", report.findings);
    for (_, text) in failed {
        assert!(text.split_once(": ").is_some_and(|(_, sentence)| sentence.len() > 10), "a finding without a sentence: {text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plugin_that_keeps_the_rules_passes() {
    for kind in ["embedder", "reranker", "chat-model"] {
        let report = check_broken(kind, "good").await;
        assert_eq!(failed(&report), [], "{kind}: {:#?}", report.findings);
        assert!(report.count(Verdict::Pass) >= 12, "{:#?}", report.findings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_embedders_are_caught_by_their_rules() {
    let rules = ["answers", "repeats", "together", "cancel", "deadline", "empty", "huge", "unicode", "malformed", "usage"];
    for rule in rules.into_iter().chain(["batch", "dimension", "numbers", "quality"]) {
        catches("embedder", rule).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rerankers_and_chat_models_are_caught_by_their_rules() {
    for rule in ["ranking", "scores", "batch", "quality", "empty"] {
        catches("reranker", rule).await;
    }
    for rule in ["stream", "tasks", "huge"] {
        catches("chat-model", rule).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_tokenizer_is_caught_by_its_rules() {
    let report = check_bytes(component("broken"), &WorkbenchSettings::default(), &[]).await;
    let failed = failed(&report);
    for rule in ["spans", "batch", "quality"] {
        assert!(failed.iter().any(|(found, text)| *found == rule && text.starts_with("tokenizer")), "{rule}: {failed:#?}");
    }
}

/// A recording of the plugin's one exchange, whose body comes in two chunks.
fn recording(model: &str, result: serde_json::Value) -> Recording {
    let exchange = RecordedExchange {
        method: "GET".into(),
        url: URL.into(),
        headers: vec![],
        body: Content::default(),
        status: 200,
        response_headers: BTreeMap::new(),
        chunks: vec![Content::Text("abc def".into()), Content::Text(" ghi jkl".into())],
    };
    Recording {
        model: ModelSpec { base_url: URL.into(), ..ModelSpec::named(model) },
        request: CallRequest::of_texts(PluginKind::Embedder, &["one".into()]),
        exchanges: vec![exchange],
        result,
    }
}

async fn check_recorded(model: &str) -> Vec<(&'static str, String)> {
    let bytes = component_with("broken", |toml| {
        let head = toml.split("[[models]]").next().unwrap_or_default().to_owned();
        format!("{head}allowed_hosts = [\"{{base_url}}\"]\n[[models]]\nkind = \"embedder\"\nname = \"{model}\"\ndimension = 256\n")
    });
    // What it gives now is what it gave: the question is only whether that depends on how the body was cut.
    let settings = WorkbenchSettings::default();
    let bench = super::Workbench::open_bytes(bytes.clone(), &settings).unwrap();
    let mut recorded = recording(model, serde_json::Value::Null);
    let program = super::tape::Program {
        recorded: std::sync::Arc::new(recorded.exchanges.clone()),
        cut: super::tape::Cut::AsRecorded,
        instead: None,
    };
    bench.tape.play(program);
    let how = super::workbench::How::within(std::time::Duration::from_secs(10));
    recorded.result = super::result_json(&bench.perform(&recorded.model, &recorded.request, how).await.result);
    drop(bench);
    let report = check_bytes(bytes, &settings, &[("row.json".into(), recorded)]).await;
    failed(&report).into_iter().filter(|(_, text)| text.contains("row.json") || text.starts_with("embedder")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_network_plugins_are_caught_by_their_rules() {
    for rule in ["recorded", "granted", "failures"] {
        let failed = check_recorded(rule).await;
        assert!(failed.iter().any(|(found, _)| *found == rule), "{rule}: {failed:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manifest_that_does_not_fit_and_component_that_does_not_load_are_caught() {
    let settings = WorkbenchSettings::default();
    let without_tasks =
        component_with("broken", |toml| toml.lines().filter(|line| !line.starts_with("tasks")).collect::<Vec<_>>().join("\n"));
    let report = check_bytes(without_tasks, &settings, &[]).await;
    assert!(failed(&report).iter().any(|(rule, text)| *rule == "manifest" && text.contains("tasks")), "{:?}", report.findings);
    let report = check_bytes(b"\0asm\x01\0\0\0".to_vec(), &settings, &[]).await;
    assert_eq!(failed(&report).first().map(|(rule, _)| *rule), Some("manifest"));
    let toml = "name = \"p\"\ntitle = \"P\"\nversion = \"1.0.0\"\nlicence = \"MIT\"\ninterface = \"0.1\"\nprofile = \"network\"\n";
    let hollow = knowhost_plugin_sdk::section::embed_manifest(b"\0asm\x0d\0\x01\0", toml);
    let report = check_bytes(hollow, &settings, &[]).await;
    assert_eq!(failed(&report).first().map(|(rule, _)| *rule), Some("loads"), "{:?}", report.findings);
}

#[test]
fn every_rule_has_a_plugin_that_breaks_it() {
    let text = include_str!("tests.rs");
    for (rule, what) in RULES {
        assert!(text.contains(&format!("\"{rule}\"")), "no broken plugin is caught by {rule} ({what})");
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Those that talk to a service are checked with recorded calls of real ones.
async fn shipped_passes(name: &str, kinds: &[&str]) {
    let recordings = Recording::read_folder(&repository("plugins").join(name).join("exchanges")).unwrap();
    let report = check_bytes(shipped_component(name), &WorkbenchSettings::default(), &recordings).await;
    assert_eq!(failed(&report), [], "{name}");
    for kind in kinds {
        let judged =
            |rule: &str| report.findings.iter().any(|f| f.rule == rule && f.subject.starts_with(kind) && f.verdict == Verdict::Pass);
        assert!(judged("repeats") && judged("cancel") || *kind == "tokenizer" && judged("spans"), "{name}: {kind} was not looked at");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shipped_plugins_that_compute_pass() {
    shipped_passes("chat-extractive", &["chat-model"]).await;
    shipped_passes("reranker-local", &["reranker"]).await;
    shipped_passes("tokenizer-jieba", &["tokenizer"]).await;
    shipped_passes("embedder-local", &["embedder"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shipped_plugins_that_talk_to_services_pass_with_recorded_calls() {
    shipped_passes("remote-api", &["embedder", "reranker", "chat-model"]).await;
    shipped_passes("ollama", &["embedder", "chat-model", "catalogue"]).await;
}
