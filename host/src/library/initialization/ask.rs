//! Asks a chat model for a text and waits for all of it.
//!
//! Not here: answers to people, which stream (`chat`).

use crate::limits;
use crate::provider::{CallContext, ChatDelta, ChatModel, ChatRequest, ProviderError, ProviderErrorKind, ProviderResult};
use futures_util::StreamExt;

/// What the model says, without thinking that it marks as such.
pub(super) async fn whole_answer(model: &dyn ChatModel, context: &CallContext, request: ChatRequest) -> ProviderResult<String> {
    let mut stream = model.chat_stream(context, request).await?;
    let mut text = String::new();
    while let Some(delta) = stream.next().await {
        match delta? {
            ChatDelta::Text(piece) => text.push_str(&piece),
            ChatDelta::Reasoning(_) => {}
            ChatDelta::End { .. } => break,
        }
        if text.len() > limits::COLLECTED_BYTES_MAX {
            return Err(ProviderError::new(ProviderErrorKind::Upstream, model.plugin().to_string(), "the answer does not come to an end"));
        }
    }
    Ok(without_thinking(text))
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
