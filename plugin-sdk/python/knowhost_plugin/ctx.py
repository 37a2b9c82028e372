"""What a call can ask of the host: exchanges, pauses, other models, the cache, the log.

Not here: the bodies themselves (`http`), and who carries the asks out (the host, under the plugin's grants).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from .call import Io
from .faults import HostFault, unexpected
from .http import Body, send
from .wire import io

D = TypeVar("D")


class Ctx:
    """The handle of one call; it never leaves its call."""

    def __init__(self, owner: Io) -> None:
        self._io = owner

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: io.Auth | Sequence[io.Auth] = (),
        json: Any = None,
        body: bytes = b"",
        timeout_ms: int | None = None,
    ) -> Body:
        """Sends a request and waits for the head of its response, whatever the status."""
        return await send(
            self._io, method, url, headers=headers, auth=auth, json=json, body=body, timeout_ms=timeout_ms
        )

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: io.Auth | Sequence[io.Auth] = (),
        timeout_ms: int | None = None,
    ) -> Body:
        return await send(self._io, "GET", url, headers=headers, auth=auth, timeout_ms=timeout_ms)

    async def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: io.Auth | Sequence[io.Auth] = (),
        json: Any = None,
        body: bytes = b"",
        timeout_ms: int | None = None,
    ) -> Body:
        return await send(
            self._io, "POST", url, headers=headers, auth=auth, json=json, body=body, timeout_ms=timeout_ms
        )

    async def sleep_ms(self, ms: int) -> None:
        op = self._io.open(lambda number: io.Ask_Sleep(io.Timer(number, ms)))
        # A fault of the timer ends the wait as well: there is nothing better to do with it.
        await op
        op.end()

    def log(self, text: str, level: io.Level = io.Level.INFO) -> None:
        """A line in the host's log, tagged with the plugin's name."""
        self._io.asks.append(io.Ask_Log(io.LogLine(level, text)))

    async def call_model(self, model: str, request: io.ModelRequest, max_output_tokens: int | None = None) -> io.ModelAnswer:
        """Asks another model of the caller's tenant: `chat`, `embed`, `rerank` or a model id that the manifest allows."""
        op = self._io.open(lambda number: io.Ask_Model(io.ModelCall(number, model, request, max_output_tokens)))
        event = await op
        op.end()
        if isinstance(event, io.Event_Model):
            return event.value.answer
        raise unexpected(event)

    async def ask_chat(self, turns: Sequence[io.Turn], model: str = "chat", max_output_tokens: int | None = None) -> str:
        """What another chat model says to these turns."""
        answer = await self.call_model(model, io.ModelRequest_Chat(list(turns)), max_output_tokens)
        if isinstance(answer, io.ModelAnswer_Text):
            return answer.value
        raise _other_answer(answer)

    async def ask_embed(self, texts: Sequence[str], model: str = "embed") -> io.Vectors:
        """The vectors that another embedder makes of these texts."""
        answer = await self.call_model(model, io.ModelRequest_Embed(list(texts)))
        if isinstance(answer, io.ModelAnswer_Vectors):
            return answer.value
        raise _other_answer(answer)

    async def ask_rerank(self, query: str, texts: Sequence[str], model: str = "rerank") -> list[float]:
        """One score in [0, 1] from another reranker for each text, in the order of the texts."""
        answer = await self.call_model(model, io.ModelRequest_Rerank(io.RerankQuery(query, list(texts))))
        if isinstance(answer, io.ModelAnswer_Scores):
            return answer.value
        raise _other_answer(answer)

    async def cache_get(self, key: str) -> bytes | None:
        """Reads the plugin's cache; `None`: not there, or not any more."""
        op = self._io.open(lambda number: io.Ask_CacheGet(io.CacheRead(number, key)))
        event = await op
        op.end()
        if isinstance(event, io.Event_CacheValue):
            return event.value.value
        raise unexpected(event)

    async def cache_put(self, key: str, value: bytes, ttl_ms: int | None = None) -> None:
        """Writes the plugin's cache."""
        op = self._io.open(lambda number: io.Ask_CachePut(io.CacheWrite(number, key, value, ttl_ms)))
        event = await op
        op.end()
        if not isinstance(event, io.Event_CacheStored):
            raise unexpected(event)


class StreamCtx(Ctx, Generic[D]):
    """The handle of a kind that says things before its end."""

    def emit(self, delta: D) -> None:
        """Hands a piece to the caller. It leaves with the next step: at the next await, or at the end."""
        self._io.deltas.append(delta)


def _other_answer(answer: io.ModelAnswer) -> HostFault:
    name = type(answer).__name__.removeprefix("ModelAnswer_").lower()
    return HostFault(io.Fault.PROTOCOL, f"the model answered with {name}, which was not asked for")
