"""What the commands share: consoles, products of a boot, JSON output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.boot.catalog import (
    GuestEntry,
    described,
    is_description,
    known_guests,
)
from bench.boot.errors import USAGE, HarnessError, unknown
from bench.boot.policies import Policy, check_policy, declared
from bench.boot.products import TIERS, obtain
from bench.devices.base import Device, Served
from bench.engines import ENGINES, find_engine
from bench.guests.catalogue import GuestError
from bench.guests.description import with_kernel
from bench.guests.guest import Guest
from bench.guests.manifest import load

# A table squeezed into the 80 columns that a pipe is taken for is no use.
PIPE_WIDTH = 140

EVERY = "*"

FAULT_HELP = (
    "Let compilation fail: every Nth module for the reason WHAT, "
    "as engine-refused, table-full or no-memory."
)
ICOUNT_HELP = "Guest clock counts instructions, 2^SHIFT ns each."


def out_console() -> Console:
    """For results."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False)


def err_console() -> Console:
    """For progress and remarks; keeps stdout clean for results."""
    return Console(stderr=True, highlight=False, markup=False)


def print_json(value: Any) -> None:
    """Machine-readable output."""
    click.echo(json.dumps(value, indent=2))


def find_guest(name: str, where: str = "") -> GuestEntry:
    """The guest of that name, or a usage error that lists them."""
    known = known_guests()
    if name not in known:
        raise unknown("guest", name, known, where)
    return known[name]


def find_any_guest(
    text: str, where: str = "", kernel: Path | None = None
) -> GuestEntry:
    """A guest by its name, or a user's own by the file that describes it.

    `kernel` takes the place of a described one; of others see other_kernel().
    """
    if is_description(text):
        return described(text, where, kernel)
    known = known_guests()
    if text not in known:
        names = [*known, "or a file NAME.toml that describes one"]
        raise unknown("guest", text, names, where)
    return known[text]


def other_kernel(entry: GuestEntry, guest: Guest, kernel: Path | None) -> Guest:
    """A guest of the project with a user's kernel, if one is given."""
    if kernel is None or entry.guest is not None:
        return guest
    try:
        return with_kernel(guest, kernel, "--kernel")
    except GuestError as error:
        raise HarnessError(str(error), status=USAGE) from error


def check_policies(specs: Iterable[str], where: str = "") -> list[Policy]:
    """Canonical policies, each once; to be done before anything long is built."""
    tiers = obtain([TIERS], err_console())[TIERS]
    checked = [check_policy(tiers, s, where) for s in _expanded(tiers, specs)]
    return list({policy.spec: policy for policy in checked}.values())


def _expanded(tiers: Path, specs: Iterable[str]) -> Iterator[str]:
    """The specs, where EVERY stands for each policy with its defaults."""
    for spec in specs:
        if spec == EVERY:
            yield from (str(p["name"]) for p in declared(tiers)["policies"])
        else:
            yield spec


def obtain_for(
    guests: Iterable[GuestEntry],
    engines: Iterable[str],
    devices: Iterable[Device] = (),
) -> tuple[dict[str, Path], dict[str, Guest]]:
    """Products of all these boots, and the guests read from theirs."""
    guests = list(guests)
    wanted = [g.product for g in guests if g.guest is None]
    for name in engines:
        for guest in guests:
            wanted += find_engine(name).products(guest.arch)
    for device in devices:
        wanted += device.products if isinstance(device, Served) else ()
    products = obtain(wanted, err_console())
    return products, {g.name: g.guest or _load(products[g.product]) for g in guests}


def _load(product: Path) -> Guest:
    try:
        guest = load(product)
        guest.verify()
    except GuestError as error:
        raise HarnessError(str(error)) from error
    return guest


def engine_names() -> list[str]:
    """Names of all engines, default first."""
    return list(ENGINES)
