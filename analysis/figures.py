"""The figures the project has set itself, held against a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analysis.summary import NATIVE, NEVER, Row

GUEST = "riscv64-debian"
ENGINE = "node"


@dataclass(frozen=True)
class Verdict:
    """One figure: what was asked, what was measured, whether it holds.

    `met` is None when this comparison has nothing to measure it by.
    """

    title: str
    unit: str
    limit: float
    value: float | None
    source: str

    @property
    def met(self) -> bool | None:
        """Whether the figure holds."""
        return None if self.value is None else self.value <= self.limit

    def line(self) -> str:
        """The figure as one line of text."""
        unit = f" {self.unit}" if self.unit else ""
        asked = f"{self.title} <= {self.limit:g}{unit}"
        if self.value is None:
            return f"{asked}: not measured here"
        state = "met" if self.met else "missed"
        digits = 0 if self.value >= 100 else 2
        return f"{asked}: {self.value:.{digits}f}{unit}, {state} ({self.source})"


def verdicts(rows: Iterable[Row], idle_share: float | None = None) -> list[Verdict]:
    """All figures, in the order in which they are asked for."""
    idle = None if idle_share is None else 100 * idle_share
    wasm = [row for row in rows if row["engine"] != NATIVE]
    ours = [r for r in wasm if r["engine"] == ENGINE and r["guest"] == GUEST]
    threshold = [r for r in ours if r["tier"].split(":")[0] == "threshold"]
    never = [r for r in ours if r["tier"] == NEVER]
    subject = f"{GUEST} boot against native"
    return [
        # The best threshold stands for the policy, the worst row for a cost.
        _verdict(f"{subject}, threshold", "", 3.5, threshold, "ratio_native", min),
        _verdict(f"{subject}, never", "", 6.0, never, "ratio_native", min),
        _verdict("translation per TB", "us", 15.0, wasm, "translate_us_mean", max),
        _verdict(
            "engine start to first guest instruction",
            "ms",
            1000.0,
            wasm,
            "start_to_first_insn_ms",
            max,
        ),
        _verdict("peak resident memory", "MiB", 1228.8, wasm, "peak_rss_mib", max),
        Verdict("idle guest, of one core", "%", 15.0, idle, f"{GUEST}, {ENGINE}"),
    ]


def _verdict(
    title: str,
    unit: str,
    limit: float,
    rows: list[Row],
    column: str,
    pick: Callable[..., Row],
) -> Verdict:
    measured = [row for row in rows if row[column] is not None]
    if not measured:
        return Verdict(title, unit, limit, None, "")
    row = pick(measured, key=lambda r: float(r[column]))
    source = f"{row['guest']}, {row['tier']}, {row['engine']}"
    return Verdict(title, unit, limit, float(row[column]), source)
