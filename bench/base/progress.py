"""What the user sees while products are built."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

QUIET_SECONDS = 60


def duration(seconds: float) -> str:
    """Minutes and seconds, short."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


class Progress:
    """Step i of n: a line that changes on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._index = 0
        self._title = ""
        self._started = 0.0
        self._spoken = 0.0
        self._live: Live | None = None

    @contextmanager
    def step(self, title: str, minutes: float) -> Iterator[None]:
        """Show one step from its start to its end."""
        self._index += 1
        self._title = title
        self._started = self._spoken = time.monotonic()
        usual = f", usually {duration(minutes * 60)}" if minutes >= 1 else ""
        if not self._console.is_terminal:
            self._print(f"{self._head()}{usual}")
            yield
        else:
            with Live(
                Text(self._head()),
                console=self._console,
                refresh_per_second=4,
                transient=True,
            ) as self._live:
                yield
            self._live = None
        self._print(f"{self._head()}: done in {duration(self._elapsed())}")

    def tick(self, line: str) -> None:
        """Show that the step goes on, and the last line of its log."""
        if self._live is not None:
            text = Text(f"{self._head()}  {duration(self._elapsed())}  ")
            text.append(line, style="dim")
            text.no_wrap = True
            text.overflow = "ellipsis"
            self._live.update(text)
        elif time.monotonic() - self._spoken > QUIET_SECONDS:
            self._spoken = time.monotonic()
            self._print(f"{self._head()}: {duration(self._elapsed())} so far")

    def say(self, line: str) -> None:
        """Print a line above the one that changes."""
        self._print(line)

    def _head(self) -> str:
        return f"[{self._index}/{self._total}] {self._title}"

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)
