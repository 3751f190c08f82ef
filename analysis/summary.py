"""Runs -> one row per configuration: the rows of summary.json."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from analysis.figures import figure_rows, geometric_mean
from analysis.load import Key, Run, by_key
from analysis.programs import program_rows
from analysis.refusals import most
from analysis.schema import NO_TIER, SUMMARY_SCHEMA
from analysis.stats import Estimate, median, ratio

Row = dict[str, Any]
Figure = Callable[[Run], float | None]

NATIVE = "native"
# Another emulator in the same Node, which runs none of our policies.
PEER = "v86"
NEVER = "never"
# The policy whose modules hold one TB each; policies of groups are compared with it.
SINGLE = "threshold"
# What the best run of that policy is called as the base of a ratio.
BEST_SINGLE = "single"

# Columns that are a plain median: name, and the figure of a run.
MEDIANS: tuple[tuple[str, Figure], ...] = (
    ("translate_us_mean", lambda run: run.translate_us),
    ("start_to_first_insn_ms", lambda run: run.first_insn_ms),
    ("tbs_translated", lambda run: run.counter("tbs_translated")),
    ("tbs_compiled", lambda run: run.counter("tbs_compiled")),
    ("tbs_retranslated", lambda run: run.counter("tbs_retranslated")),
    ("translate_ms", lambda run: run.counter("translate_ns", 1e-6)),
    ("retranslate_ms", lambda run: run.counter("retranslate_ns", 1e-6)),
    ("sections_evicted", lambda run: run.counter("sections_evicted")),
    ("tb_flushes", lambda run: run.counter("tb_flushes")),
    ("evict_ms", lambda run: run.counter("evict_ns", 1e-6)),
    ("code_buffer_mib", lambda run: run.counter("code_buffer_size_bytes", 2**-20)),
    ("compile_ms", lambda run: run.compile_ms),
    ("worst_stall_ms", lambda run: run.counter("worst_stall_ns", 1e-6)),
    ("answer_ms", lambda run: run.answer_ms),
    ("first_round_ms", lambda run: run.rounds_ms[0] if run.rounds_ms else None),
    ("settled_ms", lambda run: run.settled_ms),
    ("lost_ms", lambda run: run.lost_ms),
    ("wait_ms", lambda run: run.wait_ms),
    ("modules", lambda run: run.counter("modules_installed")),
    ("occupancy", lambda run: run.per("tbs_compiled", "modules_installed")),
    ("modules_alive_max", lambda run: run.counter("modules_alive_max")),
    ("modules_retired", lambda run: run.counter("modules_retired")),
    ("modules_evicted", lambda run: run.counter("modules_evicted")),
    ("slots_max", lambda run: run.counter("table_slots_used_max")),
    ("wasm_kib_per_tb", lambda run: run.per("wasm_bytes", "tbs_compiled", 1 / 1024)),
    ("peak_mappings", lambda run: run.peak_mappings),
    ("peak_rss_mib", lambda run: run.peak_rss_mib),
    ("cpu_ms", lambda run: run.cpu_ms),
    ("wall_ms", lambda run: run.wall_ms),
)


def summarise(runs: Iterable[Run]) -> list[Row]:
    """One row per configuration.  Failed runs count, but give no times.

    Rows that are compared with each other stand together, the reference first; the
    runs' order in time was random.
    """
    groups = by_key(runs)
    rows = [_row(key, groups) for key in sorted(groups, key=_place)]
    for row in rows:
        row["mappings_per_tb"] = _mappings_per_tb(row, rows)
    return rows


def summary_document(
    runs: Sequence[Run],
    provenance: Mapping[str, Any],
    settings: Mapping[str, Any],
    idle: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The whole of summary.json.

    `idle`: the boot that measured an idle guest, with that guest's part of a core
    as `share`, or why that boot failed; None if no such boot was made.
    """
    return {
        "schema": SUMMARY_SCHEMA,
        "settings": dict(settings),
        "rows": summarise(runs),
        "programs": program_rows(runs),
        "idle_share": None if idle is None else idle["share"],
        "idle": None if idle is None else dict(idle),
        "provenance": dict(provenance),
    }


def _row(key: Key, groups: Mapping[Key, Sequence[Run]]) -> Row:
    guest, engine, tier, workload, switches = key
    runs = groups[key]
    references = {
        **{
            name: groups.get((guest, name, NO_TIER, workload, ""), ())
            for name in (NATIVE, PEER)
        },
        NEVER: groups.get((guest, engine, NEVER, workload, switches), ()),
    }
    row: Row = {
        "guest": guest,
        "tier": tier,
        "short": runs[0].short,
        "engine": engine,
        "workload": workload,
        "switches": switches,
        "resumed": runs[0].resumed,
        "runs": len(runs),
        "failed": sum(not run.ok for run in runs),
        "failures": [
            {"kind": run.failure, "message": run.message} for run in runs if not run.ok
        ],
        # Of failed runs, too.
        "refusals": most(run.refusals for run in runs),
        "engine_said": next((r.engine_said for r in runs if r.engine_said), ""),
    }
    for prefix, column, figure in TIMES:
        times = _figures(runs, figure)
        _put(row, column, median(times), digits=1)
        bases = {**references, BEST_SINGLE: _best_single(key, groups, figure)}
        for name, base in bases.items():
            # A configuration's ratio to itself is 1, without an interval.
            against = _itself if base is runs else ratio
            _put(row, f"{prefix}ratio_{name}", against(times, _figures(base, figure)))
    for name, figure in MEDIANS:
        estimate = median(_figures(runs, figure))
        row[name] = None if estimate is None else round(estimate.value, 3)
    row["figures"] = figure_rows(runs, references[NATIVE])
    mean = geometric_mean(
        one["ratio_native"] for one in row["figures"] if one["ratio_native"]
    )
    row["figures_ratio_native"] = None if mean is None else round(mean, 4)
    return row


def _best_single(
    key: Key, groups: Mapping[Key, Sequence[Run]], figure: Figure
) -> Sequence[Run]:
    """The runs of the best policy `threshold` (one TB a module) for the same boots."""
    guest, engine, _, workload, switches = key
    best: Sequence[Run] = ()
    least = float("inf")
    for other, runs in groups.items():
        same = (other[0], other[1], other[3], other[4])
        if same != (guest, engine, workload, switches) or not _is_single(other[2]):
            continue
        middle = median(_figures(runs, figure))
        if middle is not None and middle.value < least:
            best, least = runs, middle.value
    return best


def _is_single(tier: str) -> bool:
    """Whether a tier is `threshold` with no budget, which is another experiment."""
    name, _, parameters = tier.partition(":")
    return name == SINGLE and "," not in parameters


def _mappings_per_tb(row: Row, rows: Sequence[Row]) -> float | None:
    """Memory mappings beyond those of `never`, for each TB compiled."""
    same = ("guest", "engine", "workload", "switches")
    base = next(
        (r for r in rows if r["tier"] == NEVER and all(r[k] == row[k] for k in same)),
        None,
    )
    if base is None or base is row or not row["tbs_compiled"]:
        return None
    if row["peak_mappings"] is None or base["peak_mappings"] is None:
        return None
    more = float(row["peak_mappings"]) - float(base["peak_mappings"])
    return round(more / float(row["tbs_compiled"]), 4)


def _place(key: Key) -> tuple[str, str, bool, str, bool, Any, str]:
    guest, engine, tier, workload, switches = key
    return (
        guest,
        workload,
        engine != NATIVE,
        engine,
        tier != NEVER,
        _numbers_in_order(tier),
        switches,
    )


def _numbers_in_order(text: str) -> list[tuple[bool, float, str]]:
    """A key that puts n=250 before n=1500."""
    parts = re.findall(r"[0-9.]+|[^0-9.]+", text)
    return [
        (True, float(p), "") if re.fullmatch(r"[0-9]+(\.[0-9]+)?", p) else (False, 0, p)
        for p in parts
    ]


def _boot(run: Run) -> float | None:
    return run.boot_ms


def _resume(run: Run) -> float | None:
    return run.resume_ms


def _work(run: Run) -> float | None:
    return run.workload_ms


def _steady(run: Run) -> float | None:
    return run.steady_ms


# The times that are compared: prefix of the ratios, column, figure of a run.
TIMES: tuple[tuple[str, str, Figure], ...] = (
    ("", "boot_ms", _boot),
    ("resume_", "resume_ms", _resume),
    ("workload_", "workload_ms", _work),
    ("steady_", "steady_ms", _steady),
)

BASES = (NATIVE, PEER, NEVER, BEST_SINGLE)
# Every column that a target may name.
NUMBERS: tuple[str, ...] = (
    *(column for _, column, _ in TIMES),
    *(f"{prefix}ratio_{base}" for prefix, _, _ in TIMES for base in BASES),
    *(name for name, _ in MEDIANS),
    "mappings_per_tb",
    "figures_ratio_native",
)


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
