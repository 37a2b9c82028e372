"""Results where there is no component: the same two names as the runtime's.

Not here: how a call comes to its result (`call`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Ok(Generic[T]):
    value: T


class Err(Generic[T], Exception):
    def __init__(self, value: T) -> None:
        super().__init__(value)
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Err) and self.value == other.value

    __hash__ = Exception.__hash__
