"""Gives the user's terminal to the guest, and restores it on any way out."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raw_terminal(descriptor: int) -> Iterator[None]:
    """Raw mode while inside; nothing if the descriptor is no terminal."""
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
    """This process's stdout, for a guest's console."""

    def __init__(self) -> None:
        self._descriptor = sys.stdout.fileno()
        self.at_line_start = True

    def write(self, data: bytes) -> None:
        """Write a piece of the console; BrokenPipeError if the reader left."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.at_line_start = data.endswith((b"\n", b"\r"))

    def finish_line(self) -> None:
        """End the guest's line, so that our output starts on a new one."""
        if not self.at_line_start:
            self.write(b"\n")
