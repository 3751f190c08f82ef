"""Makes tables of medians and spreads from rows of google-benchmark's JSON."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

# Parts that google-benchmark adds to names.
_SUFFIX = re.compile(r"/(iterations:\d+|manual_time|repeats:\d+)")


@dataclass
class Measured:
    """One benchmark: the values of each member of its rows, by repetition."""

    name: str
    values: dict[str, list[float]] = field(default_factory=dict)
    error: str = ""

    @property
    def part(self) -> str:
        """The benchmark's table: where it ran, and what it measures."""
        return "/".join(self.name.split("/")[:2])

    def median(self, member: str) -> float | None:
        """The median over repetitions; None if there is no such member."""
        found = self.values.get(member)
        return statistics.median(found) if found else None

    def spread(self, member: str) -> float | None:
        """The distance of the quartiles, relative to the median."""
        found = self.values.get(member, [])
        middle = statistics.median(found) if found else 0.0
        if len(found) < 2 or not middle:
            return None
        low, _, high = statistics.quantiles(found, n=4, method="inclusive")
        return abs((high - low) / middle)


@dataclass(frozen=True)
class Column:
    """How a table shows one member of the rows."""

    member: str
    heading: str
    scale: float = 1.0


def _us(member: str, heading: str) -> Column:
    return Column(member, f"{heading}, us", 1e6)


def _ns(member: str, heading: str) -> Column:
    return Column(member, f"{heading}, ns", 1e9)


_EMIT = (
    _us("s_per_tb", "a TB"),
    Column("bytes_per_second", "bytecode, MB/s", 1e-6),
    Column("wasm_bytes_per_guest_insn", "Wasm bytes a guest insn"),
    Column("wasm_bytes_per_bytecode_byte", "a byte of bytecode"),
)
_STEADY = (_ns("s_per_tb", "a TB"),)
_PAGE = (
    Column("s_to_prompt", "click to prompt, s"),
    Column("s_to_prompt_in_node", "Node, s"),
    Column("prompt_of_node", "of Node"),
    Column("s_to_load", "of it loading, ms", 1e3),
    Column("s_to_paint", "first paint, ms", 1e3),
    Column("bytes_before_boot", "before, kB", 1e-3),
    Column("s_to_echo", "key to echo, ms", 1e3),
    Column("s_longest_task", "longest task, ms", 1e3),
)

# A table also shows the spread of the first of its columns that a benchmark has.
PARTS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "native/emit": ("Emission", _EMIT),
    "native/verify": ("Verification", _EMIT[:2]),
    "native/fuse": ("Superinstructions", _EMIT[:2]),
    "native/interp": (
        "Interpreter",
        (_ns("s_per_insn", "a bytecode insn"), _ns("s_per_tb", "a TB")),
    ),
    "native/policy": (
        "Policies: time of the engine's calls",
        (
            _ns("s_per_decided_tb", "decision, a TB"),
            _ns("s_per_asked", "an event"),
            _ns("s_per_chosen_tb", "a TB chosen"),
            _ns("s_per_hot", "hot"),
            _ns("s_per_tick", "tick"),
            _ns("s_per_translated", "translated"),
            _ns("s_per_linked", "linked"),
            _ns("s_per_outcome_tb", "outcome, a TB"),
            _ns("s_per_stats_tb", "JSON, a TB"),
            Column("hot_events", "hot events"),
            Column("tbs_per_group", "TBs a group"),
        ),
    ),
    "native/evict": (
        "Eviction policies, at most 500 modules under `always`",
        (
            _ns("s_per_make_room", "make_room"),
            _ns("s_per_tick", "tick"),
            _ns("s_per_hot", "hot"),
            _ns("s_per_outcome", "outcome"),
            Column("groups", "modules asked for"),
            Column("retired", "given up"),
        ),
    ),
    "node/install": (
        "New code in Node, time a TB",
        (
            _us("s_per_tb", "all"),
            _us("cpu_s_per_tb", "CPU"),
            _us("s_per_emit_tb", "emit"),
            _us("s_per_module_tb", "Module"),
            _us("s_per_instance_tb", "Instance"),
            _us("s_per_first_call_tb", "first call"),
            Column("wasm_bytes_per_tb", "Wasm bytes"),
        ),
    ),
    "node/dispatch": ("Steady state in Node", _STEADY),
    "node/counts": ("Counting executions in Node, groups of 64", _STEADY),
    "node/memory": (
        "Memory of living code in Node",
        (
            Column("bytes_per_tb", "KiB a TB", 1 / 1024),
            Column("maps_per_tb", "mappings a TB"),
            Column("maps_per_module", "a module"),
        ),
    ),
    "node/table": (
        "Size of the reserved table in Node",
        (
            _us("s_per_instance", "Instance"),
            _us("s_per_module", "Module"),
            Column("s_per_fill", "filling the table, ms", 1e3),
        ),
    ),
    "chromium/page": ("The page in Chromium, `region`", _PAGE),
    "firefox/page": ("The page in Firefox, `region`", _PAGE),
}
CHURN = "node/churn"
CHURN_COLUMNS = (
    Column("modules", "modules replaced"),
    Column("rss_bytes", "resident, MiB", 1 / 1048576),
    Column("maps", "mappings"),
    Column("real_time", "Module and Instance, us", 1e-3),
)


def short_name(name: str) -> str:
    """The name without what google-benchmark adds."""
    return _SUFFIX.sub("", name)


def measured(rows: Iterable[Mapping[str, Any]]) -> list[Measured]:
    """Benchmarks in the order of the rows; aggregates are left out."""
    found: dict[str, Measured] = {}
    for row in rows:
        if row.get("run_type") != "iteration":
            continue
        name = short_name(str(row.get("run_name") or row["name"]))
        one = found.setdefault(name, Measured(name))
        if row.get("error_occurred"):
            one.error = str(row.get("error_message", "")) or "failed"
            continue
        for key, value in row.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                one.values.setdefault(key, []).append(float(value))
    for one in found.values():
        resident = one.values.get("rss_bytes", [])
        if one.name == CHURN and len(resident) > 2:
            # Memory must not grow with the number of modules replaced. Compare the
            # last step with the second, because the first step includes the warm-up.
            one.values["rss_growth"] = [resident[-1] / resident[1]]
    return list(found.values())


def tables(found: Sequence[Measured]) -> list[Table]:
    """A table for each measured part."""
    out = []
    for part, (title, columns) in PARTS.items():
        members = [one for one in found if one.part == part]
        if members:
            out.append(_part_table(part, title, columns, members))
    out += [_churn_table(one) for one in found if one.name == CHURN]
    return out


def _part_table(
    part: str, title: str, columns: Sequence[Column], members: Sequence[Measured]
) -> Table:
    shown = [c for c in columns if any(c.member in one.values for one in members)]
    table = _table(title, part, [c.heading for c in shown] + ["spread"])
    for one in members:
        label = one.name.removeprefix(part).strip("/") or part
        if one.error:
            table.add_row(label, Text(f"FAILED: {one.error}", style="red"))
            continue
        cells = [_cell(one.median(c.member), c.scale) for c in shown]
        spreads = (one.spread(c.member) for c in shown if c.member in one.values)
        spread = next(spreads, None)
        cells.append("" if spread is None else f"{100 * spread:.0f} %")
        table.add_row(label, *cells)
    return table


def _churn_table(one: Measured) -> Table:
    table = _table("Modules replaced in a ring of 1,000 slots in Node", "step",
                   [c.heading for c in CHURN_COLUMNS])  # fmt: skip
    if one.error:
        table.add_row("", Text(f"FAILED: {one.error}", style="red"))
    columns = [one.values.get(c.member, []) for c in CHURN_COLUMNS]
    for step, row in enumerate(zip(*columns, strict=False), start=1):
        pairs = zip(row, CHURN_COLUMNS, strict=True)
        table.add_row(str(step), *(_cell(value, c.scale) for value, c in pairs))
    return table


def _table(title: str, first: str, headings: Iterable[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _cell(value: float | None, scale: float) -> str:
    return "" if value is None else number_text(value * scale)


def number_text(value: float) -> str:
    """The number with three significant digits."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
