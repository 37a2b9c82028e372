//! The way from a question to its answer, in the order of its diagram:
//! `history -> rewrite -> preprocess -> retrieve -> rerank -> merge -> top k -> prompt -> stream -> filter`.
//!
//! Not here: what each step does (`steps`, `text`), and saving the answer (`ask`).

use super::ask::Stories;
use super::budget::Budget;
use super::steps::{self, Answered, Finding};
use super::text::{history, merge, top};
use super::{ChatParts, prompt};
use crate::domain::{SearchResult, Session, TenantScope};
use crate::error::Result;
use crate::provider::ChatTask;
use crate::stream::StreamWriter;
use std::sync::Arc;

pub(super) struct Question<'a> {
    pub(super) scope: &'a TenantScope,
    pub(super) session: &'a Session,
    /// As typed, without blanks around it.
    pub(super) text: &'a str,
    /// Where the stories of what is cited go, if somebody asked for them.
    pub(super) stories: Option<&'a Stories>,
}

/// What an answer cites, and what is said instead of one.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) references: Arc<Vec<SearchResult>>,
    /// Empty unless it is the whole answer.
    pub(super) fallback: String,
}

/// `opened` is called when nothing can fail any more: the provider has accepted the request, or the fallback is the answer.
pub(super) async fn answer(
    parts: &ChatParts,
    budget: &Budget,
    question: &Question<'_>,
    writer: &StreamWriter,
    opened: impl FnOnce(),
) -> Result<Answer> {
    let Question { scope, session, text, stories } = *question;
    let rounds = steps::history(parts, scope, session).await?;
    let searched = steps::rewrite(parts, budget, scope, session, text, &rounds).await?;
    let finding = Finding::of_session(session, text, stories.is_some());
    let ranked = steps::find(parts, budget, scope, &finding, &searched, history::references(&rounds)).await?;
    let best = top(merge::merge(ranked), session.rerank_top_k);
    if best.is_empty() {
        opened();
        return Ok(Answer { fallback: session.fallback_response.clone(), ..Answer::default() });
    }
    if let Some(stories) = stories {
        stories.tell(&best);
    }
    let references = Arc::new(best.iter().map(|hit| hit.result.clone()).collect::<Vec<_>>());
    writer.references(Arc::clone(&references));
    let mut request = prompt::answer_request(session, &parts.conversation, text, &rounds, &best, prompt::now())?;
    let model = parts.registry.chat_model(scope, &session.summary_model_id).await?;
    if !model.can(ChatTask::Rewrite) {
        // Who can not rewrite does not read the rounds either: the terms before a follow-up say what it is about.
        request.question = Some(searched.text.clone());
    }
    let stream = steps::open(budget, model, request).await?;
    opened();
    let fallback = match steps::generate(budget, stream, &session.summary_parameters.no_match_prefix, writer).await {
        Answered::Whole => String::new(),
        Answered::Nothing if budget.is_cancelled() => String::new(),
        Answered::Nothing => session.fallback_response.clone(),
    };
    Ok(Answer { references, fallback })
}
