"""Does memory grow in a long run?  Grows, does not grow, or cannot be told.

The guest loads and drops code all the time (workload churn).  The check looks at the
engine's resident memory in the second half of the run, after the warm-up: by then the
code cache and other stores with a limit are full.

The slope of a line through these samples is the growth.  Its 95 % interval is found
by resampling blocks of samples, because neighbours in time are alike: a garbage
collector makes a saw-tooth.  The interval decides, not the slope alone:

    does not grow    the interval lies inside +-MARGIN around 0: whatever the slope
                     is, it is too small to matter
    grows            the interval lies above 0 and not inside the margin, and it
                     lies above 0 also if memory may have taken one step
    cannot be told   anything else: the run was too short for its noise

An interval that contains 0 may only show that a run had much noise, so it does not
prove that memory does not grow; hence the margin, which does not depend on how long
the run was.  One step (a buffer that doubles once) has a slope as well, but predicts
nothing for the hours to come.  So the check also fits a line with one step at the best
place, and that line has to rise, too.  Two or more steps upwards count as growth.

One store takes longer than most runs to reach its limit: the runtime keeps records of
the last DEAD_TBS dead TBs, for the table of all TBs in the result.  The timeline shows
how fast the store filled in the second half of the run.  Only a faster rise counts as
growth, and until the store is full the verdict is "cannot be told".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A slope below this, in either direction, does not matter: an engine that grows so
# slowly takes 40 hours to fill 4 GiB, the most that a Wasm memory has.
MARGIN_MIB_PER_HOUR = 100.0
# TIER_MAX_DEAD_RECORDS in tiers/engine.h, and the size of TierTbRecord with its
# TierTbDetail: 48 MiB in all.
DEAD_TBS = 262_144
DEAD_TB_BYTES = 192
BLOCKS = 10
RESAMPLES = 2000
LEVEL = 0.95
SEED = 20250101
# Fewer samples give no useful interval.
MIN_SAMPLES = 2 * BLOCKS


GROWS, STEADY, UNKNOWN = "grows", "does not grow", "cannot be told"

Interval = tuple[float, float]


@dataclass(frozen=True)
class Filling:
    """The store of dead TBs in the second half of a run."""

    # How fast the store grew, in MiB an hour; 0 once the store is full.
    mib_per_hour: float = 0.0
    # How many times longer a run must be for the store to be full when the second
    # half begins.
    longer: float = 1.0


@dataclass(frozen=True)
class Growth:
    """The growth of resident memory in the second half of a run, in MiB an hour."""

    mib_per_hour: float
    interval: Interval
    # The interval of the slope of a line that may have one step.
    beside_step: Interval
    hours: float
    filling: Filling = Filling()

    @property
    def verdict(self) -> str:
        """The verdict in words: grows, does not grow, or cannot be told."""
        low, high = self.interval
        if -MARGIN_MIB_PER_HOUR <= low and high <= MARGIN_MIB_PER_HOUR:
            return STEADY
        expected = self.filling.mib_per_hour
        grows = low > expected and self.beside_step[0] > expected
        return GROWS if grows else UNKNOWN

    @property
    def minutes_needed(self) -> int:
        """About how long a run must be to tell, in minutes.

        The error of a slope falls with the length of the run to the power 1.5.
        """
        low, high = self.interval
        quiet = ((high - low) / MARGIN_MIB_PER_HOUR) ** (2 / 3)
        longer = max(1.5, quiet, self.filling.longer)
        return math.ceil(2 * self.hours * 60 * float(longer))

    def as_json(self) -> dict[str, Any]:
        """The growth in the form of the result file."""
        return {
            "verdict": self.verdict,
            "rss_mib_per_hour": round(self.mib_per_hour, 2),
            "interval": [round(end, 2) for end in self.interval],
            "interval_beside_step": [round(end, 2) for end in self.beside_step],
            "margin": MARGIN_MIB_PER_HOUR,
            "dead_tbs_mib_per_hour": round(self.filling.mib_per_hour, 2),
        }

    def line(self) -> str:
        """The verdict as one line."""
        low, high = self.interval
        line = (
            f"Resident memory in the last {self.hours * 60:.1f} min: "
            f"{self.mib_per_hour:+.1f} MiB/h ({low:+.1f}..{high:+.1f}), "
            f"margin +-{MARGIN_MIB_PER_HOUR:.0f}: {self.verdict}"
        )
        if self.filling.mib_per_hour > 0:
            part = f"{self.filling.mib_per_hour:+.1f} MiB/h of it"
            line += f" ({part}: records of dead TBs, which have a limit)"
        if self.verdict == UNKNOWN:
            line += f"; give about --minutes {self.minutes_needed}"
        return line


def filling(timeline: Mapping[str, Any] | None) -> Filling:
    """How full the store of dead TBs is, by the timeline of a whole run."""
    rows = timeline["rows"] if timeline else []
    names = timeline["columns"] if timeline else []
    if not rows or not {"t_ms", "tbs_translated", "tbs_live"} <= set(names):
        return Filling()
    at, translated, live = (
        [float(row[names.index(name)] or 0) for row in rows]
        for name in ("t_ms", "tbs_translated", "tbs_live")
    )
    middle = next(n for n, ms in enumerate(at) if ms >= (at[0] + at[-1]) / 2)
    # The most dead TBs up to the middle and up to the end of the run. The maximum,
    # because a flush kills many TBs at once.
    dead = [
        max(t - i for t, i in zip(translated[:n], live[:n], strict=True))
        for n in (middle + 1, len(rows))
    ]
    gained = min(dead[1], DEAD_TBS) - min(dead[0], DEAD_TBS)
    hours = (at[-1] - at[middle]) / 3_600_000
    if gained <= 0 or hours <= 0:
        return Filling()
    mib = gained * DEAD_TB_BYTES / 2**20
    return Filling(mib / hours, DEAD_TBS / max(dead[0], 1.0))


def growth(
    samples: Sequence[tuple[float | None, float]],
    timeline: Mapping[str, Any] | None = None,
) -> Growth | None:
    """The growth by (ms, MiB) samples of a whole run; None if too few have a time."""
    timed = [(at_ms, mib) for at_ms, mib in samples if at_ms is not None]
    if not timed:
        return None
    middle = (timed[0][0] + timed[-1][0]) / 2
    half = np.asarray([s for s in timed if s[0] >= middle], dtype=np.float64)
    if len(half) < MIN_SAMPLES:
        return None
    hours, mib = half[:, 0] / 3_600_000, half[:, 1]
    line = np.column_stack([hours, np.ones_like(hours)])
    stepped = np.column_stack([line, _best_step(line, mib)])
    blocks = np.array_split(np.arange(len(half)), BLOCKS)
    generator = np.random.default_rng(SEED)
    slopes, beside = [], []
    for _ in range(RESAMPLES):
        picks = generator.integers(0, BLOCKS, size=BLOCKS)
        if len(set(picks)) < 2:
            continue
        chosen = np.concatenate([blocks[i] for i in picks])
        slopes.append(_slope(line[chosen], mib[chosen]))
        beside.append(_slope(stepped[chosen], mib[chosen]))
    span = float(hours[-1] - hours[0])
    return Growth(
        _slope(line, mib),
        _interval(slopes),
        _interval(beside),
        span,
        filling(timeline),
    )


def _best_step(line: Floats, mib: Floats) -> Floats:
    """A column for a step: 0 before and 1 after the border of blocks that fits best."""
    borders = [block[0] for block in np.array_split(np.arange(len(mib)), BLOCKS)][1:]
    steps = [(np.arange(len(mib)) >= border).astype(np.float64) for border in borders]

    def misfit(step: Floats) -> float:
        columns = np.column_stack([line, step])
        left = mib - columns @ np.linalg.lstsq(columns, mib, rcond=None)[0]
        return float(left @ left)

    return min(steps, key=misfit)


def _slope(columns: Floats, y: Floats) -> float:
    """The slope of `y` over the first column, which is centred to keep precision."""
    centred = columns - np.array(
        [columns[:, 0].mean(), *[0.0] * (columns.shape[1] - 1)]
    )
    return float(np.linalg.lstsq(centred, y, rcond=None)[0][0])


def _interval(slopes: Sequence[float]) -> Interval:
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(slopes, [tail, 100 - tail])
    return float(low), float(high)
