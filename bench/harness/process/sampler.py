"""Memory and mappings of a running engine, over time, from /proc.

An engine is a process group: its memory is that of all processes, its mappings are
those of the process with the most memory.

The sampler takes a sample once a second.  To count mappings, the sampler reads all of
them, which takes longer the more there are; so counting gets at most a hundredth of
the time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PERIOD_MS = 1000.0
# Counting mappings may take this part of one core.
MAPPINGS_SHARE = 0.01
READ_SIZE = 1 << 16

COLUMNS = ("t_ms", "rss_mib", "mappings")

Sample = tuple[float, float, int | None]


class Sampler:
    """Takes the samples of one engine."""

    def __init__(self, each: Callable[[Sample], None] = lambda _: None) -> None:
        self.samples: list[Sample] = []
        self._each = each
        self._due_ms = 0.0
        self._mappings_due_ms = 0.0

    def wait_ms(self, now_ms: float) -> float:
        """The time until the next sample is due."""
        return max(0.0, self._due_ms - now_ms)

    def poll(self, pid: int, now_ms: float) -> None:
        """Take a sample if one is due."""
        if now_ms < self._due_ms:
            return
        self._due_ms = now_ms + PERIOD_MS
        each = {p: rss for p in _group(pid) if (rss := _rss_mib(p)) is not None}
        if not each:
            return
        mappings = None
        if now_ms >= self._mappings_due_ms:
            start = time.process_time()
            mappings = _mappings(max(each, key=each.__getitem__))
            cost_ms = (time.process_time() - start) * 1000
            self._mappings_due_ms = now_ms + cost_ms / MAPPINGS_SHARE
        sample = (round(now_ms, 1), round(sum(each.values()), 1), mappings)
        self.samples.append(sample)
        self._each(sample)

    def peak_mappings(self) -> int | None:
        """The most mappings that a sample found."""
        return max((m for _, _, m in self.samples if m is not None), default=None)

    def as_json(self) -> dict[str, Any]:
        """The samples as a table."""
        return {"columns": list(COLUMNS), "rows": [list(s) for s in self.samples]}


def _group(member: int) -> list[int]:
    """The processes in the group of `member`."""
    group = _group_of(member)
    pids = map(int, filter(str.isdecimal, os.listdir("/proc")))
    return [pid for pid in pids if _group_of(pid) == group is not None]


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _rss_mib(pid: int) -> float | None:
    try:
        words = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return None
    return round(int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _mappings(pid: int) -> int | None:
    lines = 0
    try:
        with open(f"/proc/{pid}/maps", "rb", buffering=0) as maps:
            while piece := maps.read(READ_SIZE):
                lines += piece.count(b"\n")
    except OSError:
        return None
    return lines
