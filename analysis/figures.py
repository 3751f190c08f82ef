"""The figures the project has set itself, held against a comparison.

Only those are told that the comparison has something to measure by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analysis.summary import NATIVE, NEVER, PEER, SINGLE, Row

GUEST = "riscv64-debian"
ENGINE = "node"
WORKLOAD = "sha256"
# The guest that the peer boots, too.
PEER_GUEST = "i386-debian"
# Of the policies; how a group is chosen is told by their parameters.
BATCH, REGION, PROFILE = "batch", "region", "profile"

Pick = Callable[..., Row]
Choice = Callable[[Row], bool]


@dataclass(frozen=True)
class Figure:
    """What is asked: of these rows the least or greatest of a column."""

    title: str
    unit: str
    limit: float
    column: str
    of: Choice
    pick: Pick = min
    at_least: bool = False

    def verdict(self, rows: Sequence[Row]) -> Verdict | None:
        """None if no row can tell."""
        measured = [r for r in rows if self.of(r) and r[self.column] is not None]
        if not measured:
            return None
        row = self.pick(measured, key=lambda r: float(r[self.column]))
        switches = f" {row['switches']}" if row["switches"] else ""
        source = f"{row['guest']}, {row['short']}{switches}, {row['engine']}"
        value = float(row[self.column])
        return Verdict(self.title, self.unit, self.limit, value, source, self.at_least)


@dataclass(frozen=True)
class Verdict:
    """One figure: what was asked, what was measured, whether it holds."""

    title: str
    unit: str
    limit: float
    value: float
    source: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure holds."""
        if self.at_least:
            return self.value >= self.limit
        return self.value <= self.limit

    def line(self) -> str:
        """The figure as one line of text."""
        unit = f" {self.unit}" if self.unit else ""
        sign = ">=" if self.at_least else "<="
        state = "met" if self.met else "missed"
        digits = 0 if self.value >= 100 else 2
        return (
            f"{self.title} {sign} {self.limit:g}{unit}: "
            f"{self.value:.{digits}f}{unit}, {state} ({self.source})"
        )


def _ours(row: Row) -> bool:
    return bool(row["engine"] == ENGINE and row["guest"] == GUEST)


def _policy(*names: str) -> Choice:
    return lambda row: _ours(row) and row["tier"].split(":")[0] in names


def _sha256(row: Row) -> bool:
    """In regions, whatever policy chose them."""
    shaped = row["tier"].split(":")[0] == REGION or "shape=regions" in row["tier"]
    return _ours(row) and shaped and _digest(row)


def _digest(row: Row) -> bool:
    return bool(row["workload"].split(":")[0] == WORKLOAD)


def _beside_peer(row: Row) -> bool:
    return bool(row["engine"] == ENGINE and row["guest"] == PEER_GUEST)


def _digest_beside_peer(row: Row) -> bool:
    return _beside_peer(row) and _digest(row)


def _grouping(row: Row) -> bool:
    """Seeding is a figure of its own; a threshold is what it is held against."""
    return _ours(row) and row["tier"].split(":")[0] not in (NEVER, SINGLE, PROFILE)


def _wasm(row: Row) -> bool:
    return bool(row["engine"] not in (NATIVE, PEER))


_BOOT = f"{GUEST} boot"
_DIGEST = f"{GUEST} {WORKLOAD}, steady state, regions"
_PEER_BOOT = f"{PEER_GUEST} boot against {PEER}, best policy"
_PEER_WORK = f"{PEER_GUEST} {WORKLOAD} against {PEER}, best policy"
_PEER_DIGEST = f"{PEER_GUEST} {WORKLOAD}, steady state, against {PEER}, best policy"

FIGURES: tuple[Figure, ...] = (
    # The best threshold stands for the policy, the worst row for a cost.
    Figure(
        f"{_BOOT} against native, threshold", "", 3.5, "ratio_native", _policy(SINGLE)
    ),
    Figure(f"{_BOOT} against native, never", "", 6.0, "ratio_native", _policy(NEVER)),
    Figure(f"{_BOOT} against native, best policy", "", 2.5, "ratio_native", _grouping),
    Figure(
        f"{_BOOT} against the best threshold, best policy",
        "",
        0.8,
        "ratio_single",
        _grouping,
    ),
    Figure(
        f"{_BOOT} against native, profile", "", 2.2, "ratio_native", _policy(PROFILE)
    ),
    Figure(
        "TBs a module, best batch",
        "",
        24.0,
        "occupancy",
        _policy(BATCH),
        max,
        at_least=True,
    ),
    Figure(
        f"{_DIGEST}, against the best threshold",
        "",
        0.6,
        "steady_ratio_single",
        _sha256,
    ),
    Figure(f"{_DIGEST}, against native", "", 2.0, "steady_ratio_native", _sha256),
    Figure(_PEER_BOOT, "", 1.0, f"ratio_{PEER}", _beside_peer),
    Figure(_PEER_WORK, "", 0.5, f"workload_ratio_{PEER}", _digest_beside_peer),
    Figure(_PEER_DIGEST, "", 0.5, f"steady_ratio_{PEER}", _digest_beside_peer),
    Figure("translation per TB", "us", 15.0, "translate_us_mean", _wasm, max),
    Figure(
        "engine start to first guest instruction",
        "ms",
        1000.0,
        "start_to_first_insn_ms",
        _wasm,
        max,
    ),
    Figure("peak resident memory", "MiB", 1228.8, "peak_rss_mib", _wasm, max),
)


def verdicts(rows: Iterable[Row], idle_share: float | None = None) -> list[Verdict]:
    """The figures that can be told, in the order in which they are asked for."""
    rows = list(rows)
    found = [verdict for f in FIGURES if (verdict := f.verdict(rows)) is not None]
    if idle_share is not None:
        source = f"{GUEST}, {ENGINE}"
        share = 100 * idle_share
        found.append(Verdict("idle guest, of one core", "%", 15.0, share, source))
    return found
