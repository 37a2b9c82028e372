"""The executor and what a call can ask for, against the scripted host."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import pytest
from knowhost_plugin import (
    Answer, ChatCtx, ChatRequest, Ctx, Denied, Fault, HostFault, Invalid, Level, Model, NotFound, RateLimited, Reasoning, Task, ToolDelta, Turn,
    Unauthorised, Unsupported, Upstream, basic, bearer, join, secret_header,
)  # fmt: skip
from knowhost_plugin.call import Calls, Err, WAITS_FOR_NOTHING
from knowhost_plugin.testing import Exchange, Host, cancel_at_every_step, same_at_every_cut
from knowhost_plugin.wire import chat_model, io

URL = "https://api.example.com/v1"


def a_request(**fields: Any) -> ChatRequest:
    return ChatRequest(Model("any", URL), Task.ANSWER, [], **fields)


def ask(host: Host, call: Any) -> Any:
    return host.run(lambda owner: call(Ctx(owner))).result()


def test_body_is_read_chunk_by_chunk_and_the_request_names_its_secrets() -> None:
    async def call(ctx: Ctx) -> bytes:
        body = await ctx.post(URL, json={"ü": 1}, headers={"X-A": "b"}, auth=[bearer("key"), secret_header("X-K", "other")], timeout_ms=5)
        assert body.status == 201 and body.is_success and body.header("x-kind") == "odd" and body.header("none") is None
        return b"|".join([chunk async for chunk in body])

    host = Host([Exchange("POST", URL, status=201, headers={"X-Kind": "odd"}, body=b"abcdef")], cut=4)
    assert ask(host, call) == b"abcd|ef"
    request = host.requests[0]
    assert request.body == '{"ü":1}'.encode() and request.timeout_ms == 5
    assert request.headers == [io.Header("X-A", "b"), io.Header("Content-Type", "application/json")]
    assert request.auth == [io.Auth_Bearer("key"), io.Auth_Header(io.PlacedSecret("X-K", "", "other"))]
    assert host.closed == []


def test_each_status_becomes_its_error_with_the_services_sentence() -> None:
    def refused(status: int, body: str = "", **headers: str) -> Any:
        async def call(ctx: Ctx) -> int:
            return (await (await ctx.get(URL)).accepted()).status

        script = [Exchange("GET", URL, status, {name.replace("_", "-"): value for name, value in headers.items()}, body.encode())]
        outcome = Host(script).run(lambda owner: call(Ctx(owner)))
        return outcome.error or outcome.answer

    assert refused(204) == 204
    assert refused(429, "slow\ndown", Retry_After="1.5") == RateLimited("the service answered 429: slow down", 1500)
    assert refused(429, retry_after="Tue, 1 Jan") == RateLimited("the service answered 429")
    assert refused(500, "<html>no</html>") == Upstream("the service answered 500")
    assert refused(404, '{"error":{"message":"no model"}}') == NotFound("the service answered 404: no model")
    assert refused(401, "null") == Unauthorised("the service answered 401: null")


def test_recorded_exchanges_are_played() -> None:
    async def call(ctx: Ctx) -> str:
        body = await ctx.get(URL)
        return f"{body.header('x-a')}{(await body.read()).decode()}"

    one = {"method": "GET", "url": URL, "status": 200, "response_headers": {"x-a": "b"}, "chunks": ["a", "ü"]}
    assert ask(Host(Exchange.recorded(json.dumps({"exchanges": [one]}))), call) == "baü"


def test_lines_and_events_are_the_same_at_every_cut() -> None:
    text = "\ufeffevent: a\r\ndata: grüß 你好\r\ndata:second\n\n: comment\ndata: {\"x\": 1}\nid: 7\n\ndata: last"

    async def events(ctx: Ctx) -> list[tuple[str, str, str | None]]:
        body = await ctx.get(URL, auth=basic("user", "key"))
        return [(event.event, event.data, event.id) async for event in body.events()]

    async def lines(ctx: Ctx) -> list[str]:
        return [line async for line in (await ctx.get(URL)).lines()]

    script = [Exchange("GET", URL, body=text.encode())]
    found = same_at_every_cut(script, lambda host: ask(host, events))
    assert found == [("a", "grüß 你好\nsecond", None), ("", '{"x": 1}', "7"), ("", "last", None)]
    assert same_at_every_cut(script, lambda host: ask(host, lines)) == text.replace("\r", "").split("\n")


def test_bytes_that_are_no_text_and_lines_that_are_too_long_are_survived() -> None:
    async def lines(ctx: Ctx) -> list[str]:
        return [line async for line in (await ctx.get(URL)).lines(max_bytes=5)]

    assert ask(Host([Exchange("GET", URL, body=b"\xff\n\xe4\xbd")]), lines) == ["\ufffd", "\ufffd"]
    for body in (b"123456", b"1\n123456\n"):
        with pytest.raises(Upstream, match="more than 5 bytes"):
            ask(Host([Exchange("GET", URL, body=body)], cut=2), lines)


def test_two_calls_at_once_share_the_host() -> None:
    async def one(ctx: Ctx, url: str) -> Any:
        await ctx.sleep_ms(20)
        return await (await ctx.get(url)).json()

    async def call(ctx: Ctx) -> list[Any]:
        return await join(one(ctx, URL + "/a"), one(ctx, URL + "/b"))

    host = Host([Exchange("GET", URL + "/a", body=b"[1]"), Exchange("GET", URL + "/b", body=b"[2]")], cut=1)
    assert ask(host, call) == [[1], [2]]
    assert host.slept_ms == [20, 20]


def test_first_failure_of_joined_calls_ends_the_others_and_closes_their_bodies() -> None:
    async def slow(ctx: Ctx) -> None:
        body = await ctx.get(URL + "/slow")
        while await body.chunk():
            pass

    async def bad(ctx: Ctx) -> None:
        await ctx.sleep_ms(1)
        raise Invalid("no")

    async def call(ctx: Ctx) -> None:
        await join(slow(ctx), bad(ctx))

    host = Host([Exchange("GET", URL + "/slow", body=b"x" * 100)], cut=1)
    with pytest.raises(Invalid, match="no"):
        ask(host, call)
    assert host.closed == [1]


def test_body_that_is_dropped_is_closed_at_the_host() -> None:
    async def call(ctx: Ctx) -> int:
        body = await ctx.get(URL)
        await body.chunk()
        del body
        status = (await ctx.get(URL)).status
        await ctx.sleep_ms(1)
        return status

    host = Host([Exchange("GET", URL, body=b"abc"), Exchange("GET", URL)], cut=1)
    assert ask(host, call) == 200
    assert host.closed == [1, 2]


def test_body_held_by_a_failing_call_is_closed_in_its_last_step() -> None:
    async def call(ctx: Ctx) -> None:
        body = await ctx.get(URL)
        await body.chunk()
        raise ValueError("broken")

    host = Host([Exchange("GET", URL, body=b"abc")], cut=1)
    with pytest.raises(Upstream, match=r"ValueError: broken \(test_call.py:\d+, in call\)"):
        ask(host, call)
    assert host.closed == [1]


def test_faults_become_errors_unless_they_are_caught() -> None:
    async def call(ctx: Ctx) -> str:
        try:
            await ctx.get(URL)
        except HostFault as fault:
            assert fault.is_transport
        return (await (await ctx.get(URL)).read()).decode()

    script = [Exchange("GET", URL, status=None, fault=(Fault.CONNECT, "nobody there")), Exchange("GET", URL, body=b"ok")]
    assert ask(Host(script), call) == "ok"
    for fault, error in ((Fault.DENIED, Denied), (Fault.UNSUPPORTED, Unsupported), (Fault.TIMEOUT, Upstream)):
        with pytest.raises(error, match="words") as raised:
            ask(Host([Exchange("GET", URL, status=None, fault=(Fault.CONNECT, "")), Exchange("GET", URL, body=b"o", fault=(fault, "words"))]), call)
        assert type(raised.value) is error


def test_waiting_for_something_else_is_told_in_plain_words() -> None:
    async def asleep(ctx: Ctx) -> None:
        await asyncio.Future(loop=asyncio.new_event_loop())

    with pytest.raises(Upstream) as raised:
        ask(Host(), asleep)
    assert raised.value.text == WAITS_FOR_NOTHING


def test_chat_emits_text_reasoning_and_tools() -> None:
    async def chat(ctx: ChatCtx, request: ChatRequest) -> Answer:
        ctx.emit("a")
        ctx.emit(Reasoning("b"))
        await ctx.sleep_ms(1)
        ctx.emit(ToolDelta(0, "id", "name", "{}"))
        ctx.log("done", Level.WARN)
        return Answer()

    host = Host()
    outcome = host.chat(chat, a_request())
    assert (outcome.text, outcome.reasoning, outcome.tools) == ("a", "b", [ToolDelta(0, "id", "name", "{}")])
    assert outcome.result() == Answer() and host.logs == [io.LogLine(Level.WARN, "done")]


def test_other_models_and_the_cache_are_asked() -> None:
    async def call(ctx: Ctx) -> Any:
        if (kept := await ctx.cache_get("k")) is not None:
            return kept
        text = await ctx.ask_chat([Turn("user", "hi")], max_output_tokens=5)
        vectors = await ctx.ask_embed(["x"])
        scores = await ctx.ask_rerank("q", ["x"])
        await ctx.cache_put("k", text.encode(), 9)
        return text, vectors.data, scores

    host = Host()
    host.model_answers.extend([io.ModelAnswer_Text("yo"), io.ModelAnswer_Vectors(io.Vectors(1, [2.0])), io.ModelAnswer_Scores([0.5])])
    assert ask(host, call) == ("yo", [2.0], [0.5])
    assert [call.model for call in host.model_calls] == ["chat", "embed", "rerank"]
    assert ask(host, call) == b"yo"
    host.cache.clear()
    host.model_answers.append(io.ModelAnswer_Scores([0.5]))
    with pytest.raises(Upstream, match="answered with scores"):
        ask(host, call)


def test_call_is_dropped_at_every_step_without_leftovers() -> None:
    ended: list[str] = []

    async def call(ctx: Ctx) -> None:
        try:
            async for _ in (await ctx.get(URL)).lines():
                await ctx.sleep_ms(1)
        finally:
            ended.append("end")

    script = [Exchange("GET", URL, body=b"a\nb\nc\n" * 3)]
    count = cancel_at_every_step(script, lambda host: host.run(lambda owner: call(Ctx(owner))))
    gc.collect()
    assert count > 5 and len(ended) == count + 1


def test_unknown_call_is_an_error() -> None:
    assert Calls().resume(3, io.Event_Timer(1))[2] == Err(Invalid("there is no call 3"))


def test_errors_carry_their_words() -> None:
    error = RateLimited("slow down", 500)
    assert (error.text, error.value.retry_after_ms) == ("slow down", 500)
    assert error == RateLimited("slow down", 500) and error != RateLimited("slow down", 501)


def test_settings_are_read_as_json_and_as_bare_text() -> None:
    pairs = [("a", '"x"'), ("b", "bare"), ("c", "true"), ("e", "12"), ("f", "null")]
    model = Model("", "http://a/v1//", [io.Setting(*pair) for pair in pairs])
    assert [model.setting(name) for name in "abcefz"] == ["x", "bare", True, 12, None, None]
    assert model.setting("f", 3) == 3 and model.setting("z", "d") == "d"
    assert model.url("http://b", "/path") == "http://a/v1/path"
    assert Model("", " ").url("http://b/", "path") == "http://b/path"


def test_picture_is_base64() -> None:
    assert chat_model.Image("image/png", b"\xfb\xff").base64() == "+/8="
