//! The chat-model socket over plugin calls: typed requests, a stream of deltas.
//!
//! Not here: the calls themselves (`plugin::calls`), and carrying out the tools that a model calls.

use super::row::Row;
use crate::plugin::calls::{Call, Output};
use crate::plugin::wasm::ChatModelKind;
use crate::plugin::wasm::wit::chat_model as wit;
use crate::provider::{
    BoxFuture, CallContext, ChatDelta, ChatFinish, ChatMessage, ChatModel, ChatOptions, ChatPart, ChatRequest, ChatRole, ChatStream,
    ChatTask, ChatTool, ChatToolCall, ChatToolDelta, PluginIdentity, ProviderError, ProviderErrorKind, ProviderResult, Usage,
};
use futures_util::StreamExt;
use futures_util::stream::unfold;
use knowhost_plugin_sdk::manifest::Task;

pub(in crate::plugin) struct PluginChatModel {
    row: Row,
}

impl PluginChatModel {
    pub(super) fn new(row: Row) -> Self {
        Self { row }
    }

    async fn open(&self, context: &CallContext, request: ChatRequest) -> ProviderResult<ChatStream> {
        let Some(pools) = &self.row.plugin.chat_model else {
            return Err(self.row.error(ProviderErrorKind::Unsupported, "it is no chat model"));
        };
        if !self.can(request.task) {
            return Err(self.row.error(ProviderErrorKind::Unsupported, format!("it can not do the task {:?}", request.task)));
        }
        let offered = !request.tools.is_empty();
        let mut call = pools.call(self.row.env(context), to_wit(self.row.model.clone(), request));
        let cut = self.row.error(ProviderErrorKind::PluginFault, "it ended without an answer");
        // A refusal comes before the first piece, so the first piece is waited for here.
        let first = call
            .next()
            .await
            .unwrap_or(Err(cut))
            .and_then(|output| to_delta(output, offered, self.row.plugin.identity.to_string().as_str()))?;
        let signature = self.row.plugin.identity.to_string();
        let state = Some(Streaming { call, first: Some(first), offered, signature });
        Ok(unfold(state, next_delta).boxed())
    }
}

struct Streaming {
    call: Call<ChatModelKind>,
    /// Read already, and not handed out yet.
    first: Option<ChatDelta>,
    /// Tools were offered.
    offered: bool,
    signature: String,
}

/// `None` as the next state: nothing follows.
async fn next_delta(state: Option<Streaming>) -> Option<(ProviderResult<ChatDelta>, Option<Streaming>)> {
    let mut state = state?;
    let delta = match state.first.take() {
        Some(first) => Ok(first),
        None => state.call.next().await?.and_then(|output| to_delta(output, state.offered, &state.signature)),
    };
    let last = matches!(delta, Err(_) | Ok(ChatDelta::End { .. }));
    Some((delta, (!last).then_some(state)))
}

fn to_delta(output: Output<ChatModelKind>, offered: bool, signature: &str) -> ProviderResult<ChatDelta> {
    match output {
        Output::Delta(wit::Delta::Text(text)) => Ok(ChatDelta::Text(text)),
        Output::Delta(wit::Delta::Reasoning(text)) => Ok(ChatDelta::Reasoning(text)),
        Output::Delta(wit::Delta::Tool(wit::ToolDelta { index, id, name, arguments })) if offered => {
            Ok(ChatDelta::Tool(ChatToolDelta { index, id, name, arguments }))
        }
        Output::Delta(wit::Delta::Tool(_)) => {
            Err(ProviderError::new(ProviderErrorKind::Unsupported, signature, "the model called a tool, but none was offered"))
        }
        Output::End(answer) => Ok(ChatDelta::End {
            finish: match answer.finish {
                wit::Finish::Stop => ChatFinish::Stop,
                wit::Finish::Length => ChatFinish::Length,
                wit::Finish::Tool => ChatFinish::Tool,
                wit::Finish::Filter => ChatFinish::Filter,
                wit::Finish::Other => ChatFinish::Other,
            },
            usage: answer.usage.map(|usage| Usage { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens }),
        }),
    }
}

pub(in crate::plugin) fn to_wit(model: crate::plugin::wasm::wit::io::Model, request: ChatRequest) -> wit::Request {
    wit::Request {
        model,
        task: match request.task {
            ChatTask::Answer => wit::Task::Answer,
            ChatTask::Rewrite => wit::Task::Rewrite,
            ChatTask::Summary => wit::Task::Summary,
            ChatTask::Title => wit::Task::Title,
            ChatTask::Extract => wit::Task::Extract,
        },
        messages: request.messages.into_iter().map(message_to_wit).collect(),
        tools: request.tools.into_iter().map(tool_to_wit).collect(),
        tool_choice: request.tool_choice,
        options: options_to_wit(request.options),
        question: request.question,
        sources: request.sources.into_iter().map(|source| wit::Source { id: source.id, title: source.title, text: source.text }).collect(),
    }
}

fn message_to_wit(message: ChatMessage) -> wit::Message {
    wit::Message {
        role: match message.role {
            ChatRole::System => wit::Role::System,
            ChatRole::User => wit::Role::User,
            ChatRole::Assistant => wit::Role::Assistant,
            ChatRole::Tool => wit::Role::Tool,
        },
        parts: message
            .parts
            .into_iter()
            .map(|part| match part {
                ChatPart::Text(text) => wit::Part::Text(text),
                ChatPart::Image { media_type, data } => wit::Part::Image(wit::Image { media_type, data }),
            })
            .collect(),
        tool_calls: message
            .tool_calls
            .into_iter()
            .map(|ChatToolCall { id, name, arguments }| wit::ToolCall { id, name, arguments })
            .collect(),
        tool_call_id: message.tool_call_id,
    }
}

fn tool_to_wit(tool: ChatTool) -> wit::Tool {
    wit::Tool { name: tool.name, description: tool.description, schema: tool.schema }
}

fn options_to_wit(options: ChatOptions) -> wit::Options {
    wit::Options {
        temperature: options.temperature,
        top_p: options.top_p,
        max_tokens: options.max_tokens,
        max_completion_tokens: options.max_completion_tokens,
        frequency_penalty: options.frequency_penalty,
        presence_penalty: options.presence_penalty,
        seed: options.seed,
        stop: options.stop,
        thinking: options.thinking,
        format: options.format,
    }
}

impl ChatModel for PluginChatModel {
    fn chat_stream<'a>(&'a self, context: &'a CallContext, request: ChatRequest) -> BoxFuture<'a, ProviderResult<ChatStream>> {
        Box::pin(self.open(context, request))
    }

    fn can(&self, task: ChatTask) -> bool {
        self.row.plugin.manifest.tasks.contains(&match task {
            ChatTask::Answer => Task::Answer,
            ChatTask::Rewrite => Task::Rewrite,
            ChatTask::Summary => Task::Summary,
            ChatTask::Title => Task::Title,
            ChatTask::Extract => Task::Extract,
        })
    }

    fn plugin(&self) -> &PluginIdentity {
        &self.row.plugin.identity
    }

    fn model_id(&self) -> &str {
        &self.row.model_id
    }
}
