"""Targets: limits that a suite states, held against the rows of a comparison.

A target names a column of the summary, the rows that it is about, and a limit.
The limit belongs to whoever wrote the suite; nothing here knows a guest, an engine
or a policy by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from analysis.schema import NO_TIER
from analysis.summary import Row

BEST, WORST = "best", "worst"
# The one figure that is not of a row: what the idle boot of a comparison measured.
IDLE_SHARE = "idle_share"


@dataclass(frozen=True)
class Target:
    """What a suite asks of one column, in the rows that the patterns select.

    An empty tuple of patterns selects every row.  `tiers` and `except_tiers` are
    matched against the policy's name and against the whole spec; where `tiers` is
    given, a row of an engine without tiers is never selected.
    """

    figure: str
    column: str
    limit: float
    # Whether the limit is the least value allowed; else it is the greatest.
    at_least: bool = False
    # Which of the selected rows is held against the limit.
    row: str = BEST
    unit: str = ""
    guests: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    except_tiers: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()

    def selects(self, row: Row) -> bool:
        """Whether the target is about this row."""
        workload = str(row["workload"])
        names = (workload, workload.partition(":")[0])
        return (
            _any(self.guests, str(row["guest"]))
            and _any(self.engines, str(row["engine"]))
            and _any(self.workloads, *names)
            and self._selects_tier(str(row["tier"]))
        )

    def verdict(self, rows: Sequence[Row], idle_share: float | None) -> Verdict:
        """The target held against what was measured."""
        if self.column == IDLE_SHARE:
            return Verdict(self, idle_share, "the idle boot")
        measured = [
            row for row in rows if self.selects(row) and row[self.column] is not None
        ]
        if not measured:
            return Verdict(self, None)
        greatest = self.at_least == (self.row == BEST)
        pick = max if greatest else min
        chosen = pick(measured, key=lambda row: float(row[self.column]))
        switches = f" {chosen['switches']}" if chosen["switches"] else ""
        source = f"{chosen['guest']}, {chosen['short']}{switches}, {chosen['engine']}"
        return Verdict(self, float(chosen[self.column]), source)

    def _selects_tier(self, tier: str) -> bool:
        if tier == NO_TIER:
            return not self.tiers
        names = (tier, tier.partition(":")[0])
        refused = bool(self.except_tiers) and _any(self.except_tiers, *names)
        return _any(self.tiers, *names) and not refused


@dataclass(frozen=True)
class Verdict:
    """One target, and what was measured; no value if no row could tell."""

    target: Target
    value: float | None
    source: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the limit holds; None if nothing was measured."""
        if self.value is None:
            return None
        if self.target.at_least:
            return self.value >= self.target.limit
        return self.value <= self.target.limit

    def line(self) -> str:
        """The verdict as one line of text."""
        target = self.target
        unit = f" {target.unit}" if target.unit else ""
        sign = ">=" if target.at_least else "<="
        asked = f"{target.figure} {sign} {target.limit:g}{unit}"
        if self.value is None:
            return f"{asked}: not measured"
        state = "met" if self.met else "missed"
        digits = 0 if self.value >= 100 else 2
        return f"{asked}: {self.value:.{digits}f}{unit}, {state} ({self.source})"


def verdicts(
    targets: Iterable[Target], rows: Iterable[Row], idle_share: float | None = None
) -> list[Verdict]:
    """Each target's verdict, in the order in which the suite states them."""
    rows = list(rows)
    return [target.verdict(rows, idle_share) for target in targets]


def _any(patterns: Sequence[str], *names: str) -> bool:
    """Whether a pattern matches one of the names; no pattern matches all."""
    return not patterns or any(fnmatchcase(n, p) for p in patterns for n in names)
