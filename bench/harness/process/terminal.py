"""Hands the user's terminal to the guest, and takes it back on any way out."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raw_terminal(descriptor: int) -> Iterator[None]:
    """Raw mode while inside; does nothing when it is no terminal."""
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Screen:
    """Our stdout for a guest's console."""

    def __init__(self) -> None:
        self._descriptor = sys.stdout.fileno()
        self.at_line_start = True

    def write(self, data: bytes) -> None:
        """Pass on a piece of console; BrokenPipeError when the reader left."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.at_line_start = data.endswith((b"\n", b"\r"))

    def finish_line(self) -> None:
        """Our own output starts on a line of its own."""
        if not self.at_line_start:
            self.write(b"\n")
