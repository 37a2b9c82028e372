//! A question outside of any conversation, for those who measure: what was found for it, and the whole answer.
//!
//! Not here: measuring (`evaluate`). The steps are those of the chat, without history and without a stream.

use super::budget::Budget;
use super::steps::{self, Finding, Searched};
use super::text::filter::{Ending, NoMatchFilter};
use super::text::{merge, preprocess, think, top, validate};
use super::{Chat, prompt};
use crate::domain::{SearchResult, Session, TenantScope};
use crate::error::Result;
use crate::limits;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug, PartialEq)]
pub struct AnswerOnce {
    /// Best first, before passages are joined and cut to what the prompt holds.
    pub found: Vec<SearchResult>,
    /// Without the model's thinking; the session's fallback where there is no answer.
    pub text: String,
}

impl Chat {
    /// `session` says how to answer; it need not be stored. A model that fails is an error here, because nobody reads a half answer.
    pub async fn answer_once(&self, scope: &TenantScope, request_id: &str, session: &Session, question: &str) -> Result<AnswerOnce> {
        let parts = &self.parts;
        let text = validate::question(question)?;
        let cancel = CancellationToken::new();
        // Whoever asks waits for all of it: when the future is dropped, so are its calls.
        let _guard = cancel.clone().drop_guard();
        let budget = Budget::in_background(scope.tenant_id(), request_id, limits::ANSWER_TIME, cancel);
        let keywords = preprocess::keywords(&*parts.registry.tokenizer(), text).await?;
        let searched = Searched { text: text.to_owned(), keywords };
        let ranked = steps::find(parts, &budget, scope, &Finding::of_session(session, text, false), &searched, &[]).await?;
        let found = ranked.iter().map(|hit| hit.result.clone()).collect();
        let best = top(merge::merge(ranked), session.rerank_top_k);
        let fallback = || session.fallback_response.clone();
        if best.is_empty() {
            return Ok(AnswerOnce { found, text: fallback() });
        }
        let request = prompt::answer_request(session, &parts.conversation, text, &[], &best, prompt::now())?;
        let model = parts.registry.chat_model(scope, &session.summary_model_id).await?;
        let plugin = model.plugin().clone();
        let stream = steps::open(&budget, model, request).await?;
        let context = budget.context(limits::ANSWER_TIME);
        let said = budget.run("the answer", &context, steps::gather(stream, &plugin)).await?;
        Ok(AnswerOnce { found, text: spoken(&said, &session.summary_parameters.no_match_prefix).unwrap_or_else(fallback) })
    }
}

/// What a reader of the chat would see, without thinking; `None`: the model said that there is no answer, or nothing.
fn spoken(said: &str, marker: &str) -> Option<String> {
    let mut filter = NoMatchFilter::new(marker);
    let passed = filter.push(said).unwrap_or_default();
    let text = match filter.finish() {
        Ending::Passed => passed,
        Ending::Rest(rest) => rest,
        Ending::NoMatch => return None,
    };
    let text = think::remove(&text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_and_markers_are_no_answers() {
        let marker = "<think>\n</think>\nNO_MATCH";
        assert_eq!(spoken("<think>Hm, a lamp?</think>\nGreen.", marker), Some("Green.".into()));
        assert_eq!(spoken("NO", marker), Some("NO".into()));
        for nothing in ["", " \n", "NO_MATCH", "<think>\n</think>\n\nNO_MATCH", "<think>only thoughts</think>"] {
            assert_eq!(spoken(nothing, marker), None, "{nothing:?}");
        }
    }
}
