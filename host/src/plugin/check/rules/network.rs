//! What plugins have to keep that talk to a service: recorded calls give what they gave, and whatever goes wrong is told well.
//!
//! Not here: what all kinds have to keep (`common`). Nothing here touches the network.

use super::super::answer::{error_word, result_json};
use super::super::recording::Recording;
use super::super::request::{CallRequest, CatalogueCall, QueryName};
use super::super::tape::{Cut, Instead, Program};
use super::super::workbench::How;
use super::samples::Sample;
use super::{Check, ends_well};
use crate::limits;
use crate::plugin::wasm::wit::io::Fault;
use crate::provider::ProviderErrorKind;
use serde_json::Value;

/// Pieces of so many bytes: characters, lines and numbers are cut everywhere.
const CUTS: [(Cut, &str); 4] =
    [(Cut::AsRecorded, "as recorded"), (Cut::Whole, "whole"), (Cut::Every(1), "byte by byte"), (Cut::Every(7), "in pieces of 7 bytes")];
/// A longer answer is not cut byte by byte: each byte is a turn.
const SMALL_BYTES: usize = 32 << 10;

impl Check<'_> {
    pub(super) async fn network(&mut self, sample: &Sample) {
        let (Some(program), Some(recording)) = (&sample.program, &sample.recording) else { return };
        let subject = sample.subject.clone();
        let outcome = self.recorded(sample, program, recording).await;
        self.report.judge("recorded", &subject, outcome);
        sample.set_tape(&self.bench.tape);
        let _ = self.bench.perform(&sample.model, &sample.request, How::within(limits::CHECK_CALL)).await;
        let heard = self.bench.tape.heard();
        let granted = if heard.refused.is_empty() { Ok(format!("{} exchanges", heard.exchanges)) } else { Err(heard.refused.join("; ")) };
        self.report.judge("granted", &subject, granted);
        let outcome = self.failures(sample, program).await;
        self.report.judge("failures", &subject, outcome);
    }

    async fn recorded(&self, sample: &Sample, program: &Program, recording: &Recording) -> Result<String, String> {
        let bytes: usize = recording.exchanges.iter().flat_map(|exchange| &exchange.chunks).map(|c| c.bytes().map_or(0, |b| b.len())).sum();
        for (cut, how) in CUTS {
            if matches!(cut, Cut::Every(_)) && bytes > SMALL_BYTES {
                continue;
            }
            self.bench.tape.play(Program { cut, ..program.clone() });
            let performed = self.bench.perform(&sample.model, &sample.request, How::within(limits::CHECK_CALL)).await;
            let heard = self.bench.tape.heard();
            if let Some(unknown) = heard.unknown.first() {
                return Err(format!("{unknown}; if the plugin was changed on purpose, record the call again"));
            }
            let (before, now) = (comparable(recording.result.clone()), comparable(result_json(&performed.result)));
            if before != now {
                return Err(format!("with the body {how} it gave {}, and {} when it was recorded", short(&now), short(&before)));
            }
        }
        Ok(format!("{} exchanges, {bytes} bytes, cut in every way", recording.exchanges.len()))
    }

    async fn failures(&self, sample: &Sample, program: &Program) -> Result<String, String> {
        // A plugin that asks first whether a model is there may take a refusal for a no.
        let is_question = matches!(sample.request, CallRequest::Catalogue(CatalogueCall { query: QueryName::Check | QueryName::Remove }));
        let mut told = Vec::new();
        for (what, instead, wanted) in cases() {
            self.bench.tape.play(Program { instead: Some(instead), ..program.clone() });
            let performed = self.bench.perform(&sample.model, &sample.request, How::within(limits::CHECK_CALL)).await;
            ends_well(what, &performed)?;
            match (&performed.result, wanted) {
                (_, Wanted::Anything) => {}
                (Ok(_), Wanted::AnyError | Wanted::Kind(_)) if is_question => {}
                (Ok(_), Wanted::AnyError | Wanted::Kind(_)) => return Err(format!("{what}: it answered as if nothing had happened")),
                (Err(_), Wanted::AnyError) => {}
                (Err(error), Wanted::Kind(kinds)) => {
                    if !kinds.iter().any(|kind| same_kind(*kind, error.kind)) {
                        let names: Vec<&str> = kinds.iter().map(error_word).collect();
                        let (found, names) = (error_word(&error.kind), names.join(" or "));
                        return Err(format!("{what}: it told {found} ({:?}), where {names} belongs", error.message));
                    }
                }
            }
            told.push(what);
        }
        Ok(told.join(", "))
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    /// An answer or any error, as long as it is no fault.
    Anything,
    AnyError,
    Kind(&'static [ProviderErrorKind]),
}

const RATE_LIMITED: ProviderErrorKind = ProviderErrorKind::RateLimited { retry_after_ms: None };

fn cases() -> [(&'static str, Instead, Wanted); 10] {
    use ProviderErrorKind as Kind;
    let refusal = |status, headers| Instead::Answer { status, headers, body: "{\"error\":{\"message\":\"the reason\"}}" };
    [
        ("not granted", Instead::Fault(Fault::Denied, "not granted in this check"), Wanted::Kind(&[Kind::Denied])),
        ("no connection", Instead::Fault(Fault::Connect, "no connection in this check"), Wanted::Kind(&[Kind::Upstream])),
        ("a broken connection", Instead::BrokenOff, Wanted::AnyError),
        ("status 401", refusal(401, &[]), Wanted::Kind(&[Kind::Unauthorised, Kind::Denied])),
        ("status 404", refusal(404, &[]), Wanted::Kind(&[Kind::NotFound, Kind::Upstream, Kind::Invalid])),
        ("status 429", refusal(429, &[("retry-after", "2")]), Wanted::Kind(&[RATE_LIMITED])),
        ("status 500", refusal(500, &[]), Wanted::Kind(&[Kind::Upstream])),
        ("nonsense", Instead::Answer { status: 200, headers: &[], body: "<html>\u{0}{[ nonsense" }, Wanted::Anything),
        ("an empty answer", Instead::Answer { status: 200, headers: &[], body: "" }, Wanted::Anything),
        ("an endless answer", Instead::Endless, Wanted::Anything),
    ]
}

/// How long to wait is the plugin's to tell.
fn same_kind(wanted: ProviderErrorKind, found: ProviderErrorKind) -> bool {
    let is_limit = |kind| matches!(kind, ProviderErrorKind::RateLimited { .. });
    wanted == found || (is_limit(wanted) && is_limit(found))
}

/// How many pieces there were is up to the network.
fn comparable(mut result: Value) -> Value {
    if let Some(answer) = result.get_mut("answer").and_then(Value::as_object_mut) {
        answer.remove("pieces");
        answer.remove("progress");
    }
    rounded(result)
}

/// Numbers as they were before they became text: a plugin gives 32 bits.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => Value::from(number.as_f64().unwrap_or_default() as f32),
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 200 { text.chars().take(200).collect::<String>() + "..." } else { text }
}
