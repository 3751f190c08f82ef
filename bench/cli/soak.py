"""`tierlab soak`: load and drop code in a guest for minutes, and watch the engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from bench.base.consoles import out_console
from bench.base.errors import DONE, FAILED, USAGE, TierlabError
from bench.base.files import write_json
from bench.base.interrupt import Deferred
from bench.cli.options import setting_options
from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.names import find_guest
from bench.harness.checks.soak import GROWS, STEADY, UNKNOWN, growth
from bench.harness.process.sampler import Sample
from bench.harness.products import obtain_for
from bench.harness.run.boot import Boot, Terminal, run_boot
from bench.harness.run.policies import check_policies
from bench.harness.run.provenance import shared_provenance
from bench.harness.suites.campaign import results_directory

ROUNDS = 1_000_000
# Time beyond the asked minutes: the boot comes before them, and the last round ends
# after them. Both are slow if the code cache has a small budget.
GRACE_S = 600.0
RESULT_FILE = "soak.json"

# Heading, width, and the column's name in the timeline.
_COLUMNS = (
    ("modules", 8, "modules"),
    ("installed", 12, "modules_installed"),
    ("given up", 12, "retired"),
    ("slots", 8, "slots"),
    ("TBs", 8, "tbs_live"),
    ("flushes", 8, "tb_flushes"),
)


@click.command()
@setting_options("soak")
@click.option(
    "--minutes",
    type=click.FloatRange(0, 24 * 60, min_open=True),
    default=15.0,
    show_default=True,
)
@click.option(
    "--interval",
    type=click.FloatRange(1, 3600),
    default=15.0,
    show_default=True,
    metavar="S",
    help="Between the lines shown; samples are taken each second.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the result; default results/<time>-<id>.",
)
def soak(
    guest: str,
    tier: str,
    minutes: float,
    interval: float,
    tb_size_mib: int,
    engine: str,
    out: Path | None,
) -> int:
    """Load and drop code in GUEST for minutes, and watch the engine.

    The verdict on resident memory is that it grows, that it does not grow, or
    that the run was too short to tell. Exit status 1 if it grows, or if the
    engine or the guest died.
    """
    driver = find_engine(engine)
    if not driver.has_tiers:
        raise TierlabError(f"engine '{engine}' has no tiers", status=USAGE)
    entry = find_guest(guest)
    policy = check_policies([tier])[0]
    products, guests = obtain_for([entry], [engine])
    seconds = max(1, round(minutes * 60))
    request = BootRequest(
        guest=guests[guest],
        workload=f"churn:rounds={ROUNDS},seconds={seconds}",
        tier=policy.spec,
        tb_size_mib=tb_size_mib,
        profile=policy.profile,
    )
    job = Boot(
        driver, request, products, seconds + GRACE_S, policy.facts, keep_tbs=False
    )
    directory = results_directory(out)
    console = out_console()
    console.print(f"{guest} {engine} {policy.spec}, code buffer {tb_size_mib} MiB")
    live = _Live(console, interval * 1000)
    with Deferred() as signals:
        terminal = Terminal(signals=signals, sampled=live.sample)
        result = run_boot(job, shared_provenance(), terminal)
    return _conclude(result, directory, console)


class _Live:
    """Prints a line about the engine once an interval, while the soak runs."""

    def __init__(self, console: Console, interval_ms: float) -> None:
        self._console = console
        self._interval_ms = interval_ms
        self._due_ms = 0.0
        self._mappings: int | None = None
        heads = "".join(f"{head:>{width}}" for head, width, _ in _COLUMNS)
        console.print(f"{'s':>6}{heads}{'RSS MiB':>9}{'mappings':>10}", style="bold")

    def sample(self, sample: Sample, timeline: Mapping[str, Any]) -> None:
        """Print a sample if a line is due; a sample may lack the count of mappings."""
        at_ms, rss, mappings = sample
        self._mappings = self._mappings if mappings is None else mappings
        if at_ms < self._due_ms:
            return
        self._due_ms = at_ms + self._interval_ms
        cells = "".join(
            f"{_number(timeline.get(name)):>{width}}" for _, width, name in _COLUMNS
        )
        line = f"{at_ms / 1000:6.0f}{cells}{rss:9.0f}{_number(self._mappings):>10}"
        self._console.print(line, soft_wrap=True)


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _conclude(result: dict[str, Any], directory: Path, console: Console) -> int:
    rows = result["samples"]["rows"]
    samples = [(at_ms, rss) for at_ms, rss, _ in rows]
    found = growth(samples, result["timeline"])
    result["growth"] = None if found is None else found.as_json()
    path = directory / RESULT_FILE
    write_json(path, result)
    _say_result(result, console)
    if found is None:
        console.print("Too short to tell whether memory grows; give more --minutes.")
    else:
        style = {GROWS: "red", STEADY: "green", UNKNOWN: "yellow"}[found.verdict]
        console.print(Text(found.line(), style=style), soft_wrap=True)
    console.print(f"Result: {path}", soft_wrap=True)
    good = result["ok"] and (found is None or found.verdict != GROWS)
    return DONE if good else FAILED


def _say_result(result: dict[str, Any], console: Console) -> None:
    failure = result["failure"]
    if failure is not None:
        text = f"FAILED, {failure['kind']}: {failure['message']}"
        console.print(Text(text, style="bold red"), soft_wrap=True)
    rounds = len(result["rounds"]) - 1
    wall_ms = result["resources"]["wall_ms"]
    time = "" if wall_ms is None else f" in {wall_ms / 60_000:.1f} min"
    console.print(f"{max(0, rounds)} rounds{time}")
