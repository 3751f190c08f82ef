"""`tierlab bench`: the parts alone, natively and in the engine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from bench.base.consoles import err_console, out_console
from bench.base.errors import DONE, FAILED, USAGE, TierlabError, unknown
from bench.base.files import write_json
from bench.cli.options import setting_options
from bench.engines import ENGINES as ALL_ENGINES
from bench.engines import find_engine
from bench.engines.browser import BrowserEngine
from bench.harness.products import obtain
from bench.harness.run.provenance import shared_provenance
from bench.harness.suites.campaign import results_directory
from bench.micro.page.visits import InBrowser
from bench.micro.report import Measured, measured, short_name, tables
from bench.micro.run import FULL, QUICK, Effort, InNode, Native, Outcome
from bench.micro.targets import Target, read_targets

BROWSERS = {e.name: e for e in ALL_ENGINES.values() if isinstance(e, BrowserEngine)}
ENGINES = ("node", *BROWSERS)
FILE = "bench.json"
# Benchmarks with 65536 live TBs take most of the time and tell little that is new.
NOT_QUICK = "live:65536"

Program = Native | InNode | InBrowser
Plan = list[tuple[Program, list[str]]]


@click.command()
@click.argument("pattern", metavar="[FILTER]", required=False)
@click.option("--native", is_flag=True, help="Only what runs natively.")
@setting_options("bench")
@click.option("--quick", is_flag=True, help="Less of everything, in about two minutes.")
@click.option("--list", "only_list", is_flag=True, help="Print the names and leave.")
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the results there instead of into a directory.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the results; default results/<time>-<id>.",
)
@click.option(
    "--targets",
    "targets_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Show whether the limits in this file are met.",
)
def bench(
    pattern: str | None,
    native: bool,
    engines: tuple[str, ...],
    quick: bool,
    only_list: bool,
    json_file: Path | None,
    out: Path | None,
    targets_file: Path | None,
) -> int:
    """Measure emitter, interpreter and policies, and new code in the engine.

    FILTER is a regular expression; names that match anywhere are run.  Results
    are in google-benchmark's JSON, with our provenance in its context.  In a
    browser, it is the page of `tierlab serve` that is measured; browsers are left
    out if nothing is named.  Targets that are missed do not change the exit status.
    """
    targets = read_targets(targets_file) if targets_file is not None else []
    for name in engines:
        if name not in ENGINES:
            raise unknown("engine", name, ENGINES)
    browsers = [InBrowser(BROWSERS[n]) for n in dict.fromkeys(engines) if n in BROWSERS]
    products = obtain(_wanted(native, engines), err_console())
    plan = _plan(products, browsers, pattern, quick)
    console = out_console()
    if only_list:
        for _, names in plan:
            for name in names:
                console.print(short_name(name), soft_wrap=True)
        return DONE
    target = json_file if json_file is not None else results_directory(out) / FILE
    outcome = _run(plan, QUICK if quick else FULL)
    used = ["node"] if "node" in products else []
    used += [browser.engine.name for browser in browsers]
    write_json(target, _document(outcome, products, used, quick))
    found = measured(outcome.rows)
    _report(found, targets, console)
    console.print(f"Results: {target}", soft_wrap=True)
    return FAILED if any(one.error for one in found) or not found else DONE


def _wanted(native: bool, engines: Sequence[str]) -> list[str]:
    """Products of the chosen programs; with no choice, of all but the browsers."""
    wanted = []
    if native or not engines:
        wanted.append("micro-native")
    if "node" in engines or not (native or engines):
        wanted += ["node", "micro-wasm"]
    if any(name in BROWSERS for name in engines):
        wanted += InBrowser.products()
    return list(dict.fromkeys(wanted))


def _plan(
    products: Mapping[str, Path],
    browsers: Sequence[InBrowser],
    pattern: str | None,
    quick: bool,
) -> Plan:
    try:
        chosen = re.compile(pattern or "")
    except re.error as error:
        raise TierlabError(
            f"the filter '{pattern}' is no regular expression", str(error), status=USAGE
        ) from error
    programs: list[Program] = []
    if "micro-native" in products:
        programs.append(Native(products["micro-native"]))
    if "micro-wasm" in products:
        programs.append(InNode(products["micro-wasm"], products["node"]))
    programs += browsers
    known = [(program, program.names()) for program in programs]
    plan = [
        (program, [n for n in names if chosen.search(short_name(n))])
        for program, names in known
    ]
    if not any(names for _, names in plan):
        parts = {"/".join(short_name(n).split("/")[:2]) for _, ns in known for n in ns}
        raise unknown("benchmark", pattern or "", [*sorted(parts), "or see --list"])
    if quick:
        plan = [
            (program, [n for n in names if NOT_QUICK not in n] or names)
            for program, names in plan
        ]
    return [(program, names) for program, names in plan if names]


def _run(plan: Plan, effort: Effort) -> Outcome:
    outcome = Outcome()
    progress = Progress(
        TextColumn("{task.completed}/{task.total}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=err_console(),
        refresh_per_second=2,
    )
    total = sum(len(names) for _, names in plan)
    with progress:
        task = progress.add_task("microbenchmarks", total=total)

        def done(name: str) -> None:
            progress.update(task, advance=1, description=name)

        for program, names in plan:
            program.run(names, effort, done, outcome)
    return outcome


def _document(
    outcome: Outcome, products: Mapping[str, Path], used: Sequence[str], quick: bool
) -> dict[str, Any]:
    """The report in google-benchmark's format; our own facts are under `tierlab`."""
    ours: dict[str, Any] = {
        **shared_provenance(),
        "products": {name: path.name for name, path in sorted(products.items())},
        "load_average": list(os.getloadavg()),
        "quick": quick,
        "engines": {name: find_engine(name).version("", products) for name in used},
    }
    return {
        "context": {**outcome.context, "tierlab": ours},
        "benchmarks": outcome.rows,
    }


def _report(
    found: Sequence[Measured], targets: Sequence[Target], console: Console
) -> None:
    for table in tables(found):
        console.print(table)
    console.print(
        "Medians over repetitions; spread: distance of the quartiles, of the first "
        "column. Input: synthetic TBs after a riscv64 boot (bench/micro/"
        "tb-mix.h and boot-events.h).",
        style="dim",
    )
    console.print()
    for verdict in (target.verdict(found) for target in targets):
        style = {True: "green", False: "yellow", None: "dim"}[verdict.met]
        console.print(Text(verdict.line(), style=style), soft_wrap=True)
