"""A host for unit tests: runs a plugin here against scripted exchanges, with bodies cut anywhere and calls cancelled at any step.

Not here: grants, limits and secrets; the real host checks those.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .call import Calls, Err, Io, Ok
from .ctx import Ctx
from .errors import PluginError
from .kinds import Catalogue, CatalogueCtx, ChatCtx, answer_catalogue
from .wire import catalogue, chat_model, embedder, io, reranker

T = TypeVar("T")


@dataclass
class Exchange:
    """One exchange of the script: what the peer answers to the next request. With `fault`, the body breaks after its bytes;
    with `fault` and no status, no head ever comes."""

    method: str
    url: str
    status: int | None = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    fault: tuple[io.Fault, str] | None = None

    @classmethod
    def recorded(cls, text: str) -> list[Exchange]:
        """The exchanges of a file that `knowhost plugin record` wrote (`exchanges/*.json`), so that a test needs no network."""
        return [
            cls(one["method"], one["url"], one["status"], dict(one["response_headers"]), "".join(one["chunks"]).encode())
            for one in json.loads(text)["exchanges"]
        ]


@dataclass
class Outcome:
    """What a call gave. `error` and `answer` are both `None` when it was cancelled."""

    deltas: list[Any]
    answer: Any = None
    error: PluginError | None = None
    cancelled: bool = False

    def result(self) -> Any:
        """The answer; raises what the call ended with."""
        if self.error is not None:
            raise self.error
        assert not self.cancelled, "the call was cancelled"
        return self.answer

    @property
    def text(self) -> str:
        """All text of a chat call."""
        return "".join(delta.value for delta in self.deltas if isinstance(delta, chat_model.Delta_Text))

    @property
    def reasoning(self) -> str:
        return "".join(delta.value for delta in self.deltas if isinstance(delta, chat_model.Delta_Reasoning))

    @property
    def tools(self) -> list[chat_model.ToolDelta]:
        return [delta.value for delta in self.deltas if isinstance(delta, chat_model.Delta_Tool)]


class Host:
    """The scripted host. `cut`: bodies arrive in pieces of so many bytes; `cancel_after`: the call is dropped after so many events."""

    def __init__(self, script: Iterable[Exchange] = (), *, cut: int | None = None, cut_at: int | None = None, cancel_after: int | None = None) -> None:
        self.script = deque(script)
        self.cut = cut
        self.cut_at = cut_at
        self.cancel_after = cancel_after
        # What the plugin did, in order.
        self.requests: list[io.HttpRequest] = []
        self.slept_ms: list[int] = []
        self.logs: list[io.LogLine] = []
        self.closed: list[int] = []
        self.model_calls: list[io.ModelCall] = []
        # What other models answer, first to last, and the plugin's cache.
        self.model_answers: deque[io.ModelAnswer | tuple[io.Fault, str]] = deque()
        self.cache: dict[str, bytes] = {}
        self._bodies: dict[int, tuple[deque[bytes], tuple[io.Fault, str] | None]] = {}
        self._waiting: deque[io.Event] = deque()

    def request_json(self, index: int) -> Any:
        """The body of a request as JSON."""
        return json.loads(self.requests[index].body)

    def embed(self, function: Callable[[Ctx, embedder.Request], Awaitable[Any]], request: embedder.Request) -> embedder.Embeddings:
        answer: embedder.Embeddings = self.run(lambda owner: function(Ctx(owner), request)).result()
        return answer

    def rerank(self, function: Callable[[Ctx, reranker.Request], Awaitable[Any]], request: reranker.Request) -> reranker.Ranking:
        answer: reranker.Ranking = self.run(lambda owner: function(Ctx(owner), request)).result()
        return answer

    def chat(self, function: Callable[[ChatCtx, chat_model.Request], Awaitable[Any]], request: chat_model.Request) -> Outcome:
        return self.run(lambda owner: function(ChatCtx(owner), request))

    def catalogue(self, provider: Catalogue, request: catalogue.Request) -> Outcome:
        return self.run(lambda owner: answer_catalogue(provider, CatalogueCtx(owner), request))

    def run(self, make: Callable[[Io], Awaitable[Any]]) -> Outcome:
        """Runs a call to its end, the way the real host does."""

        async def call(owner: Io) -> Any:
            return await make(owner)

        calls, deltas, events = Calls(), [], 0
        asks, new, end = calls.start(7, call)
        while True:
            deltas.extend(new)
            for ask in asks:
                self._carry_out(ask)
            if end is not None:
                assert not calls.running, "a call that ended is still there"
                if isinstance(end, Ok):
                    return Outcome(deltas, answer=end.value)
                assert isinstance(end, Err)
                return Outcome(deltas, error=end.value)
            if self.cancel_after == events:
                calls.cancel(7)
                return Outcome(deltas, cancelled=True)
            events += 1
            asks, new, end = calls.resume(7, self._waiting.popleft())

    def _carry_out(self, ask: io.Ask) -> None:
        put = self._waiting.append
        if isinstance(ask, io.Ask_Http):
            put(self._exchange(ask.value))
        elif isinstance(ask, io.Ask_Read):
            put(self._read(ask.value))
        elif isinstance(ask, io.Ask_Close):
            self.closed.append(ask.value)
            self._bodies.pop(ask.value, None)
        elif isinstance(ask, io.Ask_Sleep):
            self.slept_ms.append(ask.value.ms)
            put(io.Event_Timer(ask.value.op))
        elif isinstance(ask, io.Ask_Log):
            self.logs.append(ask.value)
        elif isinstance(ask, io.Ask_Model):
            self.model_calls.append(ask.value)
            answer = self.model_answers.popleft()
            if isinstance(answer, tuple):
                put(io.Event_Fault(io.OpFault(ask.value.op, *answer)))
            else:
                put(io.Event_Model(io.ModelReply(ask.value.op, answer)))
        elif isinstance(ask, io.Ask_CacheGet):
            put(io.Event_CacheValue(io.CacheValue(ask.value.op, self.cache.get(ask.value.key))))
        else:
            self.cache[ask.value.key] = ask.value.value
            put(io.Event_CacheStored(ask.value.op))

    def _exchange(self, request: io.HttpRequest) -> io.Event:
        assert self.script, f"a request that the script does not have: {request.method} {request.url}"
        exchange = self.script.popleft()
        assert (request.method, request.url) == (exchange.method, exchange.url)
        self.requests.append(request)
        if exchange.status is None:
            return io.Event_Fault(io.OpFault(request.op, *(exchange.fault or (io.Fault.CONNECT, "no connection"))))
        self._bodies[request.op] = deque(self._pieces(exchange.body)), exchange.fault
        headers = [io.Header(name, value) for name, value in exchange.headers.items()]
        return io.Event_HttpHead(io.HttpHead(request.op, exchange.status, headers))

    def _pieces(self, body: bytes) -> list[bytes]:
        if self.cut_at is not None:
            return [piece for piece in (body[: self.cut_at], body[self.cut_at :]) if piece]
        size = self.cut or max(len(body), 1)
        return [body[at : at + size] for at in range(0, len(body), size)]

    def _read(self, op: int) -> io.Event:
        assert op in self._bodies, f"a read of a body that is not open: {op}"
        pieces, fault = self._bodies[op]
        if pieces:
            return io.Event_HttpChunk(io.HttpChunk(op, pieces.popleft()))
        del self._bodies[op]
        return io.Event_HttpEnd(op) if fault is None else io.Event_Fault(io.OpFault(op, *fault))


def same_at_every_cut(script: Sequence[Exchange], call: Callable[[Host], T]) -> T:
    """Runs the same call with its bodies whole, cut in two at every place, and in small pieces, and wants the same outcome each time."""
    whole = call(Host(script))
    longest = max((len(exchange.body) for exchange in script), default=0)
    for options in [{"cut_at": at} for at in range(1, longest)] + [{"cut": size} for size in (1, 2, 3)]:
        assert call(Host(script, **options)) == whole, f"with {options}"
    return whole


def cancel_at_every_step(script: Sequence[Exchange], call: Callable[[Host], Outcome]) -> int:
    """Cancels the same call after 0, 1, 2 ... events until it comes to its end. Returns how often it was cancelled."""
    for events in range(100_000):
        if not call(Host(script, cut=7, cancel_after=events)).cancelled:
            return events
    raise AssertionError("the call does not end")
