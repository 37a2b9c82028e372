//! Chat: one request, an answer in lines of JSON.
//!
//! Not here: how refusals are worded (`server`).

use crate::server;
use knowhost_plugin_sdk::{
    Answer, Body, ChatCtx, ChatRequest, Delta, Error, Finish, Message, Options, Part, Result, Role, Task, ToolDelta, Usage,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Line {
    message: Option<Said>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u32>,
    eval_count: Option<u32>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    thinking: Option<String>,
    #[serde(default)]
    tool_calls: Vec<ToolCall>,
}

#[derive(Deserialize)]
struct ToolCall {
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: Value,
}

pub(crate) async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
    let mut sent = body(&request)?;
    let mut body = post(ctx, &request, &sent).await?;
    if body.status() == 400 && sent.contains_key("think") {
        let refusal = server::refusal(&mut body).await;
        if !refusal.text().contains("think") {
            return Err(refusal);
        }
        // The model can not think; then it need not be told whether to.
        drop(body);
        sent.shift_remove("think");
        body = post(ctx, &request, &sent).await?;
    }
    let body = server::accepted(body).await?;
    if is_streamed(request.task) {
        // The server has accepted; who waits for that need not wait for the first word.
        ctx.emit(Delta::Reasoning(String::new()));
    }
    read(ctx, body).await
}

async fn post(ctx: &ChatCtx, request: &ChatRequest, body: &Map<String, Value>) -> Result<Body> {
    Ok(server::request(ctx, &request.model, "POST", "api/chat").json(body).await?)
}

/// Answers are read while they grow; everything else is used as a whole.
fn is_streamed(task: Task) -> bool {
    match task {
        Task::Answer => true,
        Task::Rewrite | Task::Summary | Task::Title | Task::Extract => false,
    }
}

fn body(request: &ChatRequest) -> Result<Map<String, Value>> {
    let mut body = Map::new();
    body.insert("model".into(), server::model_name(&request.model)?.into());
    body.insert("messages".into(), request.messages.iter().map(message).collect());
    body.insert("stream".into(), is_streamed(request.task).into());
    body.insert("options".into(), options(&request.options, request.model.setting_u64("context_tokens")));
    if let Some(thinking) = request.options.thinking {
        body.insert("think".into(), thinking.into());
    }
    if let Some(format) = &request.options.format {
        body.insert("format".into(), schema(format)?);
    }
    // The server knows no choice among tools: what must not be called is not offered.
    let offered = |tool: &&knowhost_plugin_sdk::Tool| match request.tool_choice.as_deref() {
        None | Some("auto" | "required") => true,
        Some(choice) => tool.name == choice,
    };
    let tools: Vec<_> = request.tools.iter().filter(offered).collect();
    if !tools.is_empty() {
        let tool = |tool: &knowhost_plugin_sdk::Tool| {
            let parameters = schema(&tool.schema)?;
            Ok(json!({ "type": "function", "function": { "name": tool.name, "description": tool.description, "parameters": parameters } }))
        };
        body.insert("tools".into(), tools.into_iter().map(tool).collect::<Result<_>>()?);
    }
    Ok(body)
}

fn schema(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::invalid(format!("a JSON Schema of the request is none: {error}")))
}

fn options(options: &Options, context_tokens: Option<u64>) -> Value {
    let mut sent = Map::new();
    for (name, value) in [("temperature", options.temperature), ("top_p", options.top_p)] {
        if let Some(value) = value.filter(|value| *value > 0.0 && value.is_finite()) {
            // As it was written: 0.3, not 0.30000001192092896.
            sent.insert(name.into(), value.to_string().parse::<f64>().map_or(Value::Null, Value::from));
        }
    }
    if let Some(max) = options.max_tokens.filter(|max| *max > 0) {
        sent.insert("num_predict".into(), max.into());
    }
    if let Some(tokens) = context_tokens {
        sent.insert("num_ctx".into(), tokens.into());
    }
    if !options.stop.is_empty() {
        sent.insert("stop".into(), options.stop.clone().into());
    }
    sent.into()
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    let mut content = String::new();
    let mut images = Vec::new();
    for part in &message.parts {
        match part {
            Part::Text(text) => content.push_str(text),
            Part::Image(image) => images.push(image.base64()),
        }
    }
    let mut value = json!({ "role": role, "content": content });
    if !images.is_empty() {
        value["images"] = images.into();
    }
    if !message.tool_calls.is_empty() {
        let call = |call: &knowhost_plugin_sdk::ToolCall| {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
            json!({ "function": { "name": call.name, "arguments": arguments } })
        };
        value["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    value
}

async fn read(ctx: &ChatCtx, body: Body) -> Result<Answer> {
    let mut lines = body.lines();
    let mut calls = 0;
    let mut finish = None;
    while let Some(line) = lines.next_json::<Line>().await? {
        if let Some(error) = line.error {
            return Err(server::broken_off(&error));
        }
        if let Some(said) = line.message {
            if let Some(text) = said.thinking.filter(|text| !text.is_empty()) {
                ctx.emit(Delta::Reasoning(text));
            }
            if let Some(text) = said.content.filter(|text| !text.is_empty()) {
                ctx.emit(Delta::Text(text));
            }
            for call in said.tool_calls {
                let arguments = call.function.arguments.to_string();
                ctx.emit(Delta::Tool(ToolDelta { index: calls, id: call.id, name: Some(call.function.name), arguments }));
                calls += 1;
                finish = Some(Finish::Tool);
            }
        }
        if line.done {
            let reason = match line.done_reason.as_deref() {
                None | Some("stop") => Finish::Stop,
                Some("length") => Finish::Length,
                Some(_) => Finish::Other,
            };
            let usage = line
                .prompt_eval_count
                .or(line.eval_count)
                .map(|_| Usage { input_tokens: line.prompt_eval_count.unwrap_or(0), output_tokens: line.eval_count.unwrap_or(0) });
            return Ok(Answer { finish: finish.unwrap_or(reason), usage });
        }
    }
    Err(Error::upstream("Ollama ended the stream before the answer was complete"))
}
