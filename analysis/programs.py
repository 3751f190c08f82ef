"""Programs in several rounds: the first, later ones, and their ratios to native QEMU.

A program's first round is cold: its code is new to the emulator. Later rounds are
warm. A policy is judged by the geometric means of the ratios over all programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.figures import geometric_mean
from analysis.load import Run, steady
from analysis.schema import NO_TIER
from analysis.stats import Estimate, median, ratio

NATIVE = "native"
PARTS = ("cold", "warm")

# Of each program its first rounds and its later ones, a time for each run.
_Times = dict[str, dict[str, list[float]]]
_Key = tuple[str, str, str, str]


def program_rows(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """A row for each guest, engine, tier and switches that ran several programs.

    Programs are workloads with at least two rounds, and those of a workload that runs
    several in turn. Failed runs do not count. Native comes first in each guest.
    """
    groups: dict[_Key, list[Run]] = {}
    for run in runs:
        key = (run.guest, run.engine, run.tier, run.switches)
        groups.setdefault(key, []).append(run)
    times = {key: _times(each) for key, each in groups.items()}
    rows = []
    for key in sorted(groups, key=lambda k: (k[0], k[1] != NATIVE)):
        guest, engine, tier, switches = key
        if len(times[key]) < 2:
            continue
        base = times.get((guest, NATIVE, NO_TIER, ""), {})
        programs = [
            _program(name, parts, base.get(name, {}), engine == NATIVE)
            for name, parts in times[key].items()
        ]
        rows.append(
            {
                "guest": guest,
                "engine": engine,
                "tier": tier,
                "short": groups[key][0].short,
                "switches": switches,
                "programs": programs,
                **{f"{p}_ratio_native": _mean(programs, p) for p in PARTS},
            }
        )
    return rows


def _times(runs: Iterable[Run]) -> _Times:
    found: _Times = {}
    for run in runs:
        for name, rounds in run.programs_ms.items() if run.ok else ():
            later = steady(rounds)
            if later is None:
                continue
            parts = found.setdefault(name, {part: [] for part in PARTS})
            parts["cold"].append(rounds[0])
            parts["warm"].append(later)
    return found


def _program(
    name: str,
    parts: Mapping[str, Sequence[float]],
    base: Mapping[str, Sequence[float]],
    is_native: bool,
) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name}
    for part in PARTS:
        middle = median(parts[part])
        assert middle is not None
        against: Estimate | None = Estimate(1.0, None)
        if not is_native:
            against = ratio(parts[part], base.get(part, ()))
        interval = against.interval if against else None
        row[f"{part}_ms"] = round(middle.value, 1)
        row[f"{part}_ratio_native"] = round(against.value, 4) if against else None
        row[f"{part}_ratio_native_ci"] = (
            [round(end, 4) for end in interval] if interval else None
        )
    return row


def _mean(programs: Iterable[Mapping[str, Any]], part: str) -> float | None:
    ratios = (one[f"{part}_ratio_native"] for one in programs)
    mean = geometric_mean(one for one in ratios if one)
    return None if mean is None else round(mean, 4)
