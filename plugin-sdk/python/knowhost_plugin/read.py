"""Readers over a body: lines, NDJSON, server-sent events. Their buffers are bounded.

Not here: what the lines mean.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .errors import Upstream
from .faults import HostFault
from .wire import io


class Lines:
    """Lines of a body. Ends are LF or CRLF; the last one may have none. Bytes that are no UTF-8 become the replacement character."""

    def __init__(self, chunk: Callable[[], Awaitable[bytes | None]], max_bytes: int) -> None:
        self._chunk = chunk
        self._max = max_bytes
        self._lines: deque[bytes] = deque()
        # The beginning of a line whose end has not come.
        self._open: list[bytes] = []
        self._open_bytes = 0
        self._done = False

    @property
    def max_bytes(self) -> int:
        return self._max

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> str:
        line = await self.next()
        if line is None:
            raise StopAsyncIteration
        return line

    async def next(self) -> str | None:
        """The next line without its end; `None` after the last."""
        while not self._lines:
            if self._done:
                return None
            self._take(await self._chunk())
        return self._lines.popleft().removesuffix(b"\r").decode("utf-8", "replace")

    def _take(self, chunk: bytes | None) -> None:
        if chunk is None:
            self._done = True
            if self._open_bytes:
                self._lines.append(b"".join(self._open))
            return
        first, *rest = chunk.split(b"\n")
        self._open.append(first)
        self._open_bytes += len(first)
        if rest:
            self._lines.append(b"".join(self._open))
            self._lines.extend(rest[:-1])
            self._open, self._open_bytes = [rest[-1]], len(rest[-1])
        if self._open_bytes > self._max or (self._lines and max(map(len, self._lines)) > self._max):
            raise HostFault(io.Fault.TOO_LARGE, f"the response has a line of more than {self._max} bytes")

    async def next_json(self) -> Any:
        """The next line that is not blank, as JSON (NDJSON); `None` after the last."""
        async for line in self:
            if line.strip():
                try:
                    return json.loads(line)
                except ValueError as error:
                    raise Upstream(f"a line of the response is not the expected JSON: {error}") from None
        return None


@dataclass(slots=True)
class SseEvent:
    """One server-sent event: `event:` (empty when absent), the `data:` lines joined with line ends, `id:`."""

    event: str = ""
    data: str = ""
    id: str | None = None


class Events:
    """Server-sent events of a body. Comments are skipped; the last event needs no blank line after it."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        # A lone CR is a line end too, so one line may hold several.
        self._parts: deque[str] = deque()
        self._first = True

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> SseEvent:
        event = await self.next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def next(self) -> SseEvent | None:
        """The next event that carries data; `None` at the end of the body."""
        event, size = SseEvent(), 0
        data: list[str] = []
        while True:
            line = self._parts.popleft() if self._parts else await self._line()
            if not line:
                if data:
                    event.data = "\n".join(data)
                    return event
                if line is None:
                    return None
                event = SseEvent()
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                size += len(value)
                if size > self._lines.max_bytes:
                    raise HostFault(io.Fault.TOO_LARGE, f"an event of more than {self._lines.max_bytes} bytes")
                data.append(value)
            elif name == "event":
                event.event = value
            elif name == "id":
                event.id = value

    async def _line(self) -> str | None:
        line = await self._lines.next()
        if line is None:
            return None
        if self._first:
            self._first = False
            line = line.removeprefix("\ufeff")
        if "\r" in line:
            self._parts.extend(line.split("\r"))
            return self._parts.popleft()
        return line
