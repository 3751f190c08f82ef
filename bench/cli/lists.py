"""`tierlab guests`, `engines` and `tiers`: what there is to choose from."""

from __future__ import annotations

from typing import Any

import click
from rich import box
from rich.table import Table

from bench.boot.catalog import known_guests
from bench.boot.policies import list_policies
from bench.boot.products import TIERS, obtain
from bench.cli.common import err_console, out_console, print_json
from bench.engines import ENGINES
from bench.guests.catalogue import WORKLOADS

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@json_option
def guests(as_json: bool) -> int:
    """List the guests and the workloads they run."""
    entries = known_guests().values()
    workloads = [{"name": w.name, "title": w.title} for w in WORKLOADS]
    if as_json:
        found = [{"name": e.name, "arch": e.arch, "title": e.title} for e in entries]
        print_json({"guests": found, "workloads": workloads})
        return 0
    table = _table("guest", "architecture", "what it is")
    for entry in entries:
        table.add_row(entry.name, entry.arch, entry.title)
    tasks = _table("workload", "what it does")
    for workload in WORKLOADS:
        tasks.add_row(workload.name, workload.title)
    console = out_console()
    console.print(table)
    console.print(tasks)
    return 0


@click.command()
@json_option
def engines(as_json: bool) -> int:
    """List the engines."""
    if as_json:
        found = [
            {"name": e.name, "tiers": e.has_tiers, "meaning": e.meaning}
            for e in ENGINES.values()
        ]
        print_json({"engines": found})
        return 0
    table = _table("engine", "tiers", "what it is")
    for engine in ENGINES.values():
        table.add_row(engine.name, "yes" if engine.has_tiers else "no", engine.meaning)
    out_console().print(table)
    return 0


@click.command()
@json_option
def tiers(as_json: bool) -> int:
    """List the policies with their parameters."""
    found = list_policies(obtain([TIERS], err_console())[TIERS])
    if as_json:
        print_json({"policies": found})
        return 0
    table = _table("policy", "parameter", "default", "range", "unit", "meaning")
    for policy in found:
        table.add_row(str(policy["name"]), "", "", "", "", str(policy["summary"]))
        for parameter in policy.get("params", []):
            table.add_row("", *_parameter(parameter))
    out_console().print(table)
    return 0


def _parameter(parameter: dict[str, Any]) -> tuple[str, str, str, str, str]:
    return (
        str(parameter["name"]),
        str(parameter["default"]),
        str(parameter["range"]),
        str(parameter["unit"]),
        str(parameter["meaning"]),
    )


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column)
    return table
