//! Answers a conversation, piece by piece.

use super::{BoxFuture, CallContext, PluginIdentity, ProviderResult, Usage};
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
}

impl ChatMessage {
    pub fn text(role: ChatRole, text: impl Into<String>) -> Self {
        Self { role, parts: vec![ChatPart::Text(text.into())] }
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
    pub options: ChatOptions,
    /// Set for [`ChatTask::Answer`]: as typed, or with the terms of the question before it where the model can not rewrite a follow-up.
    pub question: Option<String>,
    /// Best first; for [`ChatTask::Answer`].
    pub sources: Vec<ChatSource>,
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
    /// Always last; a stream that ends without it was cut.
    End {
        finish: ChatFinish,
        usage: Option<Usage>,
    },
}

/// Deltas as they come; after an error nothing follows. Dropping it cancels the call.
pub type ChatStream = BoxStream<'static, ProviderResult<ChatDelta>>;

pub trait ChatModel: Send + Sync {
    /// Opens the answer. Resolves when the provider has accepted the request, so that a refusal is an error here and not in the stream.
    fn chat_stream<'a>(&'a self, context: &'a CallContext, request: ChatRequest) -> BoxFuture<'a, ProviderResult<ChatStream>>;

    /// Whether the manifest lists `task`.
    fn can(&self, task: ChatTask) -> bool;

    fn plugin(&self) -> &PluginIdentity;

    fn model_id(&self) -> &str;
}
