"""Requests and answers of tokenizers: `wit/v0.1/tokenizer.wit`.

Not here: the call itself (`kinds.tokenizer`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Mode(Enum):
    """`INDEX`: what a chunk can be found by. `QUERY`: what a query looks for."""

    INDEX = 0
    QUERY = 1


@dataclass(slots=True)
class Tokens:
    """Number of words of each text; start and end byte of each word, texts one after another."""

    counts: list[int]
    spans: list[int]


__all__ = ["Mode", "Tokens"]
