"""Errors that a call can end with. Raise one; its sentence goes to the user, signed with the plugin's name.

Not here: faults of single operations (`ctx.HostFault`), which an author may catch and try again.
"""

from __future__ import annotations

from dataclasses import dataclass


class PluginError(Exception):
    """The base of all; raise one of the others."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value

    @property
    def text(self) -> str:
        return str(self.value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.value == other.value

    __hash__ = Exception.__hash__


class Invalid(PluginError):
    """The request can not be answered as it stands."""


class Unauthorised(PluginError):
    """The provider refused the credentials."""


class Denied(PluginError):
    """The host or the provider forbids it."""


class NotFound(PluginError):
    """No such model."""


@dataclass(slots=True)
class RateLimit:
    text: str
    retry_after_ms: int | None = None


class RateLimited(PluginError):
    """The provider wants fewer requests."""

    value: RateLimit

    def __init__(self, text: str | RateLimit, retry_after_ms: int | None = None) -> None:
        super().__init__(text if isinstance(text, RateLimit) else RateLimit(text, retry_after_ms))

    @property
    def text(self) -> str:
        return self.value.text


class TooLong(PluginError):
    """More text than the model takes."""


class Upstream(PluginError):
    """The provider failed."""


class Unsupported(PluginError):
    """This plugin does not do that."""
