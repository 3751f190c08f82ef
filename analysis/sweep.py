"""Finds the sweeps of a comparison: configurations that vary one parameter.

A curve is at least three configurations that differ in the number of one
parameter alone; curves over the same parameter of the same boots are a sweep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from analysis.summary import NATIVE, NEVER, PEER, Row

MIN_POINTS = 3
BAR_WIDTH = 24


@dataclass(frozen=True)
class Curve:
    """Rows by rising value of the parameter."""

    label: str
    points: Sequence[tuple[float, Row]]


@dataclass(frozen=True)
class Sweep:
    """Curves over one parameter, and the rows that they are compared with."""

    guest: str
    engine: str
    workload: str
    parameter: str
    curves: Sequence[Curve]
    references: Mapping[str, Row]

    @property
    def title(self) -> str:
        """The guest and workload, and the parameter that was varied."""
        workload = "" if self.workload == "none" else f", {self.workload}"
        return f"Boot of {self.guest} in {self.engine}{workload} by {self.parameter}"


def find_sweeps(rows: Sequence[Row]) -> list[Sweep]:
    """All sweeps of a comparison."""
    places = dict.fromkeys(
        (r["guest"], r["engine"], r["workload"]) for r in rows if r["engine"] != NATIVE
    )
    found = []
    for guest, engine, workload in places:
        here = [r for r in rows if (r["guest"], r["workload"]) == (guest, workload)]
        own = [r for r in here if r["engine"] == engine]
        curves = _curves(own)
        for parameter in dict.fromkeys(name for name, _ in curves):
            chosen = [curve for name, curve in curves if name == parameter]
            references = _references(here, own)
            found.append(Sweep(guest, engine, workload, parameter, chosen, references))
    return found


def sweep_table(sweep: Sweep) -> Table:
    """The curves as numbers and bars."""
    table = Table(
        title=sweep.title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("", no_wrap=True)
    for heading in (sweep.parameter, "boot s", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    most = max(row["boot_ms"] for curve in sweep.curves for _, row in curve.points)
    for curve in sweep.curves:
        for i, (value, row) in enumerate(curve.points):
            interval = row["boot_ms_ci"]
            table.add_row(
                curve.label if i == 0 else "",
                f"{value:g}",
                f"{row['boot_ms'] / 1000:.2f}",
                (
                    ""
                    if interval is None
                    else "..".join(f"{end / 1000:.2f}" for end in interval)
                ),
                "█" * max(1, round(BAR_WIDTH * row["boot_ms"] / most)),
            )
    return table


def tier_parameters(tier: str) -> tuple[str, dict[str, str]]:
    """A policy's name and its parameters as the spec has them."""
    name, _, rest = tier.partition(":")
    pairs = (pair.partition("=") for pair in rest.split(",") if pair)
    return name, {key: value for key, _, value in pairs}


def _curves(rows: Sequence[Row]) -> list[tuple[str, Curve]]:
    """Each group of rows that are equal but for one number."""
    groups: dict[tuple[str, str], dict[float, Row]] = {}
    for row in rows:
        if row["boot_ms"] is None:
            continue
        name, parameters = tier_parameters(row["tier"])
        for key, text in parameters.items():
            value = _number(text)
            if value is not None:
                others = [f"{k}={v}" for k, v in parameters.items() if k != key]
                rest = " ".join([name, *others, row["switches"]])
                groups.setdefault((key, rest), {})[value] = row
    return [
        (parameter, _curve(parameter, points))
        for (parameter, _), points in groups.items()
        if len(points) >= MIN_POINTS
    ]


def _curve(parameter: str, points: Mapping[float, Row]) -> Curve:
    """A curve, named by the parameters that differ from the policy's defaults."""
    row = next(iter(points.values()))
    name, shown = tier_parameters(row["short"])
    others = [f"{k}={v}" for k, v in shown.items() if k != parameter]
    label = " ".join(filter(None, [name, *others, row["switches"]]))
    return Curve(label, sorted(points.items(), key=lambda p: p[0]))


def _references(here: Sequence[Row], own: Sequence[Row]) -> dict[str, Row]:
    found = {}
    for name, rows in (
        (NATIVE, [r for r in here if r["engine"] == NATIVE]),
        (NEVER, [r for r in own if r["tier"] == NEVER]),
        (PEER, [r for r in here if r["engine"] == PEER]),
    ):
        if rows and rows[0]["boot_ms"] is not None:
            found[name] = rows[0]
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
