"""A long run that must neither die nor grow without bound.

The guest loads and drops code all the time (workload churn); what counts is
the engine's memory in the second half, when everything that has a limit has
reached it.  Growth is the slope of a line through the samples; its interval is
found by resampling blocks of them, as neighbours in time are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# So much more in an hour is growth: a gigabyte more in half a day.
LIMIT_MIB_PER_HOUR = 100.0
# Or so much in the second half of the run, whichever allows more: in a short
# run an hour's slope is made of noise.
LIMIT_MIB = 16.0
BLOCKS = 10
RESAMPLES = 2000
LEVEL = 0.95
SEED = 20250101
# Fewer samples tell nothing.
MIN_SAMPLES = 2 * BLOCKS


@dataclass(frozen=True)
class Growth:
    """Of resident memory in the second half of a run, with its interval."""

    mib_per_hour: float
    interval: tuple[float, float]
    hours: float

    @property
    def limit(self) -> float:
        """MiB an hour from which it counts as growth."""
        return max(LIMIT_MIB_PER_HOUR, LIMIT_MIB / self.hours)

    @property
    def bounded(self) -> bool:
        """It does not grow, or not by more than the limit."""
        return self.interval[0] <= 0 or self.mib_per_hour <= self.limit

    def line(self) -> str:
        """The verdict as one line."""
        low, high = self.interval
        state = "bounded" if self.bounded else "grows without bound"
        return (
            f"Resident memory in the last {self.hours * 60:.1f} min: "
            f"{self.mib_per_hour:+.1f} MiB/h ({low:+.1f}..{high:+.1f}), "
            f"limit {self.limit:.0f}: {state}"
        )


def growth(samples: Sequence[tuple[float, float]]) -> Growth | None:
    """From (ms, MiB) of a whole run; None if there are too few."""
    if not samples:
        return None
    middle = (samples[0][0] + samples[-1][0]) / 2
    half = np.asarray([s for s in samples if s[0] >= middle], dtype=np.float64)
    if len(half) < MIN_SAMPLES:
        return None
    hours = half[:, 0] / 3_600_000
    blocks = np.array_split(np.arange(len(half)), BLOCKS)
    generator = np.random.default_rng(SEED)
    slopes = []
    for _ in range(RESAMPLES):
        picks = generator.integers(0, BLOCKS, size=BLOCKS)
        if len(set(picks)) < 2:
            continue
        chosen = np.concatenate([blocks[i] for i in picks])
        slopes.append(_slope(hours[chosen], half[chosen, 1]))
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(slopes, [tail, 100 - tail])
    span = float(hours[-1] - hours[0])
    return Growth(_slope(hours, half[:, 1]), (float(low), float(high)), span)


def _slope(x: Floats, y: Floats) -> float:
    return float(np.polyfit(x, y, 1)[0])
