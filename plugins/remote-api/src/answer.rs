//! Reading a chat answer: a stream of events, or one object.
//!
//! Not here: refusals by status (`failure`).

use crate::failure;
use knowhost_plugin_sdk::{Answer, Body, ChatCtx, Delta, Error, Finish, Result, ToolDelta, Usage};
use serde::Deserialize;
use serde_json::Value;

/// A page of HTML in place of a stream is not read to its end.
const STRANGE_LINES_MAX: usize = 300;

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Piece>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Piece {
    content: Option<String>,
    #[serde(alias = "reasoning")]
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<ToolPiece>>,
}

#[derive(Deserialize)]
struct ToolPiece {
    index: Option<u32>,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Deserialize)]
struct FunctionPiece {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
}

/// What is known about the end so far.
#[derive(Default)]
struct End {
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl End {
    fn answer(self) -> Answer {
        Answer { finish: self.finish.unwrap_or(Finish::Stop), usage: self.usage }
    }
}

/// An answer that comes in `data:` lines.
pub(crate) async fn streamed(ctx: &ChatCtx, body: Body) -> Result<Answer> {
    // The service has accepted; who waits for that need not wait for the first word.
    ctx.emit(Delta::Reasoning(String::new()));
    let mut lines = body.lines();
    let mut end = End::default();
    let mut strange = 0;
    while let Some(line) = lines.next().await? {
        let line = line.trim();
        let Some(data) = line.strip_prefix("data:") else {
            if line.starts_with('{')
                && let Some(error) = serde_json::from_str(line).ok().as_ref().and_then(failure::error_in)
            {
                return Err(error);
            }
            // Blank lines, comments and other fields belong to a healthy stream.
            if !line.is_empty() && !line.starts_with([':', 'e', 'i', 'r']) {
                strange += 1;
            }
            if strange > STRANGE_LINES_MAX {
                return Err(Error::upstream("the service sent something that is no stream of events"));
            }
            continue;
        };
        strange = 0;
        let data = data.trim();
        if data == "[DONE]" {
            return Ok(end.answer());
        }
        if !data.is_empty() {
            take(ctx, data, &mut end)?;
        }
    }
    match end.finish {
        Some(_) => Ok(end.answer()),
        None => Err(Error::upstream("the service ended the stream before the answer was complete")),
    }
}

fn take(ctx: &ChatCtx, data: &str, end: &mut End) -> Result<()> {
    let value: Value =
        serde_json::from_str(data).map_err(|error| Error::upstream(format!("the service sent an event that is no JSON: {error}")))?;
    if let Some(error) = failure::error_in(&value) {
        return Err(error);
    }
    let chunk: Chunk =
        serde_json::from_value(value).map_err(|error| Error::upstream(format!("the service sent an event of another form: {error}")))?;
    emit(ctx, chunk, end);
    Ok(())
}

/// An answer in one object.
pub(crate) fn whole(ctx: &ChatCtx, value: &Value) -> Result<Answer> {
    let chunk =
        Chunk::deserialize(value).map_err(|error| Error::upstream(format!("the service sent an answer of another form: {error}")))?;
    if chunk.choices.is_empty() {
        return Err(Error::upstream("the service sent an answer without choices"));
    }
    let mut end = End::default();
    emit(ctx, chunk, &mut end);
    Ok(end.answer())
}

/// Hands on the first choice; the others were never asked for.
fn emit(ctx: &ChatCtx, chunk: Chunk, end: &mut End) {
    if let Some(tokens) = chunk.usage {
        end.usage = Some(Usage { input_tokens: tokens.prompt_tokens, output_tokens: tokens.completion_tokens });
    }
    let Some(choice) = chunk.choices.into_iter().next() else { return };
    let piece = choice.delta.unwrap_or_default();
    let reasoning = piece.reasoning_content.filter(|text| !text.is_empty());
    let calls = piece.tool_calls.unwrap_or_default();
    // A chunk without text is handed on as an empty piece, as clients know it.
    let is_plain = calls.is_empty();
    if let Some(text) = reasoning {
        ctx.emit(Delta::Reasoning(text));
    }
    let text = piece.content.unwrap_or_default();
    if is_plain || !text.is_empty() {
        ctx.emit(Delta::Text(text));
    }
    for (place, call) in (0..).zip(calls) {
        let (name, arguments) = call.function.map_or((None, None), |function| (function.name, function.arguments));
        let arguments = arguments.unwrap_or_default();
        ctx.emit(Delta::Tool(ToolDelta { index: call.index.unwrap_or(place), id: call.id, name, arguments }));
    }
    if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
        end.finish = Some(match reason.as_str() {
            "stop" => Finish::Stop,
            "length" => Finish::Length,
            "tool_calls" | "function_call" => Finish::Tool,
            "content_filter" => Finish::Filter,
            _ => Finish::Other,
        });
    }
}
