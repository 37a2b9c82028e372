//! The rules of the conformance kit: what any plugin has to keep, whoever wrote it.
//!
//! Not here: calls (`workbench`) and the network (`tape`).

mod chat;
mod common;
mod embedder;
mod network;
mod reranker;
mod samples;
mod tokenizer;

use super::answer::{Performed, error_word};
use super::recording::Recording;
use super::report::{Report, Verdict};
use super::request::{CallRequest, ModelSpec, PluginKind};
use super::workbench::{How, Workbench, WorkbenchSettings};
use crate::domain::TenantId;
use crate::limits;
use crate::plugin::binary::manifest_of;
use crate::provider::ProviderErrorKind;
use knowhost_plugin_sdk::manifest::{Manifest, ModelKind};
use samples::Sample;
use std::path::Path;

/// What stands for the plugin as a whole.
const WHOLE: &str = "";

/// Checks the component at `file` against every rule; `recordings` are its recorded calls by name.
pub async fn check(file: &Path, settings: &WorkbenchSettings, recordings: &[(String, Recording)]) -> anyhow::Result<Report> {
    let bytes = std::fs::read(file).map_err(|error| anyhow::anyhow!("can not read {}: {error}", file.display()))?;
    Ok(check_bytes(bytes, settings, recordings).await)
}

pub(super) async fn check_bytes(bytes: Vec<u8>, settings: &WorkbenchSettings, recordings: &[(String, Recording)]) -> Report {
    let mut report = Report::default();
    let manifest = match manifest_of(&bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            report.add("manifest", WHOLE, Verdict::Fail, format!("{error:#}"));
            return report;
        }
    };
    report.name.clone_from(&manifest.name);
    report.version.clone_from(&manifest.version);
    let bench = match Workbench::open_bytes(bytes, settings) {
        Ok(bench) => bench,
        Err(error) => {
            report.add("loads", WHOLE, Verdict::Fail, format!("{error:#}"));
            return report;
        }
    };
    report.digest.clone_from(&bench.digest);
    report.kinds = bench.kinds().iter().map(|kind| kind.name()).collect();
    report.judge("manifest", WHOLE, fits_exports(&manifest, &bench.kinds()));
    let (ms, kib) = (bench.plugin.load_time.as_millis(), bench.size_bytes >> 10);
    report.add("loads", WHOLE, Verdict::Pass, format!("{kib} KiB, ready after {ms} ms"));
    let mut check = Check { bench: &bench, report, recordings, next_tenant: 100 };
    for kind in bench.kinds() {
        check.kind(kind).await;
    }
    check.recordings_of_other_kinds();
    check.report
}

/// The calls that tell whether a model is any good, for those whose service has to be recorded; none for kinds that have no such set.
pub fn quality_requests(bench: &Workbench, kind: PluginKind) -> Vec<CallRequest> {
    let asked = bench.manifest.limits.texts_per_call_max.and_then(|texts| usize::try_from(texts).ok());
    match kind {
        PluginKind::Embedder => embedder::quality_requests(asked.unwrap_or(usize::MAX).clamp(1, limits::EMBED_BATCH_TEXTS)),
        PluginKind::Reranker => reranker::quality_requests(),
        PluginKind::ChatModel | PluginKind::Tokenizer | PluginKind::Catalogue => Vec::new(),
    }
}

fn fits_exports(manifest: &Manifest, kinds: &[PluginKind]) -> Result<String, String> {
    for model in &manifest.models {
        let kind = match model.kind {
            ModelKind::Embedder => PluginKind::Embedder,
            ModelKind::Reranker => PluginKind::Reranker,
            ModelKind::ChatModel => PluginKind::ChatModel,
        };
        if !kinds.contains(&kind) {
            return Err(format!("[[models]] brings the {} {:?}, but the component exports no {}", kind.name(), model.name, kind.name()));
        }
    }
    let chats = kinds.contains(&PluginKind::ChatModel);
    if chats && manifest.tasks.is_empty() {
        return Err("it exports chat-model, but `tasks` lists nothing, so it would never be asked: add tasks = [\"answer\"]".into());
    }
    if !chats && !manifest.tasks.is_empty() {
        return Err("`tasks` is for chat models, and the component exports none: take the line out".into());
    }
    Ok(format!("{} for interface {}", kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "), manifest.interface))
}

/// One run of the kit.
struct Check<'a> {
    bench: &'a Workbench,
    report: Report,
    recordings: &'a [(String, Recording)],
    next_tenant: i64,
}

impl Check<'_> {
    /// A tenant that nobody has been: its calls get a fresh instance.
    fn fresh(&mut self) -> TenantId {
        self.next_tenant += 1;
        TenantId(self.next_tenant)
    }

    async fn kind(&mut self, kind: PluginKind) {
        for sample in self.samples(kind).await {
            self.common(&sample).await;
            match kind {
                PluginKind::Embedder => self.embedder(&sample).await,
                PluginKind::Reranker => self.reranker(&sample).await,
                PluginKind::ChatModel => self.chat_model(&sample).await,
                PluginKind::Tokenizer => self.tokenizer(&sample).await,
                PluginKind::Catalogue => {}
            }
            self.network(&sample).await;
        }
    }

    fn recordings_of_other_kinds(&mut self) {
        let kinds = self.bench.kinds();
        for (name, recording) in self.recordings {
            let kind = recording.request.kind();
            if !kinds.contains(&kind) {
                let text = format!("it is a call of a {}, which this plugin is not; remove it", kind.name());
                self.report.add("recorded", name, Verdict::Fail, text);
            }
        }
    }

    /// A call of the sample's model that plays what the sample plays.
    async fn perform(&self, sample: &Sample, request: &CallRequest) -> Performed {
        self.perform_as(sample, &sample.model, request, How::within(limits::CHECK_CALL)).await
    }

    async fn perform_as(&self, sample: &Sample, model: &ModelSpec, request: &CallRequest, how: How) -> Performed {
        sample.set_tape(&self.bench.tape);
        self.bench.perform(model, request, how).await
    }
}

/// An answer, or an error of the contract that says something; a fault of the plugin is neither.
fn ends_well(what: &str, performed: &Performed) -> Result<String, String> {
    match &performed.result {
        Ok(_) => Ok(format!("{what}: answered")),
        Err(error) if error.kind == ProviderErrorKind::PluginFault => Err(format!("{what}: {}", error.message)),
        Err(error) if error.message.trim().is_empty() => {
            Err(format!("{what}: the error {} says nothing; tell what is wrong", error_word(&error.kind)))
        }
        Err(error) => Ok(format!("{what}: {}", error_word(&error.kind))),
    }
}

/// All of them, or the first that is broken.
fn all(outcomes: impl IntoIterator<Item = Result<String, String>>) -> Result<String, String> {
    Ok(outcomes.into_iter().collect::<Result<Vec<_>, _>>()?.join("; "))
}
