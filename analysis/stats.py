"""Medians of boots, ratios of medians, and bootstrap intervals for both.

A boot is the unit of replication.  The interval is the percentile bootstrap:
BCa corrects with a jackknife, which degenerates for the median of a handful
of runs.  With three runs a 95 % percentile interval is their whole range: it
says how far apart the runs are, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 9999
LEVEL = 0.95
# One seed for all intervals: the same results give the same table.
SEED = 20250101

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval; no interval for a single run."""

    value: float
    interval: tuple[float, float] | None


def median(values: Sequence[float]) -> Estimate | None:
    """Median and its interval; None without values."""
    if not values:
        return None
    value = float(np.median(values))
    if len(values) < 2:
        return Estimate(value, None)
    return Estimate(value, _percentiles(_medians(values, _generator())))


def ratio(above: Sequence[float], below: Sequence[float]) -> Estimate | None:
    """Median of `above` over median of `below`; the bootstrap resamples both."""
    if not above or not below or float(np.median(below)) <= 0:
        return None
    value = float(np.median(above) / np.median(below))
    if len(above) < 2 or len(below) < 2:
        return Estimate(value, None)
    generator = _generator()
    top = _medians(above, generator)
    bottom = _medians(below, generator)
    return Estimate(value, _percentiles(top / bottom))


def _generator() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _medians(values: Sequence[float], generator: np.random.Generator) -> Floats:
    data = np.asarray(values, dtype=np.float64)
    picks = generator.integers(0, len(data), size=(RESAMPLES, len(data)))
    medians: Floats = np.median(data[picks], axis=1)
    return medians


def _percentiles(resampled: Floats) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return float(low), float(high)
