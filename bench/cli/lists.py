"""`tierlab guests`, `engines` and `tiers`: what there is to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from bench.base.consoles import err_console, out_console
from bench.base.errors import USAGE, TierlabError
from bench.cli.common import print_json
from bench.cli.probe import show as show_probes
from bench.engines import ENGINES
from bench.guests.catalogue import WORKLOADS, GuestError
from bench.guests.manifest import load
from bench.guests.names import GuestEntry, known_guests
from bench.harness.products import TIERS, obtain, there
from bench.harness.run.policies import declared
from bench.harness.suites.suite import Suite, combined, named_suites, read_suite

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@json_option
def guests(as_json: bool) -> int:
    """List the guests and the workloads they run."""
    found = [_guest_facts(e, d) for e, d in _with_products(known_guests())]
    workloads = [
        {
            "name": w.name,
            "title": w.title,
            "params": [asdict(p) for p in w.params],
        }
        for w in WORKLOADS
    ]
    if as_json:
        print_json({"guests": found, "workloads": workloads})
        return 0
    table = _table("guest", "machine", "vCPUs", "memory", "kernel", "MiB", "what it is")
    for facts in found:
        mib = f"{facts['bytes'] / 2**20:.1f}" if facts["built"] else ""
        table.add_row(
            facts["name"],
            f"{facts['arch']} {facts['machine'] or ''}",
            str(facts["smp"] or ""),
            f"{facts['memory_mib']} MiB" if facts["memory_mib"] else "",
            facts["kernel_version"] or "not built",
            mib,
            facts["title"],
        )
    tasks = _table("workload", "parameter", "default", "range", "unit", "meaning")
    for workload in WORKLOADS:
        tasks.add_row(workload.name, "", "", "", "", workload.title)
        for p in workload.params:
            tasks.add_row("", p.name, str(p.default), p.range, p.unit, p.meaning)
    console = out_console()
    console.print(table)
    console.print(tasks)
    return 0


def _with_products(
    entries: Mapping[str, GuestEntry],
) -> list[tuple[GuestEntry, Path | None]]:
    built = there((e.product for e in entries.values()), err_console())
    return [(entry, built.get(entry.product)) for entry in entries.values()]


def _guest_facts(entry: GuestEntry, product: Path | None) -> dict[str, Any]:
    """The facts that a guest's entry declares, and if it is built, its product's."""
    try:
        guest = load(product) if product else None
    except GuestError as error:
        raise TierlabError(str(error)) from error
    known = guest or entry.spec
    return {
        "name": entry.name,
        "arch": entry.arch,
        "title": entry.title,
        "machine": known.machine if known else None,
        "smp": known.smp if known else None,
        "memory_mib": known.memory_mib if known else None,
        "built": guest is not None,
        "kernel_version": guest.kernel_version if guest else None,
        "bytes": sum(file.size for file in guest.files) if guest else None,
    }


@click.command()
@click.argument("names", nargs=-1, metavar="[ENGINE]...")
@click.option(
    "--probe",
    is_flag=True,
    help="Measure what those that run WebAssembly offer, and their limits.",
)
@json_option
def engines(names: tuple[str, ...], probe: bool, as_json: bool) -> int:
    """List the engines, or with --probe what they can."""
    if probe:
        return show_probes(names, as_json)
    if names:
        raise TierlabError(
            "engines are named to probe them",
            next_step="add --probe",
            status=USAGE,
        )
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
    found = declared(obtain([TIERS], err_console())[TIERS])
    if as_json:
        print_json(found)
        return 0
    console = out_console()
    table = _table("policy", "parameter", "default", "range", "unit", "meaning")
    for policy in found["policies"]:
        _declared_rows(table, policy)
    console.print(table)
    common = found.get("common", [])
    if common:
        table = _table("every policy", "default", "range", "unit", "meaning")
        for parameter in common:
            table.add_row(*_parameter(parameter))
        console.print(table)
    for key, title in (("evictions", "evict="), ("buffers", "buffer=")):
        entries = found.get(key, [])
        if entries:
            table = _table(title, "parameter", "default", "range", "unit", "meaning")
            for entry in entries:
                _declared_rows(table, entry)
            console.print(table)
    return 0


def _declared_rows(table: Table, entry: dict[str, Any]) -> None:
    """Add rows for a policy of any kind: its summary, source and parameters."""
    table.add_row(str(entry["name"]), "", "", "", "", str(entry["summary"]))
    if entry.get("source"):
        source = Text(f"from: {entry['source']}", style="dim")
        table.add_row("", "", "", "", "", source)
    for parameter in entry.get("params", []):
        table.add_row("", *_parameter(parameter))


@click.command()
@json_option
def suites(as_json: bool) -> int:
    """List the comparisons that come with the project."""
    found = {name: read_suite(path) for name, path in named_suites().items()}
    if as_json:
        print_json({"suites": [{"name": n, **asdict(s)} for n, s in found.items()]})
        return 0
    table = _table("suite", "boots", "what it shows")
    for name, suite in found.items():
        table.add_row(name, _size(suite), suite.title)
    console = out_console()
    console.print(table)
    console.print("Run one with `tierlab compare SUITE`; see docs/experiments.md.")
    return 0


def _size(suite: Suite) -> str:
    """The number of configurations times repetitions, as Campaign combines them."""
    tiered = [e for e in suite.engines if e in ENGINES and ENGINES[e].has_tiers]
    each = len(suite.tiers) * len(combined(suite)) * len(tiered)
    each += len(suite.engines) - len(tiered)
    return f"{each * len(suite.guests) * len(suite.workloads)} x {suite.runs}"


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
