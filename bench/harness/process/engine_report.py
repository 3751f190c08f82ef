"""The report of an engine that needs preparation, such as a browser, on its run.

A browser takes a second or more to start and to load the page, and a visitor who
clicks in an open page does not wait for that. So the boot begins when the harness
tells the page to start, and all times of the result count from then. The result leaves
out the CPU time that the browser used before. For an engine without preparation, the
boot begins when its process starts.

If an engine owes a report and the report cannot be read, then nobody knows when the
boot began. The run has failed, and its result says why. The result has null for all
times and for the resources that the processes used: a time that includes the
browser's start would pass for a slow boot.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.harness.process.console import Figure, Phase, Round
from bench.harness.process.process import RSS_NOTE, Ended

SUM_NOTE = (
    "the sum of the peaks of the engine's processes; what they share is counted "
    "in each"
)


@dataclass(frozen=True)
class EngineReport:
    """When the boot began, and the resources that the engine used since."""

    # From the start of the process to the start of the boot; None if they are equal.
    ready_ms: float | None = None
    # From the start of the boot to the end of QEMU; the time that the browser then
    # takes to end does not count.
    end_ms: float | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    # When the page reached each of its steps, in ms since the boot's start.
    page: Mapping[str, float] = field(default_factory=dict)
    # Why the report that the engine owes cannot be read; then all times are unknown.
    problem: str | None = None

    def since_start(self, at_ms: float) -> float | None:
        """Convert a time since the process's start to one since the boot's start.

        None if the start of the boot is unknown.
        """
        if self.problem is not None:
            return None
        return round(at_ms - (self.ready_ms or 0.0), 3)

    def since_epoch(self, at_epoch_ms: float, spawn_epoch_ms: float) -> float | None:
        """Convert a time of the calendar to one since the boot's start, if known."""
        return self.since_start(at_epoch_ms - spawn_epoch_ms)

    def phases(self, phases: Iterable[Phase]) -> list[dict[str, Any]]:
        """The result's phases, with times since the boot's start."""
        return [{**asdict(p), "host_ms": self.since_start(p.host_ms)} for p in phases]

    def rounds(self, rounds: Iterable[Round]) -> list[dict[str, Any]]:
        """The result's rounds, with times since the boot's start."""
        return [{**asdict(r), "host_ms": self.since_start(r.host_ms)} for r in rounds]

    def figures(self, figures: Iterable[Figure]) -> list[dict[str, Any]]:
        """The result's figures, with times since the boot's start."""
        return [{**asdict(f), "host_ms": self.since_start(f.host_ms)} for f in figures]

    def resources(self, ended: Ended) -> dict[str, Any]:
        """The result's resources, over all processes of the engine."""
        wall = self.since_start(ended.wall_ms) if self.end_ms is None else self.end_ms
        # The harness's own figures would include the engine's preparation.
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
        """A table with times since the boot's start; its first column is the time."""
        rows = [[self.since_start(row[0]), *row[1:]] for row in table["rows"]]
        return {**table, "rows": rows}

    def as_json(self) -> dict[str, Any] | None:
        """The report in the result; None for an engine without preparation."""
        if self.ready_ms is None and self.problem is None:
            return None
        return {
            "ready_ms": self.ready_ms,
            "page": dict(self.page),
            "processes": self.usage.get("processes"),
            "note": self.problem,
        }


def read_report(path: Path | None, spawn_epoch_ms: float) -> EngineReport:
    """Read the report from the engine's file, if the engine owes a report.

    If an engine is killed after its preparation, its report has no `end_ms`.
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
