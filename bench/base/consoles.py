"""The two streams that commands write to."""

from __future__ import annotations

import sys

from rich.console import Console

# Rich takes a pipe for a terminal of 80 columns, too few for our tables.
PIPE_WIDTH = 140


def out_console() -> Console:
    """The console for results."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False)


def err_console() -> Console:
    """The console for progress and remarks: stdout has results only."""
    return Console(stderr=True, highlight=False, markup=False)
