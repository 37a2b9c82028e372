"""Requests and answers of embedders: `wit/v0.1/embedder.wit`.

Not here: the call itself (`kinds.embedder`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from . import io

if TYPE_CHECKING:
    from ..call import Result


class Purpose(Enum):
    """What the texts are embedded for."""

    CHUNK = 0
    QUERY = 1


@dataclass(slots=True)
class Request:
    model: io.Model
    purpose: Purpose
    texts: list[str]
    dimensions: int | None = None


@dataclass(slots=True)
class Embeddings:
    """One row for each text, in order, flat; `dimension` is the length of a row."""

    dimension: int
    data: list[float]
    usage: io.Usage | None = None


@dataclass(slots=True)
class Step:
    asks: list[io.Ask]
    end: Result[Any]


__all__ = ["Embeddings", "Purpose", "Request", "Step"]
