//! Asks the model for the answer and passes it on as it comes.
//!
//! Not here: who listens.

use crate::chat::budget::Budget;
use crate::chat::text::filter::{Ending, NoMatchFilter};
use crate::error::Result;
use crate::limits;
use crate::provider::{ChatDelta, ChatModel, ChatRequest, ChatStream};
use crate::stream::StreamWriter;
use futures_util::StreamExt;
use std::sync::Arc;

/// How a generated answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Answered {
    /// All of it went out.
    Whole,
    /// There was none, or the model said that there is none: the fallback takes its place.
    Nothing,
}

/// Resolves when the provider has accepted the request; a refusal is an error.
pub(in crate::chat) async fn open(budget: &Budget, model: Arc<dyn ChatModel>, request: ChatRequest) -> Result<ChatStream> {
    // The call goes on after this step, so its own deadline is that of the whole answer.
    let call = budget.context(limits::ANSWER_TIME);
    let step = budget.context(limits::OPEN_TIME);
    let opening = async { Ok(model.chat_stream(&call, request).await?) };
    budget.run("the model's first answer", &step, opening).await
}

/// A failure in mid-answer ends it like an end: what was said stays, the reason goes to the log.
pub(in crate::chat) async fn generate(budget: &Budget, mut stream: ChatStream, marker: &str, writer: &StreamWriter) -> Answered {
    let mut filter = NoMatchFilter::new(marker);
    let mut has_text = false;
    let reason = loop {
        let delta = tokio::select! {
            biased;
            () = budget.cancelled() => break Some("the answer was stopped".to_owned()),
            delta = tokio::time::timeout_at(budget.deadline().into(), stream.next()) => match delta {
                Ok(delta) => delta,
                Err(_) => break Some("the answer took too long".to_owned()),
            },
        };
        match delta {
            Some(Ok(ChatDelta::Text(piece))) => {
                has_text |= !piece.trim().is_empty();
                if let Some(passed) = filter.push(&piece)
                    && !writer.answer(&passed)
                {
                    break Some("the answer is longer than answers may be".to_owned());
                }
            }
            Some(Ok(ChatDelta::Reasoning(_) | ChatDelta::Tool(_))) => {}
            Some(Ok(ChatDelta::End { .. })) => break None,
            Some(Err(error)) => break Some(error.to_string()),
            None => break Some("the stream was cut".to_owned()),
        }
    };
    if let Some(reason) = &reason {
        tracing::warn!(request_id = budget.request_id(), reason, "an answer ended early");
    }
    match filter.finish() {
        Ending::Passed if has_text => Answered::Whole,
        Ending::Rest(rest) if writer.answer(&rest) => Answered::Whole,
        Ending::Passed | Ending::Rest(_) | Ending::NoMatch => Answered::Nothing,
    }
}
