//! Answers a conversation, piece by piece.

use super::{BoxFuture, CallContext, PluginIdentity, ProviderResult, Usage};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatRole {
    System,
    User,
    Assistant,
    Tool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChatPart {
    Text(String),
    Image { media_type: String, data: Vec<u8> },
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChatMessage {
    pub role: ChatRole,
    pub parts: Vec<ChatPart>,
    /// What an assistant's message called.
    pub tool_calls: Vec<ChatToolCall>,
    /// Which call a tool's message answers.
    pub tool_call_id: Option<String>,
}

/// Something that the model may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTool {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments.
    pub schema: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatToolCall {
    pub id: String,
    pub name: String,
    /// JSON text.
    pub arguments: String,
}

/// A piece of a call under way; the pieces of one `index` belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatToolDelta {
    pub index: u32,
    pub id: Option<String>,
    pub name: Option<String>,
    pub arguments: String,
}

impl ChatMessage {
    pub fn text(role: ChatRole, text: impl Into<String>) -> Self {
        Self::of_parts(role, vec![ChatPart::Text(text.into())])
    }

    pub fn of_parts(role: ChatRole, parts: Vec<ChatPart>) -> Self {
        Self { role, parts, tool_calls: Vec::new(), tool_call_id: None }
    }

    /// Its texts, without pictures.
    pub fn plain_text(&self) -> String {
        let text = |part: &ChatPart| match part {
            ChatPart::Text(text) => Some(text.clone()),
            ChatPart::Image { .. } => None,
        };
        self.parts.iter().filter_map(text).collect::<Vec<_>>().join("\n")
    }
}

/// Why the host asks. A manifest lists the tasks that its model can do; no other is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChatTask {
    Answer,
    Rewrite,
    Summary,
    Title,
    Extract,
}

/// A passage that the prompt was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatSource {
    pub id: String,
    pub title: String,
    pub text: String,
}

/// `None` leaves the choice to the provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatOptions {
    pub temperature: Option<f32>,
    pub top_p: Option<f32>,
    pub max_tokens: Option<u32>,
    pub max_completion_tokens: Option<u32>,
    pub frequency_penalty: Option<f32>,
    pub presence_penalty: Option<f32>,
    pub seed: Option<i64>,
    pub stop: Vec<String>,
    pub thinking: Option<bool>,
    /// JSON Schema of the wanted answer.
    pub format: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    pub task: ChatTask,
    pub messages: Vec<ChatMessage>,
    pub tools: Vec<ChatTool>,
    /// `auto`, `none`, `required`, or the name of the one tool to call.
    pub tool_choice: Option<String>,
    pub options: ChatOptions,
    /// Set for [`ChatTask::Answer`]: as typed, or with the terms of the question before it where the model can not rewrite a follow-up.
    pub question: Option<String>,
    /// Best first; for [`ChatTask::Answer`].
    pub sources: Vec<ChatSource>,
}

impl ChatRequest {
    /// Without tools, question and sources.
    pub fn new(task: ChatTask, messages: Vec<ChatMessage>, options: ChatOptions) -> Self {
        Self { task, messages, tools: Vec::new(), tool_choice: None, options, question: None, sources: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatFinish {
    Stop,
    Length,
    Tool,
    Filter,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChatDelta {
    /// May be empty, as some providers send it.
    Text(String),
    Reasoning(String),
    Tool(ChatToolDelta),
    /// Always last; a stream that ends without it was cut.
    End {
        finish: ChatFinish,
        usage: Option<Usage>,
    },
}

/// Deltas as they come; after an error nothing follows. Dropping it cancels the call.
pub type ChatStream = BoxStream<'static, ProviderResult<ChatDelta>>;

/// All that a model said, for those who wait for the whole of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Whole(String),
    /// The stream ended without its end.
    Cut(String),
    /// It said more than the caller takes.
    TooLong,
}

/// Reads a stream to its end, without what it marks as reasoning; more than `bytes_max` bytes are given up.
pub async fn gather(mut stream: ChatStream, bytes_max: usize) -> ProviderResult<Said> {
    let mut text = String::new();
    while let Some(delta) = stream.next().await {
        match delta? {
            ChatDelta::Text(piece) => text.push_str(&piece),
            ChatDelta::Reasoning(_) | ChatDelta::Tool(_) => {}
            ChatDelta::End { .. } => return Ok(Said::Whole(text)),
        }
        if text.len() > bytes_max {
            return Ok(Said::TooLong);
        }
    }
    Ok(Said::Cut(text))
}

pub trait ChatModel: Send + Sync {
    /// Opens the answer. Resolves when the provider has accepted the request, so that a refusal is an error here and not in the stream.
    fn chat_stream<'a>(&'a self, context: &'a CallContext, request: ChatRequest) -> BoxFuture<'a, ProviderResult<ChatStream>>;

    /// Whether the manifest lists `task`.
    fn can(&self, task: ChatTask) -> bool;

    fn plugin(&self) -> &PluginIdentity;

    fn model_id(&self) -> &str;
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn gathered(deltas: Vec<ChatDelta>) -> Said {
        gather(futures_util::stream::iter(deltas.into_iter().map(Ok)).boxed(), 8).await.expect("no error")
    }

    #[tokio::test]
    async fn a_stream_is_whole_cut_or_too_long() {
        let end = || ChatDelta::End { finish: ChatFinish::Stop, usage: None };
        let text = |text: &str| ChatDelta::Text(text.to_owned());
        let whole = vec![text("ab"), ChatDelta::Reasoning("a long thought".to_owned()), text("cd"), end(), text("after")];
        assert_eq!(gathered(whole).await, Said::Whole("abcd".to_owned()));
        assert_eq!(gathered(vec![text("ab")]).await, Said::Cut("ab".to_owned()));
        assert_eq!(gathered(vec![text("12345678"), end()]).await, Said::Whole("12345678".to_owned()));
        assert_eq!(gathered(vec![text("12345678"), text("9"), end()]).await, Said::TooLong);
    }
}
