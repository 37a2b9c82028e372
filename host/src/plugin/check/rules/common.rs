//! What every kind has to keep: the same answer again, alone and side by side, after anything was given up, and no fault on odd input.
//!
//! Not here: whether an answer is right (`embedder` and its siblings).

use super::super::answer::{CallAnswer, Performed};
use super::super::request::{
    CallRequest, CatalogueCall, EmbedCall, ModeName, ModelSpec, PluginKind, Purpose, QueryName, RerankCall, TokenizeCall,
};
use super::super::tape::Instead;
use super::super::workbench::{How, LOCAL_TENANT};
use super::samples::{Sample, TEXTS, chat_for, task_name};
use super::{Check, all, ends_well};
use crate::limits;
use crate::plugin::check::report::Verdict;
use crate::plugin::loaded::instance_limits;
use crate::provider::{ProviderErrorKind, Usage};
use knowhost_plugin_sdk::manifest::Profile;
use serde_json::json;
use std::time::Duration;

/// Calls at once in one instance.
const TOGETHER: usize = 8;
/// Turns after which a call is given up, one after another.
const CANCELS_MAX: u32 = 40;
const HUGE_TEXT_BYTES: usize = 1 << 20;
/// As many texts as a document of a few hundred pages has.
const HUGE_LIST: usize = 200;
/// A machine that does other things too.
const SLACK: Duration = Duration::from_millis(500);

/// Scripts, marks that belong to what stands before them, text from right to left, controls, a zero byte, and what no font has.
const UNICODE: &str = "e\u{301}a \u{1f469}\u{200d}\u{1f52c}\u{fe0f} مرحبا שלום ᚠᛇᚻ 한국어 ไทย \u{202e}rtl\u{202c} \u{0}\u{1}\u{7f} \u{feff}\u{fffd}\u{10ffff} 𠮷野家";

impl Check<'_> {
    pub(super) async fn common(&mut self, sample: &Sample) {
        let subject = sample.subject.clone();
        let outcome = self.repeats(sample).await;
        self.report.judge("repeats", &subject, outcome);
        match self.bench.manifest.profile {
            Profile::Network => {
                let outcome = self.together(sample).await;
                self.report.judge("together", &subject, outcome);
            }
            Profile::Compute => {
                self.report.add("together", &subject, Verdict::Skip, "with the profile compute an instance has one call at a time");
            }
        }
        match sample.request.kind() {
            PluginKind::Tokenizer => {
                self.report.add("cancel", &subject, Verdict::Skip, "a tokenizer answers in its first turn");
            }
            PluginKind::Embedder | PluginKind::Reranker | PluginKind::ChatModel | PluginKind::Catalogue => {
                let outcome = self.cancel(sample).await;
                self.report.judge("cancel", &subject, outcome);
            }
        }
        let outcome = self.deadline(sample).await;
        self.report.judge("deadline", &subject, outcome);
        for (rule, requests) in
            [("empty", self.empty_requests(sample)), ("huge", self.huge_requests(sample)), ("unicode", self.unicode_requests(sample))]
        {
            let outcome = self.odd(sample, requests).await;
            self.report.judge(rule, &subject, outcome);
        }
        let outcome = self.malformed(sample).await;
        self.report.judge("malformed", &subject, outcome);
        self.usage(sample);
    }

    fn expect_same(sample: &Sample, when: &str, performed: &Performed) -> Result<String, String> {
        let same = match (&sample.first.result, &performed.result) {
            (Ok(first), Ok(again)) => first == again,
            (Err(first), Err(again)) => first.kind == again.kind && first.message == again.message,
            (Ok(_), Err(error)) => return Err(format!("{when}: {}", error.message)),
            (Err(_), Ok(_)) => false,
        };
        if same { Ok(when.to_owned()) } else { Err(format!("{when}, the same call gave another answer")) }
    }

    async fn repeats(&mut self, sample: &Sample) -> Result<String, String> {
        let again = self.perform(sample, &sample.request).await;
        Self::expect_same(sample, "again in the same instance", &again)?;
        for request in self.unicode_requests(sample) {
            let _ = self.perform(sample, &request).await;
        }
        let after = self.perform(sample, &sample.request).await;
        Self::expect_same(sample, "after other calls", &after)?;
        let how = How { tenant: self.fresh(), ..How::within(limits::CHECK_CALL) };
        let fresh = self.perform_as(sample, &sample.model, &sample.request, how).await;
        Self::expect_same(sample, "in a fresh instance", &fresh)?;
        Ok("again, after other calls and in a fresh instance".into())
    }

    async fn together(&mut self, sample: &Sample) -> Result<String, String> {
        let other = match sample.is_free() {
            true => self.unicode_requests(sample).into_iter().next().unwrap_or_else(|| sample.request.clone()),
            false => sample.request.clone(),
        };
        let alone = self.perform(sample, &other).await;
        sample.set_tape(&self.bench.tape);
        let how = How::within(limits::CHECK_CALL);
        let call = |number: usize| {
            let request = if number.is_multiple_of(2) { &sample.request } else { &other };
            self.bench.perform(&sample.model, request, how)
        };
        let performed = futures_util::future::join_all((0..TOGETHER).map(call)).await;
        for (number, one) in performed.iter().enumerate() {
            let expected = if number.is_multiple_of(2) { &sample.first } else { &alone };
            let same = match (&expected.result, &one.result) {
                (Ok(left), Ok(right)) => left == right,
                (Err(left), Err(right)) => left.kind == right.kind,
                (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
            };
            if !same {
                let what = one.result.as_ref().err().map_or("another answer".to_owned(), |error| error.message.clone());
                return Err(format!("{TOGETHER} calls at once: call {} gave {what}", number + 1));
            }
        }
        Ok(format!("{TOGETHER} calls at once"))
    }

    async fn cancel(&mut self, sample: &Sample) -> Result<String, String> {
        for turns in 1..=CANCELS_MAX {
            let made = self.bench.plugin.instances_made();
            let how = How { turns_max: Some(turns), ..How::within(limits::CHECK_CALL) };
            let given_up = self.perform_as(sample, &sample.model, &sample.request, how).await;
            let over = !matches!(&given_up.result, Err(error) if error.kind == ProviderErrorKind::Cancelled);
            let when = format!("after it was given up at turn {turns}");
            let after = self.perform(sample, &sample.request).await;
            Self::expect_same(sample, &when, &after)?;
            if self.bench.plugin.instances_made() > made {
                return Err(format!("{when}, the instance was dead: `cancel` trapped"));
            }
            if over {
                return Ok(match turns {
                    1 => "it answers in its first turn, so there is nothing to give up".into(),
                    _ => format!("given up at each of {} turns", turns - 1),
                });
            }
        }
        Ok(format!("given up at each of the first {CANCELS_MAX} turns"))
    }

    /// A service that is silent, or, where there is none, more work than the time is enough for.
    async fn deadline(&mut self, sample: &Sample) -> Result<String, String> {
        let how = How::within(limits::CHECK_SHORT);
        let performed = match &sample.program {
            Some(program) => {
                let mut program = program.clone();
                program.instead = Some(Instead::Silence);
                self.bench.tape.play(program);
                self.bench.perform(&sample.model, &sample.request, how).await
            }
            None => {
                let request = self.huge_requests(sample).into_iter().next().unwrap_or_else(|| sample.request.clone());
                self.perform_as(sample, &sample.model, &request, how).await
            }
        };
        let most = limits::CHECK_SHORT + instance_limits(&self.bench.manifest).turn_cpu_max + SLACK;
        if performed.time > most {
            return Err(format!("a call with {} ms took {} ms", limits::CHECK_SHORT.as_millis(), performed.time.as_millis()));
        }
        ends_well(&format!("over after {} ms of {}", performed.time.as_millis(), limits::CHECK_SHORT.as_millis()), &performed)
    }

    /// Where only recorded calls are answered, a service stands in that refuses and one that answers with nothing in it.
    async fn odd(&mut self, sample: &Sample, requests: Vec<CallRequest>) -> Result<String, String> {
        let mut outcomes = Vec::new();
        for request in &requests {
            for performed in self.answers_to(sample, &sample.model, request).await {
                outcomes.push(ends_well(&shown(request), &performed));
            }
        }
        all(outcomes).map(|_| format!("{} calls", requests.len()))
    }

    async fn answers_to(&self, sample: &Sample, model: &ModelSpec, request: &CallRequest) -> Vec<Performed> {
        let Some(program) = &sample.program else {
            return vec![self.perform_as(sample, model, request, How::within(limits::CHECK_CALL)).await];
        };
        let mut performed = Vec::new();
        for (status, body) in [(503, "out of order"), (200, "{}")] {
            let mut program = program.clone();
            program.instead = Some(Instead::Answer { status, headers: &[], body });
            self.bench.tape.play(program);
            performed.push(self.bench.perform(model, request, How::within(limits::CHECK_CALL)).await);
        }
        performed
    }

    async fn malformed(&mut self, sample: &Sample) -> Result<String, String> {
        let mut unknown = sample.model.clone();
        unknown.name = "no such model \u{1f980}".into();
        let mut strange = sample.model.clone();
        for (name, value) in [("temperature", json!("hot")), ("dimension", json!(-1)), ("", json!(null)), ("nested", json!([[{}]]))] {
            strange.settings.insert(name.to_owned(), value);
        }
        let properties = self.bench.manifest.settings.as_ref().and_then(|schema| schema["properties"].as_object());
        for name in properties.into_iter().flat_map(|properties| properties.keys()) {
            strange.settings.insert(name.clone(), json!({ "not": ["what", "was", "asked"] }));
        }
        let mut outcomes = Vec::new();
        for (what, model) in [("an unknown model", &unknown), ("strange settings", &strange)] {
            for performed in self.answers_to(sample, model, &sample.request).await {
                outcomes.push(ends_well(what, &performed));
            }
        }
        all(outcomes)
    }

    fn usage(&mut self, sample: &Sample) {
        let Some(usage) = sample.answer().and_then(CallAnswer::usage) else {
            return self.report.add("usage", &sample.subject, Verdict::Skip, "it counts no tokens");
        };
        let Usage { input_tokens, output_tokens } = usage;
        let bytes = serde_json::to_string(&sample.request).map_or(0, |text| text.len());
        let said = matches!(sample.answer(), Some(CallAnswer::Said { pieces, .. }) if !pieces.is_empty());
        // A prompt of the plugin's own may be longer than what it was sent, but not without end.
        let most = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(4).saturating_add(10_000);
        let outcome = if input_tokens == 0 {
            Err("it counted no input tokens for a request that holds text; leave the usage out if it is not known".to_owned())
        } else if u64::from(input_tokens) > most {
            Err(format!("it counted {input_tokens} input tokens for {bytes} bytes"))
        } else if said && output_tokens == 0 {
            Err("it counted no output tokens for an answer that holds text".to_owned())
        } else {
            Ok(format!("{input_tokens} in, {output_tokens} out"))
        };
        self.report.judge("usage", &sample.subject, outcome);
    }

    fn with_texts(&self, sample: &Sample, texts: &[String], query: &str) -> CallRequest {
        match &sample.request {
            CallRequest::Embedder(call) => CallRequest::Embedder(EmbedCall { texts: texts.to_vec(), purpose: call.purpose }),
            CallRequest::Reranker(_) => CallRequest::Reranker(RerankCall { query: query.into(), texts: texts.to_vec(), top: None }),
            CallRequest::Tokenizer(call) => CallRequest::Tokenizer(TokenizeCall { texts: texts.to_vec(), mode: call.mode }),
            CallRequest::ChatModel(call) => {
                let sources: Vec<&str> = texts.iter().map(String::as_str).collect();
                chat_for(call.task, query, &sources)
            }
            CallRequest::Catalogue(_) => sample.request.clone(),
        }
    }

    fn empty_requests(&self, sample: &Sample) -> Vec<CallRequest> {
        let blank = vec![String::new(), "  \n".into()];
        vec![self.with_texts(sample, &[], ""), self.with_texts(sample, &blank, ""), self.with_texts(sample, &blank, "a question")]
    }

    /// The host cuts long lists for embedders and rerankers as the manifest says.
    fn huge_requests(&self, sample: &Sample) -> Vec<CallRequest> {
        let long = "The lighthouse 灯塔 stands. ".repeat(HUGE_TEXT_BYTES / 27);
        let count = match sample.request.kind() {
            PluginKind::Embedder => self.texts_per_call(limits::EMBED_BATCH_TEXTS),
            PluginKind::Reranker => self.texts_per_call(HUGE_LIST),
            PluginKind::ChatModel | PluginKind::Tokenizer | PluginKind::Catalogue => HUGE_LIST,
        };
        let many: Vec<String> = TEXTS.iter().cycle().take(count).map(|text| (*text).to_owned()).collect();
        vec![self.with_texts(sample, std::slice::from_ref(&long), "ferry"), self.with_texts(sample, &many, "ferry")]
    }

    /// As many as the host would send at once.
    pub(super) fn texts_per_call(&self, most: usize) -> usize {
        let asked = self.bench.manifest.limits.texts_per_call_max.and_then(|texts| usize::try_from(texts).ok());
        asked.unwrap_or(most).clamp(1, most)
    }

    fn unicode_requests(&self, sample: &Sample) -> Vec<CallRequest> {
        let texts = vec![UNICODE.to_owned(), "\u{301}".into(), "🦀".repeat(50)];
        let mut requests = vec![self.with_texts(sample, &texts, UNICODE)];
        match &sample.request {
            CallRequest::Embedder(_) => requests.push(CallRequest::Embedder(EmbedCall { texts, purpose: Purpose::Query })),
            CallRequest::Tokenizer(_) => requests.push(CallRequest::Tokenizer(TokenizeCall { texts, mode: ModeName::Query })),
            CallRequest::ChatModel(_) => {
                requests.extend(self.bench.manifest.tasks.iter().map(|task| chat_for(task_name(task), UNICODE, &[UNICODE])));
            }
            CallRequest::Catalogue(_) => {
                let queries = [QueryName::Status, QueryName::Check];
                requests.extend(queries.map(|query| CallRequest::Catalogue(CatalogueCall { query })));
            }
            CallRequest::Reranker(_) => {}
        }
        requests
    }
}

/// A request in a few words.
fn shown(request: &CallRequest) -> String {
    let of = |texts: &[String]| format!("{} texts of {} bytes", texts.len(), texts.iter().map(String::len).sum::<usize>());
    match request {
        CallRequest::Embedder(call) => of(&call.texts),
        CallRequest::Reranker(call) => format!("a query and {}", of(&call.texts)),
        CallRequest::Tokenizer(call) => of(&call.texts),
        CallRequest::ChatModel(call) => {
            format!("{:?} of {} bytes", call.task, call.messages.iter().map(|turn| turn.text.len()).sum::<usize>())
        }
        CallRequest::Catalogue(call) => format!("{:?}", call.query),
    }
}

const _: () = assert!(LOCAL_TENANT.0 < 100, "fresh tenants begin at 100");
