"""`tierlab build`: make everything that boots need, ahead of time."""

from __future__ import annotations

import click

from bench.base.consoles import err_console, out_console
from bench.engines import ENGINES
from bench.guests.names import find_guest, known_guests
from bench.harness.products import TIERS, obtain


@click.command()
@click.option(
    "--guest",
    "names",
    multiple=True,
    metavar="G",
    help="Only what this guest needs; repeatable.",
)
def build(names: tuple[str, ...]) -> int:
    """Build the guests, the engines and QEMU; what is built stays cached."""
    chosen = [find_guest(name) for name in names] or list(known_guests().values())
    wanted = [TIERS]
    for guest in chosen:
        wanted.append(guest.product)
        for engine in ENGINES.values():
            wanted += engine.products(guest.arch)
    products = obtain(wanted, err_console())
    console = out_console()
    for name, path in sorted(products.items()):
        console.print(f"{name}  {path}", soft_wrap=True)
    return 0
