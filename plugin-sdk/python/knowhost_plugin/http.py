"""HTTP exchanges: requests with secrets by name, bodies that are pulled chunk by chunk.

Not here: lines and events inside a body (`read`). No byte is sent by the plugin; the host does it, if it is granted.
"""

from __future__ import annotations

import json as _json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from .call import Io, Op
from .errors import Upstream
from .faults import HostFault, unexpected
from .read import Events, Lines
from .refusal import BODY_BYTES_MAX as REFUSAL_BYTES_MAX
from .refusal import refusal
from .wire import io

# What `Body.read` collects at most.
BODY_BYTES_MAX = 32 << 20


def bearer(secret: str) -> io.Auth:
    """`Authorization: Bearer` with the secret of this name; the host puts it in."""
    return io.Auth_Bearer(secret)


def basic(user: str, secret: str) -> io.Auth:
    """`Authorization: Basic` with this name and the secret as its password."""
    return io.Auth_Basic(io.BasicLogin(user, secret))


def secret_header(name: str, secret: str, prefix: str = "") -> io.Auth:
    """The header `name` with `prefix` and the secret of this name."""
    return io.Auth_Header(io.PlacedSecret(name, prefix, secret))


def secret_query(name: str, secret: str) -> io.Auth:
    """The query parameter `name` with the secret of this name."""
    return io.Auth_Query(io.PlacedSecret(name, "", secret))


def sigv4(access_key: str, secret_key: str, region: str, service: str) -> io.Auth:
    """Signed as AWS wants it; both keys are names of secrets."""
    return io.Auth_Sigv4(io.Sigv4(access_key, secret_key, region, service))


async def send(
    owner: Io,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    auth: io.Auth | Sequence[io.Auth] = (),
    json: Any = None,
    body: bytes = b"",
    timeout_ms: int | None = None,
) -> Body:
    """Sends a request and waits for the head of its response, whatever the status. `auth` names up to four secrets."""
    sent = [io.Header(name, value) for name, value in (headers or {}).items()]
    if json is not None:
        sent.append(io.Header("Content-Type", "application/json"))
        body = _json.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
    places = list(auth) if isinstance(auth, Sequence) else [auth]
    op = owner.open(lambda number: io.Ask_Http(io.HttpRequest(number, method, url, sent, places, body, timeout_ms)))
    event = await op
    if isinstance(event, io.Event_HttpHead):
        return Body(op, event.value.status, event.value.headers)
    op.end()
    raise unexpected(event)


class Body:
    """A response. Its bytes stay with the peer until they are asked for; dropping it closes the exchange."""

    def __init__(self, op: Op, status: int, headers: list[io.Header]) -> None:
        self.status = status
        self.headers = headers
        self._op = op

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    async def accepted(self) -> Body:
        """The response itself when it is a success; else raises what its status means, with the service's own sentence."""
        if self.is_success:
            return self
        raise refusal(self.status, self.header("retry-after"), await self.excerpt(REFUSAL_BYTES_MAX))

    def header(self, name: str) -> str | None:
        """The first header of this name, case ignored."""
        wanted = name.lower()
        return next((header.value for header in self.headers if header.name.lower() == wanted), None)

    async def chunk(self) -> bytes | None:
        """The next bytes; `None` at the end."""
        op = self._op
        if not op.live:
            return None
        op.read()
        event = await op
        if isinstance(event, io.Event_HttpChunk):
            return event.value.data
        op.end()
        if isinstance(event, io.Event_HttpEnd):
            return None
        raise unexpected(event)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self.chunk()) is not None:
            yield chunk

    async def read(self, max_bytes: int = BODY_BYTES_MAX) -> bytes:
        """All bytes; more than `max_bytes` are a fault."""
        pieces, size = [], 0
        while (chunk := await self.chunk()) is not None:
            size += len(chunk)
            if size > max_bytes:
                self.close()
                raise HostFault(io.Fault.TOO_LARGE, f"the response is larger than {max_bytes} bytes")
            pieces.append(chunk)
        return b"".join(pieces)

    async def json(self) -> Any:
        """The body as JSON."""
        try:
            return _json.loads(await self.read())
        except ValueError as error:
            raise Upstream(f"the response is not the expected JSON: {error}") from None

    async def excerpt(self, max_bytes: int = 2_000) -> str:
        """The beginning of the body as text, for error messages: what came before a fault."""
        pieces, size = [], 0
        try:
            while size < max_bytes and (chunk := await self.chunk()) is not None:
                pieces.append(chunk)
                size += len(chunk)
        except HostFault:
            pass
        return b"".join(pieces)[:max_bytes].decode("utf-8", "replace")

    def lines(self, max_bytes: int = 4 << 20) -> Lines:
        """The body line by line: `async for line in body.lines()`."""
        return Lines(self.chunk, max_bytes)

    def events(self, max_bytes: int = 4 << 20) -> Events:
        """The body as server-sent events: `async for event in body.events()`."""
        return Events(self.lines(max_bytes))

    def close(self) -> None:
        """Gives the rest of the body up."""
        self._op.close()
