"""The table of what guests measured themselves: figures by configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from analysis.frame import framed
from analysis.schema import NO_TIER
from analysis.summary import NATIVE, Row

Figures = Mapping[str, Mapping[str, Any]]

TITLE = "Figures, and times divided by native's"
MEAN = "geometric mean"
# Tables have 80 characters: room for the names, native's values, and so many more.
COLUMNS = 3
_COLUMN_WIDTH = 14
# How many of the figures that are farthest behind native stand below a table.
_WORST = 4


def figure_tables(rows: Sequence[Row]) -> list[Table]:
    """Tables for each guest and workload that has figures; empty if none has."""
    tables = []
    measured = [row for row in rows if row["figures"]]
    for section, same in groupby(measured, key=_section):
        found = list(same)
        natives = [row for row in found if row["engine"] == NATIVE]
        others = [row for row in found if row["engine"] != NATIVE]
        for at in range(0, max(len(others), 1), COLUMNS):
            chosen = [*natives, *others[at : at + COLUMNS]]
            tables.append(_table(f"{TITLE}\n{section}", chosen))
    return tables


def _section(row: Row) -> str:
    return f"{row['guest']}, {row['workload']}"


def _table(title: str, rows: Sequence[Row]) -> Table:
    caption = "\n".join(filter(None, map(_worst_line, rows))) or None
    table = framed(title, caption)
    table.add_column("", overflow="fold", min_width=18)
    for row in rows:
        table.add_column(
            _configuration(row),
            justify="right",
            overflow="fold",
            max_width=_COLUMN_WIDTH,
        )
    columns = [{one["name"]: one for one in row["figures"]} for row in rows]
    worst = [_worst(row)[:1] for row in rows]
    for unit, names in _by_unit(columns):
        table.add_section()
        table.add_row(Text(unit, style="bold"))
        for name in names:
            cells = (
                _cell(known.get(name), row["engine"] != NATIVE, name in bad)
                for row, known, bad in zip(rows, columns, worst, strict=True)
            )
            table.add_row(f"  {name}", *cells)
    if any(row["figures_ratio_native"] and row["engine"] != NATIVE for row in rows):
        total = len({name for known in columns for name in known})
        table.add_section()
        table.add_row(Text(MEAN, style="bold"), *(_mean(row, total) for row in rows))
    return table


def _configuration(row: Row) -> str:
    tier = "" if row["tier"] == NO_TIER else row["short"]
    return "\n".join(filter(None, (row["engine"], tier, row["switches"])))


def _by_unit(columns: Sequence[Figures]) -> Iterator[tuple[str, list[str]]]:
    """The names of all figures by their units, in the order of their first column."""
    units: dict[str, dict[str, None]] = {}
    for known in columns:
        for name, figure in known.items():
            units.setdefault(figure["unit"], {})[name] = None
    for unit, names in units.items():
        yield unit, list(names)


def _cell(
    figure: Mapping[str, Any] | None, with_ratio: bool, is_worst: bool = False
) -> Text:
    """The value, and for other engines than native the ratio to native's value."""
    if figure is None:
        return Text("-")
    text = Text(short(figure["value"]))
    if not with_ratio:
        return text
    ratio = figure["ratio_native"]
    shown = "-" if ratio is None else f"{ratio:.2f}"
    return text + Text(f"{shown:>7}", style="bold red" if is_worst else "")


def _mean(row: Row, total: int) -> Text:
    mean = row["figures_ratio_native"]
    if row["engine"] == NATIVE or mean is None:
        return Text("")
    count = sum(one["ratio_native"] is not None for one in row["figures"])
    # Means over different figures cannot be compared: say over how many this one is.
    of = f"of {count} " if count != total else ""
    return Text(f"{of}{mean:.2f}", style="bold")


def _worst(row: Row) -> list[str]:
    """The names of the figures that are behind native's, the worst first."""
    if row["engine"] == NATIVE:
        return []
    behind = [one for one in row["figures"] if (one["ratio_native"] or 0) > 1]
    behind.sort(key=lambda one: -float(one["ratio_native"]))
    return [one["name"] for one in behind]


def _worst_line(row: Row) -> str:
    names = _worst(row)[:_WORST]
    if not names:
        return ""
    ratios = {one["name"]: one["ratio_native"] for one in row["figures"]}
    said = ", ".join(f"{name} {ratios[name]:.2f}" for name in names)
    return f"Worst of {' '.join(_configuration(row).split())}: {said}"


def short(value: float) -> str:
    """A number in at most six characters, for values up to a billion."""
    if value >= 1e8:
        return f"{value / 1e6:.0f}M"
    if value >= 1e6:
        return f"{value / 1e6:.1f}M"
    if value >= 1e5:
        return f"{value / 1e3:.0f}k"
    for limit, digits in ((100, 0), (10, 1), (0.1, 2)):
        if value >= limit:
            return f"{value:.{digits}f}"
    return f"{value:.2g}"
