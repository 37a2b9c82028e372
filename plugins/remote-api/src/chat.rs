//! The request of a chat call, with the fields that the reference sends and no others unless they are asked for.
//!
//! Not here: reading the answer (`answer`).

use crate::service::{Call, DEFAULT_BASE_URL, model_name, number};
use crate::{answer, failure};
use knowhost_plugin_sdk::{Answer, ChatCtx, ChatRequest, Error, Message, Options, Part, Result, Role, Task, Tool};
use serde_json::{Map, Value, json};

const ALIYUN_COMPATIBLE: &str = "https://dashscope.aliyuncs.com/compatible-mode/v1";

pub(crate) async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
    // Answers are read while they grow; everything else is used as a whole, and asked for as a whole.
    let streamed = match request.task {
        Task::Answer => true,
        Task::Rewrite | Task::Summary | Task::Title | Task::Extract => false,
    };
    let url = request.model.url(DEFAULT_BASE_URL, "chat/completions");
    let body = body(&request, streamed)?;
    let mut call =
        Call { model: &request.model, url, body, optional: &["chat_template_kwargs", "enable_thinking"], streamed, timeout_ms: None };
    let mut body = call.send(ctx).await??;
    let content_type = body.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let is_stream = if content_type.contains("json") && !content_type.contains("ndjson") {
        false
    } else {
        streamed || content_type.contains("event-stream")
    };
    if is_stream {
        return answer::streamed(ctx, body).await;
    }
    let value: Value = body.json().await?;
    match failure::error_in(&value) {
        Some(error) => Err(error),
        None => answer::whole(ctx, &value),
    }
}

fn body(request: &ChatRequest, streamed: bool) -> Result<Map<String, Value>> {
    let model = &request.model;
    let mut body = Map::new();
    body.insert("model".into(), model_name(model)?);
    body.insert("messages".into(), request.messages.iter().map(message).collect());
    options(&mut body, &request.options, is_reasoning_model(&model.name))?;
    if streamed {
        body.insert("stream".into(), true.into());
    }
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(tool).collect::<Result<Vec<_>>>()?.into());
        if let Some(choice) = &request.tool_choice {
            body.insert("tool_choice".into(), tool_choice(choice));
        }
    }
    if model.setting_bool("chat_template_kwargs") != Some(false) {
        let thinking = request.options.thinking.unwrap_or(false);
        body.insert("chat_template_kwargs".into(), json!({ "enable_thinking": thinking }));
    }
    if !streamed && model.name.starts_with("qwen3-") && model.base_url == ALIYUN_COMPATIBLE {
        // The service refuses such models without this field unless the answer is streamed.
        body.insert("enable_thinking".into(), false.into());
    }
    Ok(body)
}

/// Models that refuse samplers and want `max_completion_tokens`.
fn is_reasoning_model(name: &str) -> bool {
    ["o1", "o3", "o4"].iter().any(|prefix| name == *prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-')))
}

fn options(body: &mut Map<String, Value>, options: &Options, reasoning: bool) -> Result<()> {
    let samplers = [
        ("temperature", options.temperature),
        ("top_p", options.top_p),
        ("frequency_penalty", options.frequency_penalty),
        ("presence_penalty", options.presence_penalty),
    ];
    for (name, value) in samplers {
        if let Some(value) = value.filter(|value| !reasoning && *value > 0.0 && value.is_finite()) {
            body.insert(name.into(), number(value));
        }
    }
    let old_limit = options.max_tokens.filter(|limit| *limit > 0);
    let limit = options.max_completion_tokens.filter(|limit| *limit > 0).or(old_limit.filter(|_| reasoning));
    if let Some(max) = old_limit.filter(|_| !reasoning) {
        body.insert("max_tokens".into(), max.into());
    }
    if let Some(max) = limit {
        body.insert("max_completion_tokens".into(), max.into());
    }
    if !options.stop.is_empty() {
        body.insert("stop".into(), options.stop.clone().into());
    }
    if let Some(format) = &options.format {
        let schema: Value = schema(format, "the wanted format")?;
        body.insert("response_format".into(), json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": schema } }));
    }
    Ok(())
}

fn schema(text: &str, what: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::invalid(format!("{what} is no JSON Schema: {error}")))
}

fn tool(tool: &Tool) -> Result<Value> {
    let parameters = schema(&tool.schema, &format!("the schema of the tool {}", tool.name))?;
    Ok(json!({ "type": "function", "function": { "name": tool.name, "description": tool.description, "parameters": parameters } }))
}

fn tool_choice(choice: &str) -> Value {
    match choice {
        "auto" | "none" | "required" => choice.into(),
        name => json!({ "type": "function", "function": { "name": name } }),
    }
}

fn message(message: &Message) -> Value {
    let mut value = Map::new();
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    value.insert("role".into(), role.into());
    let content = content(&message.parts);
    if content != Value::String(String::new()) {
        value.insert("content".into(), content);
    }
    if !message.tool_calls.is_empty() {
        let calls = message
            .tool_calls
            .iter()
            .map(|call| json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": call.arguments } }));
        value.insert("tool_calls".into(), calls.collect());
    }
    if let Some(id) = &message.tool_call_id {
        value.insert("tool_call_id".into(), id.clone().into());
    }
    value.into()
}

/// Plain text where there is nothing but text, which every service takes.
fn content(parts: &[Part]) -> Value {
    let mut text = String::new();
    let mut items = Vec::new();
    let mut has_image = false;
    for part in parts {
        match part {
            Part::Text(piece) => {
                text.push_str(piece);
                items.push(json!({ "type": "text", "text": piece }));
            }
            Part::Image(image) => {
                has_image = true;
                let url = format!("data:{};base64,{}", image.media_type, image.base64());
                items.push(json!({ "type": "image_url", "image_url": { "url": url } }));
            }
        }
    }
    if has_image { items.into() } else { text.into() }
}
