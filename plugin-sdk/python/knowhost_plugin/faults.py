"""Faults of single operations: an author may catch one and try again; otherwise it becomes the error of the call.

Not here: the errors that an author raises (`errors`).
"""

from __future__ import annotations

from .errors import Denied, PluginError, Unsupported, Upstream
from .wire import io


class HostFault(PluginError):
    """An operation of the host failed: `fault` says how, `text` says it in words."""

    def __init__(self, fault: io.Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault

    @property
    def is_transport(self) -> bool:
        """Whether the peer was not reached or the connection broke, so that another try may succeed."""
        return self.fault in (io.Fault.CONNECT, io.Fault.TIMEOUT, io.Fault.PROTOCOL)

    def as_error(self) -> PluginError:
        """The error of a call that does not catch it."""
        if self.fault is io.Fault.DENIED:
            return Denied(self.text)
        if self.fault is io.Fault.UNSUPPORTED:
            return Unsupported(self.text)
        return Upstream(self.text)


def unexpected(event: io.Event) -> HostFault:
    """What a wrong or failing event becomes."""
    if isinstance(event, io.Event_Fault):
        return HostFault(event.value.fault, event.value.text)
    name = type(event).__name__.removeprefix("Event_")
    return HostFault(io.Fault.PROTOCOL, f"the host answered with {name}, which does not fit the operation")
