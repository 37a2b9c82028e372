//! What chat models have to keep: pieces in order that hold something, an end that fits them, and every task they list.
//!
//! Not here: what all kinds have to keep (`common`). Whether an answer is true nobody can check here.

use super::super::answer::{CallAnswer, Piece, text};
use super::super::report::Verdict;
use super::super::request::CallRequest;
use super::samples::{Sample, TEXTS, chat_for, task_name};
use super::{Check, all};

impl Check<'_> {
    pub(super) async fn chat_model(&mut self, sample: &Sample) {
        let Some(CallAnswer::Said { pieces, finish, .. }) = sample.answer() else { return };
        self.report.judge("stream", &sample.subject, stream(pieces, finish));
        if !sample.is_free() {
            return self.report.add("tasks", &sample.subject, Verdict::Skip, "only the recorded call is answered");
        }
        let mut outcomes = Vec::new();
        for task in &self.bench.manifest.tasks {
            let request = chat_for(task_name(task), "When does the ferry leave?", &TEXTS);
            outcomes.push(self.task(sample, &request, task_name(task).word()).await);
        }
        self.report.judge("tasks", &sample.subject, all(outcomes));
    }

    async fn task(&self, sample: &Sample, request: &CallRequest, name: &str) -> Result<String, String> {
        match self.perform(sample, request).await.result {
            Ok(CallAnswer::Said { pieces, finish, .. }) => {
                stream(&pieces, finish).map_err(|reason| format!("{name}: {reason}"))?;
                if text(&pieces).trim().is_empty() { Err(format!("{name}: it said nothing")) } else { Ok(name.to_owned()) }
            }
            Ok(_) => Err(format!("{name}: its answer is none of a chat model")),
            Err(error) => Err(format!("{name}: {}; take it out of `tasks` if the model can not do it", error.message)),
        }
    }
}

fn stream(pieces: &[Piece], finish: &str) -> Result<String, String> {
    if pieces.contains(&Piece::Tool) {
        return Err("it called a tool, though none was offered".into());
    }
    if finish == "tool" {
        return Err("it ended with the reason tool, though none was offered".into());
    }
    let first_text = pieces.iter().position(|piece| matches!(piece, Piece::Text(_)));
    let last_reasoning = pieces.iter().rposition(|piece| matches!(piece, Piece::Reasoning(_)));
    if let (Some(text), Some(reasoning)) = (first_text, last_reasoning)
        && reasoning > text
    {
        return Err(format!("piece {} is reasoning, after the answer began with piece {}", reasoning + 1, text + 1));
    }
    if finish == "stop" && text(pieces).is_empty() {
        return Err("it ended with the reason stop and said nothing".into());
    }
    Ok(format!("{} pieces, then {finish}", pieces.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    #[test]
    fn order_and_end_of_a_stream_are_looked_at() {
        let thought = || Piece::Reasoning("hm".into());
        assert!(stream(&[thought(), said("a"), said("b")], "stop").is_ok());
        assert!(stream(&[], "filter").is_ok());
        for (pieces, finish) in [
            (vec![said("a"), thought()], "stop"),
            (vec![Piece::Tool], "stop"),
            (vec![said("a")], "tool"),
            (vec![], "stop"),
            (vec![said(""), thought()], "stop"),
        ] {
            assert!(stream(&pieces, finish).is_err(), "{pieces:?}");
        }
    }
}
