"""Runs -> one row per configuration, as summary.json has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from analysis.load import Key, Run, by_key
from analysis.schema import NO_TIER, SUMMARY_SCHEMA
from analysis.stats import Estimate, median, ratio

Row = dict[str, Any]
Figure = Callable[[Run], float | None]

NATIVE = "native"
NEVER = "never"

# Columns that are a plain median: name, what it is taken from.
MEDIANS: tuple[tuple[str, Figure], ...] = (
    ("translate_us_mean", lambda run: run.translate_us),
    ("start_to_first_insn_ms", lambda run: run.first_insn_ms),
    ("tbs_translated", lambda run: run.counters.get("tbs_translated")),
    ("tbs_compiled", lambda run: run.counters.get("tbs_compiled")),
    ("modules", lambda run: run.counters.get("modules_installed")),
    ("peak_rss_mib", lambda run: run.peak_rss_mib),
    ("cpu_ms", lambda run: run.cpu_ms),
    ("wall_ms", lambda run: run.wall_ms),
)


def summarise(runs: Iterable[Run]) -> list[Row]:
    """One row per configuration.  Failed runs count, but give no times.

    Rows that are compared stand together, their reference first; the order in
    which they ran was random.
    """
    groups = by_key(runs)
    return [_row(key, groups) for key in sorted(groups, key=_place)]


def summary_document(
    runs: Iterable[Run],
    provenance: Mapping[str, Any],
    settings: Mapping[str, Any],
    idle_share: float | None = None,
) -> dict[str, Any]:
    """The whole of summary.json.  `idle_share`: an idle guest's part of a core."""
    return {
        "schema": SUMMARY_SCHEMA,
        "settings": dict(settings),
        "rows": summarise(runs),
        "idle_share": idle_share,
        "provenance": dict(provenance),
    }


def _row(key: Key, groups: Mapping[Key, Sequence[Run]]) -> Row:
    guest, engine, tier, workload = key
    runs = groups[key]
    native = groups.get((guest, NATIVE, NO_TIER, workload), ())
    never = groups.get((guest, engine, NEVER, workload), ())
    boots = _figures(runs, _boot)
    works = _figures(runs, _work)
    row: Row = {
        "guest": guest,
        "tier": tier,
        "engine": engine,
        "workload": workload,
        "runs": len(runs),
        "failed": sum(not run.ok for run in runs),
        "failures": [
            {"kind": run.failure, "message": run.message} for run in runs if not run.ok
        ],
    }
    _put(row, "boot_ms", median(boots), digits=1)
    _put(row, "workload_ms", median(works), digits=1)
    for name, base in (("native", native), ("never", never)):
        # Against itself a configuration is 1, and no estimate.
        against = _itself if base is runs else ratio
        _put(row, f"ratio_{name}", against(boots, _figures(base, _boot)))
        _put(row, f"workload_ratio_{name}", against(works, _figures(base, _work)))
    for name, figure in MEDIANS:
        estimate = median(_figures(runs, figure))
        row[name] = None if estimate is None else round(estimate.value, 3)
    return row


def _place(key: Key) -> tuple[str, str, bool, str, bool, str]:
    guest, engine, tier, workload = key
    return (guest, workload, engine != NATIVE, engine, tier != NEVER, tier)


def _boot(run: Run) -> float | None:
    return run.boot_ms


def _work(run: Run) -> float | None:
    return run.workload_ms


def _figures(runs: Iterable[Run], figure: Figure) -> list[float]:
    values = (figure(run) for run in runs if run.ok)
    return [value for value in values if value is not None]


def _itself(values: Sequence[float], same: Sequence[float]) -> Estimate | None:
    return Estimate(1.0, None) if values else None


def _put(row: Row, name: str, estimate: Estimate | None, digits: int = 4) -> None:
    if estimate is None:
        row[name] = row[f"{name}_ci"] = None
        return
    row[name] = round(estimate.value, digits)
    interval = estimate.interval
    row[f"{name}_ci"] = (
        None if interval is None else [round(v, digits) for v in interval]
    )
