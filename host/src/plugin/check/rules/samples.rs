//! The calls that the rules start from: plain ones where the plugin needs no network, recorded ones where it does.
//!
//! Not here: what is demanded of them.

use super::super::answer::{CallAnswer, Performed};
use super::super::recording::Recording;
use super::super::report::Verdict;
use super::super::request::{CallRequest, ChatCall, ModelSpec, PluginKind, RerankCall, TaskName};
use super::super::tape::{CheckTape, Cut, Program};
use super::super::workbench::How;
use super::Check;
use crate::limits;
use knowhost_plugin_sdk::manifest::Task;
use std::sync::Arc;

/// Sentences in both languages of the kit, short and long.
pub(super) const TEXTS: [&str; 5] = [
    "The ferry leaves for the island at seven in the morning.",
    "员工每年享有十五天带薪年假。",
    "Tea",
    "The lighthouse keeper writes down wind, waves and ships every hour, and sends the book to the harbour at the end of the month.",
    "灯塔看守人每小时记录一次风、浪和船只。 The book goes to the harbour.",
];

/// A call that works.
pub(super) struct Sample {
    pub(super) subject: String,
    pub(super) model: ModelSpec,
    pub(super) request: CallRequest,
    /// What answers in the place of the network; `None`: the plugin needs none.
    pub(super) program: Option<Program>,
    /// The recording that it came from.
    pub(super) recording: Option<Recording>,
    /// What the call gave; an error only where one was recorded.
    pub(super) first: Performed,
}

impl Sample {
    /// Any text can be sent, not only what was recorded.
    pub(super) fn is_free(&self) -> bool {
        self.program.is_none()
    }

    pub(super) fn answer(&self) -> Option<&CallAnswer> {
        self.first.result.as_ref().ok()
    }

    pub(super) fn set_tape(&self, tape: &CheckTape) {
        match &self.program {
            Some(program) => tape.play(program.clone()),
            None => tape.close(),
        }
    }
}

impl Check<'_> {
    /// Those of one kind: one for each model that answers by itself, else one for each recording.
    pub(super) async fn samples(&mut self, kind: PluginKind) -> Vec<Sample> {
        let mut samples = Vec::new();
        let request = self.plain_request(kind);
        let may_need_network = !self.bench.manifest.allowed_hosts.is_empty();
        for model in self.bench.models(kind) {
            let subject = format!("{} {}", kind.name(), model.name);
            self.bench.tape.close();
            let first = self.bench.perform(&model, &request, How::within(limits::CHECK_CALL)).await;
            let heard = self.bench.tape.heard();
            match &first.result {
                Ok(_) => {
                    self.report.add("answers", &subject, Verdict::Pass, format!("in {} us, {} turns", first.time.as_micros(), first.turns));
                    let request = request.clone();
                    samples.push(Sample { subject, model, request, program: None, recording: None, first });
                }
                Err(error) if may_need_network || !heard.refused.is_empty() => {
                    if !heard.refused.is_empty() {
                        self.report.add("granted", &subject, Verdict::Fail, heard.refused.join("; "));
                    }
                    if error.kind == crate::provider::ProviderErrorKind::PluginFault {
                        self.report.add("answers", &subject, Verdict::Fail, error.message.clone());
                    }
                }
                Err(error) => self.report.add("answers", &subject, Verdict::Fail, error.message.clone()),
            }
        }
        if may_need_network {
            let recorded = self.recorded_samples(kind).await;
            if recorded.is_empty() && samples.is_empty() {
                let name = kind.name();
                let text = format!(
                    "it needs its service, and no call of it is recorded: run `knowhost plugin record FILE --kind {name} --base-url URL ...`"
                );
                self.report.add("recorded", name, Verdict::Skip, text);
            }
            samples.extend(recorded);
        }
        samples
    }

    async fn recorded_samples(&mut self, kind: PluginKind) -> Vec<Sample> {
        let of_kind: Vec<_> = self.recordings.iter().filter(|(_, recording)| recording.request.kind() == kind).collect();
        let mut samples = Vec::new();
        for (name, recording) in of_kind {
            let program = Program { recorded: Arc::new(recording.exchanges.clone()), cut: Cut::AsRecorded, instead: None };
            self.bench.tape.play(program.clone());
            let first = self.bench.perform(&recording.model, &recording.request, How::within(limits::CHECK_CALL)).await;
            samples.push(Sample {
                subject: format!("{} {name}", kind.name()),
                model: recording.model.clone(),
                request: recording.request.clone(),
                program: Some(program),
                recording: Some(recording.clone()),
                first,
            });
        }
        samples
    }

    fn plain_request(&self, kind: PluginKind) -> CallRequest {
        let texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
        match kind {
            PluginKind::Embedder | PluginKind::Tokenizer | PluginKind::Catalogue => CallRequest::of_texts(kind, &texts),
            PluginKind::Reranker => CallRequest::Reranker(RerankCall { query: "When does the ferry leave?".into(), texts, top: None }),
            PluginKind::ChatModel => {
                chat_for(self.bench.manifest.tasks.first().map_or(TaskName::Answer, task_name), "When does the ferry leave?", &TEXTS)
            }
        }
    }
}

/// A question with its sources, as this task.
pub(super) fn chat_for(task: TaskName, question: &str, sources: &[&str]) -> CallRequest {
    match CallRequest::question(question, sources) {
        CallRequest::ChatModel(call) => {
            let question = call.question.filter(|_| task == TaskName::Answer);
            let sources = if task == TaskName::Answer { call.sources } else { Vec::new() };
            CallRequest::ChatModel(ChatCall { task, question, sources, ..ChatCall { messages: call.messages, ..ChatCall::default() } })
        }
        other @ (CallRequest::Embedder(_) | CallRequest::Reranker(_) | CallRequest::Tokenizer(_) | CallRequest::Catalogue(_)) => other,
    }
}

pub(super) fn task_name(task: &Task) -> TaskName {
    match task {
        Task::Answer => TaskName::Answer,
        Task::Rewrite => TaskName::Rewrite,
        Task::Summary => TaskName::Summary,
        Task::Title => TaskName::Title,
        Task::Extract => TaskName::Extract,
    }
}
