"""The executor: turns the awaits of a call into asks, and events into progress.

Not here: what authors see (`ctx`, `http`) and the exports of a component (`kinds`).
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar, Union

from .errors import Invalid, PluginError, Upstream
from .faults import HostFault
from .wire import io

T = TypeVar("T")

try:
    from componentize_py_types import Err as Err, Ok as Ok  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    # Outside of a component, for tests.
    from ._result import Err as Err
    from ._result import Ok as Ok

Result = Union[Ok[T], Err[PluginError], None]

# What an awaitable of the SDK yields; anything else comes from somebody who has no place in a plugin.
PENDING = object()

WAITS_FOR_NOTHING = (
    "the plugin waits for something that the host does not know: only what the SDK gives can be awaited in a plugin"
)


class Slot:
    """What has arrived for an operation."""

    __slots__ = ("ready", "expecting")

    def __init__(self) -> None:
        self.ready: deque[io.Event] = deque()
        # An ask went out whose event has not come yet.
        self.expecting = True


class Io:
    """Everything that one call has with the host."""

    __slots__ = ("asks", "slots", "deltas", "last_op")

    def __init__(self) -> None:
        self.asks: list[io.Ask] = []
        self.slots: dict[int, Slot] = {}
        self.deltas: list[Any] = []
        self.last_op = 0

    def open(self, make: Callable[[int], io.Ask]) -> Op:
        """Opens an operation with the ask that `make` builds for its number."""
        self.last_op += 1
        self.slots[self.last_op] = Slot()
        self.asks.append(make(self.last_op))
        return Op(self, self.last_op)

    def is_waiting(self) -> bool:
        return any(slot.expecting for slot in self.slots.values())

    def deliver(self, event: io.Event) -> None:
        value = event.value
        slot = self.slots.get(value if isinstance(value, int) else value.op)
        if slot is not None:
            slot.expecting = False
            slot.ready.append(event)


class Op:
    """An operation. It is closed at the host when nobody holds it any more before its end."""

    __slots__ = ("io", "id", "live")

    def __init__(self, owner: Io, number: int) -> None:
        self.io = owner
        self.id = number
        self.live = True

    def __await__(self) -> Generator[object, None, io.Event]:
        slot = self.io.slots[self.id]
        while not slot.ready:
            yield PENDING
        return slot.ready.popleft()

    def read(self) -> None:
        """Asks for the next chunk, unless something has arrived already."""
        slot = self.io.slots.get(self.id)
        if slot is not None and not slot.ready and not slot.expecting:
            slot.expecting = True
            self.io.asks.append(io.Ask_Read(self.id))

    def end(self) -> None:
        """The host knows it no longer."""
        self.live = False
        self.io.slots.pop(self.id, None)

    def close(self) -> None:
        if self.live:
            self.end()
            self.io.asks.append(io.Ask_Close(self.id))

    def __del__(self) -> None:
        self.close()


class join(Generic[T]):
    """Awaits several calls at the same time: `first, second = await join(one(), two())`. The first that fails ends the others."""

    def __init__(self, *awaitables: Awaitable[T]) -> None:
        self.generators = [awaitable.__await__() for awaitable in awaitables]

    def __await__(self) -> Generator[object, None, list[T]]:
        results: list[Any] = [None] * len(self.generators)
        running = dict(enumerate(self.generators))
        try:
            while True:
                for index, generator in list(running.items()):
                    try:
                        signal = next(generator)
                    except StopIteration as stop:
                        results[index] = stop.value
                        del running[index]
                    else:
                        if signal is not PENDING:
                            raise Upstream(WAITS_FOR_NOTHING)
                if not running:
                    return results
                yield PENDING
        finally:
            for generator in running.values():
                generator.close()


class Calls:
    """The calls under way in one instance, for one kind."""

    def __init__(self) -> None:
        self.running: dict[int, tuple[Coroutine[Any, Any, Any], Io]] = {}

    def start(self, number: int, make: Callable[[Io], Coroutine[Any, Any, Any]]) -> tuple[list[io.Ask], list[Any], Result[Any]]:
        owner = Io()
        return self._advance(number, make(owner), owner)

    def resume(self, number: int, event: io.Event) -> tuple[list[io.Ask], list[Any], Result[Any]]:
        call = self.running.pop(number, None)
        if call is None:
            return [], [], Err(Invalid(f"there is no call {number}"))
        coroutine, owner = call
        owner.deliver(event)
        return self._advance(number, coroutine, owner)

    def cancel(self, number: int) -> None:
        """Drops a call. The host has closed its operations already."""
        call = self.running.pop(number, None)
        if call is not None:
            stop(call[0])

    def _advance(self, number: int, coroutine: Coroutine[Any, Any, Any], owner: Io) -> tuple[list[io.Ask], list[Any], Result[Any]]:
        end: Result[Any] = None
        try:
            signal = coroutine.send(None)
            if signal is not PENDING or not owner.is_waiting():
                stop(coroutine)
                end = Err(Upstream(WAITS_FOR_NOTHING))
        except StopIteration as finished:
            end = Ok(finished.value)
        except HostFault as fault:
            bare(fault)
            end = Err(fault.as_error())
        except PluginError as error:
            end = Err(bare(error))
        except Exception as error:
            end = Err(Upstream(f"the plugin failed: {describe(error)}"))
        if end is None:
            self.running[number] = coroutine, owner
        # A coroutine that ended has dropped what it held: open bodies have queued their `close` by now.
        asks, owner.asks = owner.asks, []
        deltas, owner.deltas = owner.deltas, []
        return asks, deltas, end


def stop(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Ends a coroutine; what it tries to await while it ends is not waited for."""
    try:
        coroutine.close()
    except Exception as error:
        print(f"a call failed while it was dropped: {describe(error)}", file=sys.stderr)


def bare(error: PluginError) -> PluginError:
    """The error without its frames, which would keep open bodies alive."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


def describe(error: BaseException) -> str:
    """The error and the author's line that it came from."""
    place = ""
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if "knowhost_plugin" not in code.co_filename:
            place = f" ({code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}, in {code.co_name})"
        frame = frame.tb_next
    error.__traceback__ = None
    return f"{type(error).__name__}: {error}{place}"
