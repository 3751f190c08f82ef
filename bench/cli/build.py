"""`tierlab build`: make everything that boots need, ahead of time."""

from __future__ import annotations

import time
from collections.abc import Mapping

import click
from rich import box
from rich.table import Table

from bench.base.consoles import err_console, out_console
from bench.base.places import default_cache
from bench.base.progress import duration
from bench.build.step import Step
from bench.build.times import recorded
from bench.cli.options import setting_options
from bench.engines import ENGINES
from bench.guests.names import find_guest, known_guests
from bench.harness.products import TIERS, obtain, to_build


@click.command()
@setting_options("build")
def build(guests: tuple[str, ...]) -> int:
    """Build the guests, the engines and QEMU; what is built stays cached."""
    chosen = [find_guest(name) for name in guests] or list(known_guests().values())
    wanted = [TIERS]
    for guest in chosen:
        wanted.append(guest.product)
        for engine in ENGINES.values():
            wanted += engine.products(guest.arch)
    expected = {step.name: step for step in to_build(wanted, err_console())}
    began = time.time()
    products = obtain(wanted, err_console())
    console = out_console()
    if expected:
        console.print(_times(expected, began))
    for name, path in sorted(products.items()):
        console.print(f"{name}  {path}", soft_wrap=True)
    return 0


def _times(expected: Mapping[str, Step], began: float) -> Table:
    """How long each step took, and how long it usually takes."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("built")
    for title in ("took", "usually"):
        table.add_column(title, justify="right")
    for name, taken in recorded(default_cache()).items():
        if name in expected and taken.ended >= began - 1:
            usual = duration(expected[name].minutes * 60)
            table.add_row(expected[name].title, duration(taken.seconds), usual)
    table.add_section()
    table.add_row("in all, side by side", duration(time.time() - began))
    return table
