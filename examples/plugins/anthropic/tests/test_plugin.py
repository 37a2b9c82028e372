"""The plugin against recorded forms of the service, with bodies cut at every byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from knowhost_plugin import (
    Answer, ChatRequest, Denied, Finish, Image, ImagePart, Invalid, Message, Model, NotFound, Options, PluginError, RateLimited, Role,
    Setting, Task, TextPart, TooLong, Tool, ToolCall, ToolDelta, Unauthorised, Upstream, Usage,
)  # fmt: skip
from knowhost_plugin.testing import Exchange, Host, Outcome, cancel_at_every_step, same_at_every_cut
from knowhost_plugin.wire import io
from plugin import chat

URL = "https://api.anthropic.com/v1/messages"


def request(messages: list[Message] | None = None, **fields: Any) -> ChatRequest:
    messages = messages or [Message(Role.USER, [TextPart("Hi")])]
    return ChatRequest(fields.pop("model", Model("claude-test")), Task.ANSWER, messages, **fields)


def stream(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events).encode()


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def end(reason: str = "end_turn", tokens: int = 7) -> list[dict[str, Any]]:
    return [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": tokens}}, {"type": "message_stop"}]


START = {"type": "message_start", "message": {"usage": {"input_tokens": 12, "output_tokens": 1}}}
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}


def run(body: bytes, asked: ChatRequest | None = None, **fields: Any) -> tuple[Outcome, Host]:
    host = Host([Exchange("POST", URL, body=body, **fields)])
    return host.chat(chat, asked or request()), host


def test_text_is_whole_however_the_stream_is_cut() -> None:
    body = stream(START, TEXT, {"type": "ping"}, delta(0, type="text_delta", text="Grüß"), delta(0, type="text_delta", text=" 你好 😀"), *end())
    outcome = same_at_every_cut([Exchange("POST", URL, body=body)], lambda host: host.chat(chat, request()))
    assert outcome.text == "Grüß 你好 😀"
    assert outcome.result() == Answer(Finish.STOP, Usage(12, 7))


def test_request_says_what_was_asked_and_names_the_key() -> None:
    messages = [
        Message(Role.SYSTEM, [TextPart("Be brief.")]),
        Message(Role.USER, [TextPart("Look:"), ImagePart(Image("image/png", b"\x01\x02")), TextPart("  ")]),
        Message(Role.ASSISTANT, [], [ToolCall("c1", "weather", '{"town": "Ulm"}')]),
        Message(Role.TOOL, [TextPart("rain")], tool_call_id="c1"),
        Message(Role.USER, [TextPart("And?")]),
    ]
    tools = [Tool("weather", "Tells it.", '{"type": "object"}')]
    options = Options(temperature=1.7, max_tokens=50, stop=["END", " "])
    _, host = run(stream(*end()), request(messages, tools=tools, tool_choice="weather", options=options))
    sent = host.requests[0]
    assert sent.auth == [io.Auth_Header(io.PlacedSecret("x-api-key", "", "api_key"))]
    assert io.Header("anthropic-version", "2023-06-01") in sent.headers
    picture = {"type": "base64", "media_type": "image/png", "data": "AQI="}
    assert host.request_json(0) == {
        "model": "claude-test",
        "max_tokens": 50,
        "stream": True,
        "system": "Be brief.",
        "temperature": 1.0,
        "stop_sequences": ["END"],
        "tools": [{"name": "weather", "description": "Tells it.", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "weather"},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image", "source": picture}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"town": "Ulm"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}, {"type": "text", "text": "And?"}]},
        ],
    }


def test_thinking_gets_tokens_of_its_own() -> None:
    model = Model("claude-test", "", [Setting("thinking_tokens", "1500"), Setting("max_tokens", "100")])
    body = stream(START, delta(0, type="thinking_delta", thinking="hm"), delta(0, type="signature_delta", signature="x"), *end())
    outcome, host = run(body, request(model=model, options=Options(thinking=True, temperature=0.5)))
    sent = host.request_json(0)
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 1500} and sent["max_tokens"] == 1600 and "temperature" not in sent
    assert (outcome.reasoning, outcome.text) == ("hm", "")


def test_tool_calls_come_in_pieces() -> None:
    tool = {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}}
    pieces = [delta(1, type="input_json_delta", partial_json=piece) for piece in ('{"to', 'wn": "Ulm"}')]
    outcome, _ = run(stream(START, TEXT, tool, *pieces, *end("tool_use")))
    assert outcome.tools == [ToolDelta(0, "t1", "weather"), ToolDelta(0, arguments='{"to'), ToolDelta(0, arguments='wn": "Ulm"}')]
    assert outcome.result().finish is Finish.TOOL


@pytest.mark.parametrize(
    ("reason", "finish"), [("max_tokens", Finish.LENGTH), ("stop_sequence", Finish.STOP), ("refusal", Finish.FILTER), ("new", Finish.OTHER)]
)
def test_reasons_to_stop_are_told(reason: str, finish: Finish) -> None:
    assert run(stream(START, *end(reason)))[0].result().finish is finish


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", Invalid),
        (401, "authentication_error", Unauthorised),
        (403, "permission_error", Denied),
        (404, "not_found_error", NotFound),
        (413, "request_too_large", TooLong),
        (429, "rate_limit_error", RateLimited),
        (500, "api_error", Upstream),
        (529, "overloaded_error", RateLimited),
    ],
)
def test_refusals_keep_the_words_of_the_service(status: int, kind: str, error: type[PluginError]) -> None:
    body = json.dumps({"type": "error", "error": {"type": kind, "message": "because"}}).encode()
    outcome, _ = run(body, status=status, headers={"Retry-After": "3"})
    assert type(outcome.error) is error and outcome.error.text == f"the service answered {status}: because"
    if isinstance(outcome.error, RateLimited):
        assert outcome.error.value.retry_after_ms == 3000


def test_refusals_of_another_form_are_survived() -> None:
    for body in (b"<html>", b"[]", b'{"error": "text"}', b"\xff", b""):
        assert run(body, status=502)[0].error == Upstream("the service answered 502")


def test_stream_that_breaks_is_an_error_after_its_text() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    for rest, error in (([], Upstream), ([overloaded], RateLimited)):
        outcome, _ = run(stream(START, TEXT, delta(0, type="text_delta", text="half"), *rest))
        assert outcome.text == "half" and type(outcome.error) is error
        assert outcome.error is not None and outcome.error.text.startswith("the service broke the answer off")
    for body in (b"data: no json\n\n", b"data: []\n\n", b'data: {"type": "content_block_delta"}\n\n'):
        assert isinstance(run(body)[0].error, Upstream)


def test_conversation_without_words_is_refused_before_anything_is_sent() -> None:
    host = Host()
    assert isinstance(host.chat(chat, request([Message(Role.USER, [TextPart(" ")])])).error, Invalid)
    assert host.requests == []


def test_call_can_be_dropped_at_every_step() -> None:
    body = stream(START, TEXT, delta(0, type="text_delta", text="a"), *end())
    assert cancel_at_every_step([Exchange("POST", URL, body=body)], lambda host: host.chat(chat, request())) > 3
