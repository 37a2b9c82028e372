//! What the conformance kit found: each rule passed, failed or was left out, with a sentence; as JSON and as a badge.
//!
//! Not here: the rules themselves (`rules`).

use serde::Serialize;
use serde_json::{Value, json};

/// Each rule by its id, with what it demands.
pub const RULES: [(&str, &str); 24] = [
    ("manifest", "the component carries a manifest that fits its exports"),
    ("loads", "the component loads, and its instance stays below its memory limit"),
    ("answers", "a plain call is answered"),
    ("repeats", "the same call gives the same answer, in the same instance, in a fresh one, and after other calls"),
    ("together", "calls that share an instance do not disturb each other"),
    ("cancel", "a call that is given up at any turn leaves the instance usable"),
    ("deadline", "a call ends when its time is over"),
    ("empty", "nothing to do is an answer or an error, not a fault"),
    ("huge", "a megabyte of text and a long list are an answer or an error, not a fault"),
    ("unicode", "text of every script, and what is no text, is an answer or an error, not a fault"),
    ("malformed", "an unknown model and strange settings are an answer or an error, not a fault"),
    ("usage", "tokens are counted plausibly where they are counted"),
    ("batch", "texts together give what they give one by one"),
    ("dimension", "there is one row for each text, as long as the manifest says"),
    ("numbers", "every number is finite and no row is empty"),
    ("ranking", "every index is there at most once, best first, and `top` is kept"),
    ("scores", "every score lies between 0 and 1"),
    ("stream", "pieces come in order, say something, and fit how the answer ended"),
    ("tasks", "every task of the manifest is carried out"),
    ("spans", "words lie on character borders, in order, within their text"),
    ("quality", "questions find their passages in a small set in English and Chinese"),
    ("recorded", "recorded calls give what they gave, however their bodies are cut"),
    ("granted", "nothing is asked for that the manifest does not list"),
    ("failures", "refusals and broken exchanges end in the right error with a sentence"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Pass,
    Fail,
    /// Could not be looked at; the text says why.
    Skip,
}

#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub rule: &'static str,
    /// Kind and model, or recording; empty for the plugin as a whole.
    pub subject: String,
    pub verdict: Verdict,
    pub text: String,
}

#[derive(Clone, Debug, Default)]
pub struct Report {
    pub name: String,
    pub version: String,
    pub digest: String,
    pub kinds: Vec<&'static str>,
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn add(&mut self, rule: &'static str, subject: &str, verdict: Verdict, text: impl Into<String>) {
        self.findings.push(Finding { rule, subject: subject.to_owned(), verdict, text: text.into() });
    }

    /// `Ok`: passed, with what was seen; `Err`: broken.
    pub(super) fn judge(&mut self, rule: &'static str, subject: &str, outcome: Result<String, String>) {
        match outcome {
            Ok(text) => self.add(rule, subject, Verdict::Pass, text),
            Err(text) => self.add(rule, subject, Verdict::Fail, text),
        }
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    pub fn passed(&self) -> bool {
        self.count(Verdict::Fail) == 0
    }

    /// In one line.
    pub fn summary(&self) -> String {
        format!("{} passed, {} failed, {} left out", self.count(Verdict::Pass), self.count(Verdict::Fail), self.count(Verdict::Skip))
    }

    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "version": self.version,
            "digest": self.digest,
            "kinds": self.kinds,
            "host": env!("CARGO_PKG_VERSION"),
            "interface": knowhost_plugin_sdk::INTERFACE,
            "ok": self.passed(),
            "passed": self.count(Verdict::Pass),
            "failed": self.count(Verdict::Fail),
            "skipped": self.count(Verdict::Skip),
            "findings": self.findings,
        })
    }

    /// A picture for a README, with nothing in it that could run or be fetched.
    pub fn badge(&self) -> String {
        let (passed, judged) = (self.count(Verdict::Pass), self.count(Verdict::Pass) + self.count(Verdict::Fail));
        let (word, colour) = if self.passed() { ("conforms", "#2f7d32") } else { ("fails", "#b3261e") };
        let left = format!("knowhost plugin {}", knowhost_plugin_sdk::INTERFACE);
        let right = format!("{word} {passed}/{judged}");
        let width = |text: &str| 7 * text.len() + 14;
        let (left_width, right_width) = (width(&left), width(&right));
        let all = left_width + right_width;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{left}: {right}\">\
             <rect width=\"{all}\" height=\"20\" rx=\"3\" fill=\"#444\"/>\
             <rect x=\"{left_width}\" width=\"{right_width}\" height=\"20\" rx=\"3\" fill=\"{colour}\"/>\
             <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" text-anchor=\"middle\">\
             <text x=\"{}\" y=\"14\">{left}</text><text x=\"{}\" y=\"14\">{right}</text></g></svg>\n",
            left_width / 2,
            left_width + right_width / 2
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_is_a_failure_and_skips_are_none() {
        let mut report = Report::default();
        report.judge("loads", "", Ok("in 3 ms".into()));
        report.add("quality", "", Verdict::Skip, "no network");
        assert!(report.passed() && report.badge().contains("conforms 1/1"));
        report.judge("scores", "reranker m", Err("2.5".into()));
        assert!(!report.passed() && report.badge().contains("fails 1/2"));
        assert_eq!(report.summary(), "1 passed, 1 failed, 1 left out");
        let json = report.to_json();
        assert_eq!((json["ok"].as_bool(), json["findings"][1]["verdict"].as_str()), (Some(false), Some("skip")));
    }
}
