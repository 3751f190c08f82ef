"""What the user sees while products are built."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

QUIET_SECONDS = 60


def duration(seconds: float) -> str:
    """Minutes and seconds, short."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


class Progress:
    """Steps i of n, some at once: a line that changes for each on a terminal.

    Elsewhere plain lines. Every method may be called from any thread.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._begun = 0
        self._lock = threading.RLock()
        self._active: list[StepProgress] = []
        self._live: Live | None = None

    @contextmanager
    def step(self, title: str, minutes: float) -> Iterator[StepProgress]:
        """Show one step from its start to its end."""
        with self._lock:
            self._begun += 1
            head = f"[{self._begun}/{self._total}] {title}"
            shown = StepProgress(self, head)
            self._active.append(shown)
            usual = f", usually {duration(minutes * 60)}" if minutes >= 1 else ""
            if self._console.is_terminal:
                self._draw()
            else:
                self.say(f"{head}{usual}")
        try:
            yield shown
        finally:
            with self._lock:
                self._active.remove(shown)
                self._draw()
        self.say(f"{head}: done in {duration(shown.elapsed())}")

    def say(self, line: str) -> None:
        """Print a line above those that change."""
        with self._lock:
            self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def tick(self, shown: StepProgress) -> None:
        """Show a step's latest line."""
        with self._lock:
            if self._console.is_terminal:
                self._draw()
            elif shown.silent() > QUIET_SECONDS:
                self.say(f"{shown.head}: {duration(shown.elapsed())} so far")
                shown.spoke()

    def _draw(self) -> None:
        if not self._console.is_terminal:
            return
        if self._active and self._live is None:
            self._live = Live(
                console=self._console, refresh_per_second=4, transient=True
            )
            self._live.start()
        if self._live is not None:
            self._live.update(Group(*(shown.text() for shown in self._active)))
            if not self._active:
                self._live.stop()
                self._live = None


class StepProgress:
    """One step that is being shown."""

    def __init__(self, progress: Progress, head: str) -> None:
        self._progress = progress
        self.head = head
        self._line = ""
        self._started = self._spoken = time.monotonic()

    def tick(self, line: str) -> None:
        """Show that the step goes on, and the last line of its log."""
        self._line = line
        self._progress.tick(self)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def silent(self) -> float:
        """Seconds since something was said of it."""
        return time.monotonic() - self._spoken

    def spoke(self) -> None:
        """Something was said just now."""
        self._spoken = time.monotonic()

    def text(self) -> Text:
        """Its line on a terminal."""
        text = Text(f"{self.head}  {duration(self.elapsed())}  ")
        text.append(self._line, style="dim")
        text.no_wrap = True
        text.overflow = "ellipsis"
        return text
