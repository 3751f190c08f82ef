"""Signals that ask us to end, noticed where nothing is half done.

A signal handler that raises an exception can strike between the writing of a
result and of the summary that counts it, or inside a destructor, where the
exception is lost.  So while guests run, the handler only notes the first signal;
a pipe wakes the code that waits for the engine.  A second signal raises at once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked us to end; like KeyboardInterrupt, not an Exception."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)

    @property
    def status(self) -> int:
        """The exit status of a program that the signal ended."""
        return 128 + self.number


def raise_interrupted(number: int, _frame: FrameType | None) -> None:
    """A signal handler for places where nothing can be left half done."""
    raise Interrupted(number)


class _Handlers:
    """Signal handlers while inside, the former ones afterwards."""

    def __init__(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        self._handler = handler
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _Handlers:
        self._before = {n: signal.signal(n, self._handler) for n in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def raising() -> _Handlers:
    """Signals raise Interrupted wherever they strike."""
    return _Handlers(raise_interrupted)


class Deferred:
    """Signals are noted while inside; check() raises at a safe place."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._handlers = _Handlers(self._note)
        self._reader, self._writer = -1, -1

    def __enter__(self) -> Deferred:
        self._reader, self._writer = os.pipe()
        self._handlers.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handlers.__exit__(kind, error, trace)
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        """A descriptor that is readable once a signal came: for select and poll."""
        return self._reader

    def check(self) -> None:
        """Raise if a signal came."""
        if self._number is not None:
            raise Interrupted(self._number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._number is not None:
            raise Interrupted(number)
        self._number = number
        os.write(self._writer, b"!")
