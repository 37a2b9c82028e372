"""Requests and answers of rerankers: `wit/v0.1/reranker.wit`.

Not here: the call itself (`kinds.reranker`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import io

if TYPE_CHECKING:
    from ..call import Result


@dataclass(slots=True)
class Request:
    model: io.Model
    query: str
    texts: list[str]
    top: int | None = None


@dataclass(slots=True)
class Hit:
    """`index` is the place in `texts`, the score lies in [0, 1]."""

    index: int
    relevance_score: float


@dataclass(slots=True)
class Ranking:
    """Best first, each index at most once."""

    hits: list[Hit]
    usage: io.Usage | None = None


@dataclass(slots=True)
class Step:
    asks: list[io.Ask]
    end: Result[Any]


__all__ = ["Hit", "Ranking", "Request", "Step"]
