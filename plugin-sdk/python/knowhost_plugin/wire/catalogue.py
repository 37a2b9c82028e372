"""Requests and answers of catalogues: `wit/v0.1/catalogue.wit`.

Not here: the call itself (`kinds.Catalogue`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from . import io

if TYPE_CHECKING:
    from ..call import Result


@dataclass(slots=True)
class Entry:
    name: str
    size_bytes: int = 0
    digest: str = ""
    modified_at: str = ""


@dataclass(slots=True)
class Query_Status:
    pass


@dataclass(slots=True)
class Query_Models:
    pass


@dataclass(slots=True)
class Query_Check:
    pass


@dataclass(slots=True)
class Query_Pull:
    pass


@dataclass(slots=True)
class Query_Remove:
    pass


Query = Union[Query_Status, Query_Models, Query_Check, Query_Pull, Query_Remove]


@dataclass(slots=True)
class Request:
    model: io.Model
    query: Query


@dataclass(slots=True)
class Progress:
    status: str
    completed_bytes: int = 0
    total_bytes: int = 0


@dataclass(slots=True)
class Reply_Status:
    value: str


@dataclass(slots=True)
class Reply_Models:
    value: list[Entry]


@dataclass(slots=True)
class Reply_Check:
    value: bool


@dataclass(slots=True)
class Reply_Done:
    pass


Reply = Union[Reply_Status, Reply_Models, Reply_Check, Reply_Done]


@dataclass(slots=True)
class Step:
    asks: list[io.Ask]
    progress: list[Progress]
    end: Result[Any]


__all__ = [
    "Entry", "Progress", "Query", "Query_Check", "Query_Models", "Query_Pull", "Query_Remove", "Query_Status", "Reply", "Reply_Check",
    "Reply_Done", "Reply_Models", "Reply_Status", "Request", "Step",
]  # fmt: skip
