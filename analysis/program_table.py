"""The table of programs: first and later rounds, against native QEMU, by policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from analysis.frame import framed
from analysis.programs import NATIVE, PARTS
from analysis.schema import NO_TIER

Row = Mapping[str, Any]

TITLE = "Programs: seconds in native QEMU, times divided by them"
MEAN = "geom. mean"
# Tables have 80 characters: room for the names, native's times, and so many more.
COLUMNS = 4
_HALF = 5


def program_tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Tables for each guest that ran several programs."""
    for guest, same in groupby(rows, key=lambda row: str(row["guest"])):
        found = list(same)
        natives = [row for row in found if row["engine"] == NATIVE]
        others = [row for row in found if row["engine"] != NATIVE]
        for at in range(0, max(len(others), 1), COLUMNS):
            yield _table(guest, [*natives, *others[at : at + COLUMNS]])


def _table(guest: str, rows: Sequence[Row]) -> Table:
    table = framed(f"{TITLE}\n{guest}")
    table.add_column("", overflow="fold", min_width=len(MEAN), max_width=len(MEAN))
    width = _HALF * len(PARTS) + 1
    for row in rows:
        table.add_column(
            _heading(row),
            justify="right",
            overflow="fold",
            min_width=width,
            max_width=width,
        )
    known = [{one["name"]: one for one in row["programs"]} for row in rows]
    for name in dict.fromkeys(name for each in known for name in each):
        cells = (
            _cell(each.get(name), row["engine"] == NATIVE)
            for row, each in zip(rows, known, strict=True)
        )
        table.add_row(name, *cells)
    if any(row["engine"] != NATIVE for row in rows):
        total = len({name for each in known for name in each})
        table.add_section()
        table.add_row(
            Text(MEAN, style="bold"),
            *(_means(row, total) for row in rows),
        )
    return table


def _heading(row: Row) -> str:
    tier = "" if row["tier"] == NO_TIER else row["short"]
    names = (row["engine"], tier, row["switches"])
    return "\n".join([*filter(None, names), " ".join(f"{p:>{_HALF}}" for p in PARTS)])


def _cell(program: Row | None, in_seconds: bool) -> str:
    if program is None:
        return "-"
    if in_seconds:
        return " ".join(f"{program[f'{p}_ms'] / 1000:{_HALF}.2f}" for p in PARTS)
    return " ".join(_ratio(program[f"{p}_ratio_native"]) for p in PARTS)


def _means(row: Row, total: int) -> Text:
    if row["engine"] == NATIVE:
        return Text("")
    text = " ".join(_ratio(row[f"{part}_ratio_native"]) for part in PARTS)
    count = sum(one["warm_ratio_native"] is not None for one in row["programs"])
    # Means over different programs cannot be compared: say over how many this one is.
    of = f"of {count}:\n" if count != total else ""
    return Text(f"{of}{text}", style="bold")


def _ratio(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:.2f}':>{_HALF}}"
