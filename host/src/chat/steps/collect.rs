//! Asks a model for a short text and waits for all of it.
//!
//! Not here: streamed answers (`generate`).

use crate::chat::text::think;
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{
    self, CallContext, ChatMessage, ChatModel, ChatOptions, ChatRequest, ChatRole, ChatStream, ChatTask, PluginIdentity, Said,
};

/// What the model says to `user` under the rules of `system`, without its thinking and the blanks around it.
pub(in crate::chat) async fn collect(
    model: &dyn ChatModel,
    context: &CallContext,
    task: ChatTask,
    system: &str,
    user: String,
    options: ChatOptions,
) -> Result<String> {
    let messages = vec![ChatMessage::text(ChatRole::System, system), ChatMessage::text(ChatRole::User, user)];
    let request = ChatRequest::new(task, messages, options);
    let stream = model.chat_stream(context, request).await?;
    Ok(think::remove(&gather(stream, model.plugin()).await?).trim().to_owned())
}

/// All that a model says.
pub(in crate::chat) async fn gather(stream: ChatStream, plugin: &PluginIdentity) -> Result<String> {
    match provider::gather(stream, limits::COLLECTED_BYTES_MAX).await? {
        Said::Whole(text) | Said::Cut(text) => Ok(text),
        Said::TooLong => Err(Error::Unavailable { reason: format!("{plugin} does not come to an end") }),
    }
}
