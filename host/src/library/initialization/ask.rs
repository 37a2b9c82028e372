//! Asks a chat model for a text and waits for all of it.
//!
//! Not here: answers to people, which stream (`chat`).

use crate::limits;
use crate::provider::{CallContext, ChatModel, ChatRequest, ProviderError, ProviderErrorKind, ProviderResult, Said, gather};

/// What the model says, without thinking that it marks as such.
pub(super) async fn whole_answer(model: &dyn ChatModel, context: &CallContext, request: ChatRequest) -> ProviderResult<String> {
    let stream = model.chat_stream(context, request).await?;
    match gather(stream, limits::COLLECTED_BYTES_MAX).await? {
        Said::Whole(text) | Said::Cut(text) => Ok(without_thinking(text)),
        Said::TooLong => {
            Err(ProviderError::new(ProviderErrorKind::Upstream, model.plugin().to_string(), "the answer does not come to an end"))
        }
    }
}

/// Only a closed span at the beginning is thinking; anywhere else it is text.
fn without_thinking(text: String) -> String {
    let rest = text.trim_start().strip_prefix("<think>").and_then(|rest| rest.split_once("</think>"));
    rest.map_or(text.clone(), |(_, rest)| rest.trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_before_the_answer_is_left_out() {
        assert_eq!(without_thinking("<think>a\nb</think>\n\nanswer ".into()), "answer ");
        assert_eq!(without_thinking(" an answer about <think> and </think>".into()), " an answer about <think> and </think>");
        assert_eq!(without_thinking("<think>open".into()), "<think>open");
    }
}
