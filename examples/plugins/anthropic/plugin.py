"""A chat model that speaks Anthropic's messages API: text, pictures, tools, thinking, streamed.

Not here: retries. Who called may try again; the error says after which time.
"""

from __future__ import annotations

import json
from typing import Any

from knowhost_plugin import (
    Answer, Body, ChatCtx, ChatRequest, Denied, Finish, Invalid, Message, NotFound, PluginError, RateLimited, Reasoning, Role, TextPart,
    TooLong, ToolDelta, Unauthorised, Upstream, Usage, chat_model, secret_header,
)  # fmt: skip

SERVICE = "https://api.anthropic.com"
VERSION = "2023-06-01"
FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL,
    "refusal": Finish.FILTER,
}


@chat_model
async def chat(ctx: ChatCtx, request: ChatRequest) -> Answer:
    body = await ctx.post(
        request.model.url(SERVICE, "v1/messages"),
        headers={"anthropic-version": VERSION, "Accept": "text/event-stream"},
        auth=secret_header("x-api-key", "api_key"),
        json=request_body(request),
    )
    if not body.is_success:
        raise await refusal(body)
    return await read_answer(ctx, body)


def request_body(request: ChatRequest) -> dict[str, Any]:
    """The request in the service's words."""
    options, model = request.options, request.model
    system, messages = conversation(request.messages)
    if not messages:
        raise Invalid("there is no message to answer")
    max_tokens = options.max_completion_tokens or options.max_tokens or model.setting("max_tokens", 4096)
    body: dict[str, Any] = {"model": model.name, "max_tokens": max_tokens, "messages": messages, "stream": True}
    if system:
        body["system"] = system
    if options.thinking:
        # The service thinks out of the answer's tokens, and takes no temperature then.
        thinking = model.setting("thinking_tokens", 2048)
        body["thinking"] = {"type": "enabled", "budget_tokens": thinking}
        body["max_tokens"] = max_tokens + thinking
    elif options.temperature is not None:
        body["temperature"] = round(min(max(options.temperature, 0.0), 1.0), 4)
    elif options.top_p is not None:
        body["top_p"] = round(options.top_p, 4)
    if stop := [text for text in options.stop if text.strip()]:
        body["stop_sequences"] = stop
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": json.loads(tool.schema or '{"type": "object"}')}
            for tool in request.tools
        ]
        choice = request.tool_choice or "auto"
        known = {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}
        body["tool_choice"] = known.get(choice, {"type": "tool", "name": choice})
    return body


def conversation(messages: list[Message]) -> tuple[str, list[dict[str, Any]]]:
    """The system text, and turns that alternate: what one side says in a row is one turn."""
    system: list[str] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role is Role.SYSTEM:
            system.append(message.text)
            continue
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        if content := blocks(message):
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"].extend(content)
            else:
                turns.append({"role": role, "content": content})
    return "\n\n".join(text for text in system if text.strip()), turns


def blocks(message: Message) -> list[dict[str, Any]]:
    if message.role is Role.TOOL:
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id or "", "content": message.text}]
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if not isinstance(part, TextPart):
            source = {"type": "base64", "media_type": part.value.media_type, "data": part.value.base64()}
            content.append({"type": "image", "source": source})
        elif part.value.strip():
            # The service refuses blocks without text.
            content.append({"type": "text", "text": part.value})
    for call in message.tool_calls:
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments or "{}")})
    return content


async def read_answer(ctx: ChatCtx, body: Body) -> Answer:
    """Emits the pieces of the stream; the end of the body is no end of the answer."""
    answer, usage = Answer(Finish.OTHER), Usage(0, 0)
    # Place among the blocks -> place among the tool calls.
    tools: dict[int, int] = {}
    async for event in body.events():
        try:
            data = json.loads(event.data)
            kind = data["type"]
            if kind == "content_block_delta":
                delta = data["delta"]
                if delta["type"] == "text_delta":
                    ctx.emit(delta["text"])
                elif delta["type"] == "thinking_delta":
                    ctx.emit(Reasoning(delta["thinking"]))
                elif delta["type"] == "input_json_delta":
                    ctx.emit(ToolDelta(tools[data["index"]], arguments=delta["partial_json"]))
            elif kind == "content_block_start" and data["content_block"]["type"] == "tool_use":
                tools[data["index"]] = len(tools)
                block = data["content_block"]
                ctx.emit(ToolDelta(tools[data["index"]], block["id"], block["name"]))
            elif kind == "message_start":
                usage.input_tokens = data["message"]["usage"]["input_tokens"]
            elif kind == "message_delta":
                usage.output_tokens = data["usage"]["output_tokens"]
                answer.finish = FINISHES.get(data["delta"].get("stop_reason"), Finish.OTHER)
            elif kind == "message_stop":
                answer.usage = usage
                return answer
            elif kind == "error":
                raise error_of(data, None, None)
        except (ValueError, KeyError, TypeError) as error:
            raise Upstream(f"the service sent an event of another form: {error!r}") from None
    raise Upstream("the service broke the answer off")


async def refusal(body: Body) -> PluginError:
    """The error of a response that is no success."""
    text = await body.excerpt(64 << 10)
    try:
        data = json.loads(text)
    except ValueError:
        data = {}
    seconds = body.header("retry-after") or ""
    wait = int(seconds) * 1000 if seconds.isdecimal() and len(seconds) < 6 else None
    return error_of(data if isinstance(data, dict) else {}, body.status, wait)


def error_of(data: dict[str, Any], status: int | None, wait_ms: int | None) -> PluginError:
    """The service's error object as an error of ours; what is not known is the service's fault."""
    error = data.get("error")
    said = error if isinstance(error, dict) else {}
    kind = str(said.get("type", ""))
    text = f"the service answered {status}" if status else "the service broke the answer off"
    if message := str(said.get("message", "")):
        text = f"{text}: {message}"
    if kind == "rate_limit_error" or status == 429:
        return RateLimited(text, wait_ms)
    if kind == "overloaded_error" or status == 529:
        return RateLimited(text, wait_ms)
    if kind == "request_too_large" or status == 413 or "prompt is too long" in message:
        return TooLong(text)
    if kind == "authentication_error" or status == 401:
        return Unauthorised(text)
    if kind in ("permission_error", "billing_error") or status in (402, 403):
        return Denied(text)
    if kind == "not_found_error" or status == 404:
        return NotFound(text)
    if kind == "invalid_request_error" or status in (400, 422):
        return Invalid(text)
    return Upstream(text)
