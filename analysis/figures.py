"""The numbers that guests measure themselves: medians, and ratios to native QEMU.

A ratio is one of times, as everywhere: 2.0 means that the same work takes twice the
time that it takes in native QEMU. Of a rate, such as guest instructions a second, that
is native's rate divided by the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from analysis.load import Figure, Run
from analysis.stats import Estimate, ratio

Named = dict[str, tuple[Figure, list[float]]]


def geometric_mean(ratios: Iterable[float]) -> float | None:
    """The geometric mean of positive numbers; None without any."""
    logs = [math.log(one) for one in ratios]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def figure_rows(runs: Sequence[Run], native: Sequence[Run]) -> list[dict[str, Any]]:
    """A configuration's figures, beside those of native QEMU for the same boots.

    Figures of failed runs do not count.
    """
    base = _by_name(native)
    rows = []
    for name, (figure, values) in _by_name(runs).items():
        known = base.get(name)
        against: Estimate | None = None
        if runs is native:
            against = Estimate(1.0, None)
        elif known is not None and known[0].unit == figure.unit and min(values) > 0:
            pair = (known[1], values) if figure.more else (values, known[1])
            against = ratio(*pair)
        interval = against.interval if against else None
        rows.append(
            {
                "name": name,
                "unit": figure.unit,
                "better": "more" if figure.more else "less",
                "value": float(np.median(values)),
                "ratio_native": round(against.value, 4) if against else None,
                "ratio_native_ci": (
                    [round(end, 4) for end in interval] if interval else None
                ),
            }
        )
    return rows


def _by_name(runs: Iterable[Run]) -> Named:
    """Each figure's values, one a run: the median, if a run measured it repeatedly."""
    found: Named = {}
    for run in runs:
        if not run.ok:
            continue
        within: dict[str, list[float]] = {}
        for figure in run.figures:
            within.setdefault(figure.name, []).append(figure.value)
            found.setdefault(figure.name, (figure, []))
        for name, values in within.items():
            found[name][1].append(float(np.median(values)))
    return found
