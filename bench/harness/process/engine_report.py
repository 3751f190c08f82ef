"""What an engine with something to make ready says of its own run.

A browser takes a second or more until a page waits in it, which no user waits
for on a click: so the boot begins when the page is told to start, and all times
of the result count from then. What the browser used until then is left out, too.
An engine that says nothing began when its process was started.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """The engine's start as the boot sees it, and what it used since."""

    # From the start of the process to the start of the boot; None: the same.
    ready_ms: float | None = None
    # From there to the end of QEMU; what ends the browser then is no matter.
    end_ms: float | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    # When the page reached what, in ms since the boot's start.
    page: Mapping[str, float] = field(default_factory=dict)

    def since_start(self, at_ms: float) -> float:
        """A time since the process's start, as one since the boot's."""
        return round(at_ms - (self.ready_ms or 0.0), 3)

    def phases(self, phases: list[Phase]) -> list[Phase]:
        """The same, since the boot's start."""
        return [replace(p, host_ms=self.since_start(p.host_ms)) for p in phases]

    def rounds(self, rounds: list[Round]) -> list[Round]:
        """Likewise."""
        return [replace(r, host_ms=self.since_start(r.host_ms)) for r in rounds]

    def ended(self, ended: Ended) -> Ended:
        """Likewise; with what the engine's processes used, all together."""
        wall = self.since_start(ended.wall_ms) if self.end_ms is None else self.end_ms
        return replace(
            ended,
            wall_ms=wall,
            user_ms=float(self.usage.get("user_ms", ended.user_ms)),
            system_ms=float(self.usage.get("system_ms", ended.system_ms)),
            peak_rss_mib=float(self.usage.get("peak_rss_mib", ended.peak_rss_mib)),
        )

    def samples(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Likewise; the first column is a time."""
        rows = [[self.since_start(row[0]), *row[1:]] for row in table["rows"]]
        return {**table, "rows": rows}

    def as_json(self) -> dict[str, Any] | None:
        """For the result; None for an engine that has nothing to make ready."""
        if self.ready_ms is None:
            return None
        processes = self.usage.get("processes")
        return {"ready_ms": self.ready_ms, "page": self.page, "processes": processes}

    @property
    def rss_note(self) -> str:
        """What the peak of memory is of."""
        return SUM_NOTE if self.usage else RSS_NOTE


def read_report(path: Path | None, spawn_epoch_ms: float) -> EngineReport:
    """What the engine left; nothing if it left none, or was broken off."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        raw = {}
    start = raw.get("ready_epoch_ms")
    if start is None:
        return EngineReport()
    page = {k: round(v - start, 3) for k, v in raw.get("page", {}).items()}
    return EngineReport(
        round(start - spawn_epoch_ms, 3),
        round(raw["end_epoch_ms"] - start, 3),
        raw.get("usage", {}),
        page,
    )
