"""The two streams that commands write to."""

from __future__ import annotations

import sys

from rich.console import Console

# A table squeezed into the 80 columns that a pipe is taken for is no use.
PIPE_WIDTH = 140


def out_console() -> Console:
    """For results."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False)


def err_console() -> Console:
    """For progress and remarks; keeps stdout clean for results."""
    return Console(stderr=True, highlight=False, markup=False)
