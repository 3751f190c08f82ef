"""What an engine with something to make ready says of its own run.

A browser takes a second or more until a page waits in it, which no user waits
for on a click: so the boot begins when the page is told to start, and all times
of the result count from then. What the browser used until then is left out, too.
An engine that makes nothing ready began when its process was started.

If an engine owes a report and the report cannot be read, then nobody knows when the
boot began. The result has null in the place of every time and of what the processes
used, says why, and is a failed run: a time that includes the browser's start would
pass for a slow boot.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.harness.process.console import Phase, Round
from bench.harness.process.process import RSS_NOTE, Ended

SUM_NOTE = (
    "the sum of the peaks of the engine's processes; what they share is counted "
    "in each"
)


@dataclass(frozen=True)
class EngineReport:
    """The engine's start as the boot sees it, and what the engine used since."""

    # From the start of the process to the start of the boot; None: the same.
    ready_ms: float | None = None
    # From there to the end of QEMU; how long the browser then takes to end does
    # not count.
    end_ms: float | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    # When the page reached what, in ms since the boot's start.
    page: Mapping[str, float] = field(default_factory=dict)
    # Why the report that the engine owes cannot be read; no time is known then.
    problem: str | None = None

    def since_start(self, at_ms: float) -> float | None:
        """A time since the process's start, as one since the boot's, if known."""
        if self.problem is not None:
            return None
        return round(at_ms - (self.ready_ms or 0.0), 3)

    def since_epoch(self, at_epoch_ms: float, spawn_epoch_ms: float) -> float | None:
        """A time of the calendar, as one since the boot's start, if known."""
        return self.since_start(at_epoch_ms - spawn_epoch_ms)

    def phases(self, phases: Iterable[Phase]) -> list[dict[str, Any]]:
        """For the result, with times since the boot's start."""
        return [{**asdict(p), "host_ms": self.since_start(p.host_ms)} for p in phases]

    def rounds(self, rounds: Iterable[Round]) -> list[dict[str, Any]]:
        """Likewise."""
        return [{**asdict(r), "host_ms": self.since_start(r.host_ms)} for r in rounds]

    def resources(self, ended: Ended) -> dict[str, Any]:
        """Likewise; what the engine's processes used, all together."""
        wall = self.since_start(ended.wall_ms) if self.end_ms is None else self.end_ms
        # The harness's own figures include what made the engine ready.
        owed = self.problem is not None or self.ready_ms is not None
        return {
            "wall_ms": wall,
            "user_ms": self.usage.get("user_ms", None if owed else ended.user_ms),
            "system_ms": self.usage.get("system_ms", None if owed else ended.system_ms),
            "peak_rss_mib": self.usage.get(
                "peak_rss_mib", None if owed else ended.peak_rss_mib
            ),
            "peak_rss_note": SUM_NOTE if self.usage or owed else RSS_NOTE,
        }

    def samples(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Likewise; the first column is a time."""
        rows = [[self.since_start(row[0]), *row[1:]] for row in table["rows"]]
        return {**table, "rows": rows}

    def as_json(self) -> dict[str, Any] | None:
        """For the result; None for an engine that has nothing to make ready."""
        if self.ready_ms is None and self.problem is None:
            return None
        return {
            "ready_ms": self.ready_ms,
            "page": dict(self.page),
            "processes": self.usage.get("processes"),
            "note": self.problem,
        }


def read_report(path: Path | None, spawn_epoch_ms: float) -> EngineReport:
    """What the engine left in the file, if it owes a report.

    An engine that was broken off once it was ready leaves a report without its end.
    """
    if path is None:
        return EngineReport()
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return EngineReport(problem="the engine left no report of its start")
    except (OSError, ValueError) as error:
        return EngineReport(problem=f"the engine's report cannot be read ({error})")
    try:
        return _parsed(raw, spawn_epoch_ms)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return EngineReport(problem=f"the engine's report is damaged ({error!r})")


def _parsed(raw: Mapping[str, Any], spawn_epoch_ms: float) -> EngineReport:
    start = raw.get("ready_epoch_ms")
    if start is None:
        return EngineReport(problem="the engine never said that it was ready")
    end = raw.get("end_epoch_ms")
    usage = {key: float(value) for key, value in raw.get("usage", {}).items()}
    if "processes" in usage:
        usage["processes"] = int(usage["processes"])
    return EngineReport(
        round(float(start) - spawn_epoch_ms, 3),
        None if end is None else round(float(end) - start, 3),
        usage,
        {k: round(float(v) - start, 3) for k, v in raw.get("page", {}).items()},
    )
