"""What every kind of plugin shares: `wit/v0.1/io.wit`.

Not here: what authors use of it (`ctx`, `http`, `errors`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Union

from ..errors import Denied, Invalid, NotFound, PluginError, RateLimit, RateLimited, TooLong, Unauthorised, Unsupported, Upstream


@dataclass(slots=True)
class Header:
    name: str
    value: str


@dataclass(slots=True)
class PlacedSecret:
    name: str
    prefix: str
    secret: str


@dataclass(slots=True)
class BasicLogin:
    user: str
    secret: str


@dataclass(slots=True)
class Sigv4:
    access_key: str
    secret_key: str
    region: str
    service: str


@dataclass(slots=True)
class Auth_Bearer:
    value: str


@dataclass(slots=True)
class Auth_Basic:
    value: BasicLogin


@dataclass(slots=True)
class Auth_Header:
    value: PlacedSecret


@dataclass(slots=True)
class Auth_Query:
    value: PlacedSecret


@dataclass(slots=True)
class Auth_Sigv4:
    value: Sigv4


Auth = Union[Auth_Bearer, Auth_Basic, Auth_Header, Auth_Query, Auth_Sigv4]


@dataclass(slots=True)
class HttpRequest:
    op: int
    method: str
    url: str
    headers: list[Header] = field(default_factory=list)
    auth: list[Auth] = field(default_factory=list)
    body: bytes = b""
    timeout_ms: int | None = None


@dataclass(slots=True)
class HttpHead:
    op: int
    status: int
    headers: list[Header]


@dataclass(slots=True)
class HttpChunk:
    op: int
    data: bytes


@dataclass(slots=True)
class Timer:
    op: int
    ms: int


class Level(Enum):
    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


@dataclass(slots=True)
class LogLine:
    level: Level
    text: str


@dataclass(slots=True)
class Turn:
    """One turn of a conversation with another model; the role is `system`, `user` or `assistant`."""

    role: str
    text: str


@dataclass(slots=True)
class RerankQuery:
    query: str
    texts: list[str]


@dataclass(slots=True)
class ModelRequest_Chat:
    value: list[Turn]


@dataclass(slots=True)
class ModelRequest_Embed:
    value: list[str]


@dataclass(slots=True)
class ModelRequest_Rerank:
    value: RerankQuery


ModelRequest = Union[ModelRequest_Chat, ModelRequest_Embed, ModelRequest_Rerank]


@dataclass(slots=True)
class ModelCall:
    op: int
    model: str
    request: ModelRequest
    max_output_tokens: int | None


@dataclass(slots=True)
class Vectors:
    """Rows of equal length, one after another."""

    dimension: int
    data: list[float]


@dataclass(slots=True)
class ModelAnswer_Text:
    value: str


@dataclass(slots=True)
class ModelAnswer_Vectors:
    value: Vectors


@dataclass(slots=True)
class ModelAnswer_Scores:
    value: list[float]


ModelAnswer = Union[ModelAnswer_Text, ModelAnswer_Vectors, ModelAnswer_Scores]


@dataclass(slots=True)
class ModelReply:
    op: int
    answer: ModelAnswer


@dataclass(slots=True)
class CacheRead:
    op: int
    key: str


@dataclass(slots=True)
class CacheWrite:
    op: int
    key: str
    value: bytes
    ttl_ms: int | None


@dataclass(slots=True)
class CacheValue:
    op: int
    value: bytes | None


@dataclass(slots=True)
class Ask_Http:
    value: HttpRequest


@dataclass(slots=True)
class Ask_Read:
    value: int


@dataclass(slots=True)
class Ask_Close:
    value: int


@dataclass(slots=True)
class Ask_Sleep:
    value: Timer


@dataclass(slots=True)
class Ask_Log:
    value: LogLine


@dataclass(slots=True)
class Ask_Model:
    value: ModelCall


@dataclass(slots=True)
class Ask_CacheGet:
    value: CacheRead


@dataclass(slots=True)
class Ask_CachePut:
    value: CacheWrite


Ask = Union[Ask_Http, Ask_Read, Ask_Close, Ask_Sleep, Ask_Log, Ask_Model, Ask_CacheGet, Ask_CachePut]


class Fault(Enum):
    """Why an operation failed."""

    DENIED = 0
    CONNECT = 1
    TIMEOUT = 2
    PROTOCOL = 3
    TOO_LARGE = 4
    UNSUPPORTED = 5
    UPSTREAM = 6


@dataclass(slots=True)
class OpFault:
    op: int
    fault: Fault
    text: str


@dataclass(slots=True)
class Event_HttpHead:
    value: HttpHead


@dataclass(slots=True)
class Event_HttpChunk:
    value: HttpChunk


@dataclass(slots=True)
class Event_HttpEnd:
    value: int


@dataclass(slots=True)
class Event_Timer:
    value: int


@dataclass(slots=True)
class Event_Model:
    value: ModelReply


@dataclass(slots=True)
class Event_CacheValue:
    value: CacheValue


@dataclass(slots=True)
class Event_CacheStored:
    value: int


@dataclass(slots=True)
class Event_Fault:
    value: OpFault


Event = Union[
    Event_HttpHead, Event_HttpChunk, Event_HttpEnd, Event_Timer, Event_Model, Event_CacheValue, Event_CacheStored, Event_Fault
]

# The cases of `error` are exceptions, so that an author raises what the host is told.
Error_Invalid = Invalid
Error_Unauthorised = Unauthorised
Error_Denied = Denied
Error_NotFound = NotFound
Error_RateLimited = RateLimited
Error_TooLong = TooLong
Error_Upstream = Upstream
Error_Unsupported = Unsupported
Error = PluginError


@dataclass(slots=True)
class Setting:
    name: str
    value: str


@dataclass(slots=True)
class Model:
    """The configured model: what was filled in, without the secrets."""

    name: str
    base_url: str = ""
    settings: list[Setting] = field(default_factory=list)

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting as Python value. A value that is no JSON counts as text; `null` and what is missing give `default`."""
        for setting in self.settings:
            if setting.name == name:
                try:
                    value = json.loads(setting.value)
                except ValueError:
                    return setting.value
                return default if value is None else value
        return default

    def url(self, default: str, path: str) -> str:
        """`path` under the model's address, or under `default` when it has none."""
        return f"{(self.base_url.strip() or default).rstrip('/')}/{path.lstrip('/')}"


@dataclass(slots=True)
class Usage:
    input_tokens: int
    output_tokens: int


__all__ = [
    "Ask", "Ask_CacheGet", "Ask_CachePut", "Ask_Close", "Ask_Http", "Ask_Log", "Ask_Model", "Ask_Read", "Ask_Sleep",
    "Auth", "Auth_Basic", "Auth_Bearer", "Auth_Header", "Auth_Query", "Auth_Sigv4", "BasicLogin", "CacheRead", "CacheValue",
    "CacheWrite",
    "Error", "Error_Denied", "Error_Invalid", "Error_NotFound", "Error_RateLimited", "Error_TooLong", "Error_Unauthorised",
    "Error_Unsupported", "Error_Upstream", "Event", "Event_CacheStored", "Event_CacheValue", "Event_Fault", "Event_HttpChunk",
    "Event_HttpEnd", "Event_HttpHead", "Event_Model", "Event_Timer", "Fault", "Header", "HttpChunk", "HttpHead", "HttpRequest",
    "Level", "LogLine", "Model", "ModelAnswer", "ModelAnswer_Scores", "ModelAnswer_Text", "ModelAnswer_Vectors", "ModelCall",
    "ModelReply", "ModelRequest", "ModelRequest_Chat", "ModelRequest_Embed", "ModelRequest_Rerank", "OpFault", "PlacedSecret",
    "RateLimit", "RerankQuery", "Setting", "Sigv4", "Timer", "Turn", "Usage", "Vectors",
]  # fmt: skip
