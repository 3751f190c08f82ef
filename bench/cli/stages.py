"""What `tierlab test` will do: its products, its stages, and how long they take.

Tests build no products: this module names all products that tests need, and `tierlab
test` obtains them before the first test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.build.recipes.container import PRODUCT as CONTAINER
from bench.build.recipes.linters import PRODUCT as LINTERS
from bench.build.recipes.page import PRODUCT as PAGE_LIBRARIES
from bench.build.schedule import Schedule
from bench.build.step import Step
from bench.build.times import Taken, record
from bench.engines import ENGINES
from bench.engines.browser import DRIVER
from bench.guests.names import EVERY_MACHINE, find_guest, known_guests
from bench.harness.products import TIERS
from bench.harness.run.equip import root_products

STYLE = "Style and types"
SANITIZED = "C tests with sanitizers"
DIFFERENTIAL = "Differential tests in Node"
PYTHON = "Python tests"
GUESTS = "Guest tests"
ALL_GUESTS = "Guest tests, the whole matrix"

# Expected minutes on two cores, used until this machine's own times are known.
MINUTES = {
    STYLE: 1.0,
    SANITIZED: 4.0,
    DIFFERENTIAL: 3.0,
    PYTHON: 6.0,
    GUESTS: 25.0,
    ALL_GUESTS: 240.0,
}

# Groups of packages.txt that the tests need.
PACKAGES = ("tests", "figures", "browsers", "npm")

_RELAY = "relay"


def wanted_products(quick: bool, full: bool = False) -> list[str]:
    """All products that the tests use."""
    wanted = [TIERS, "node", _RELAY, DRIVER, LINTERS, PAGE_LIBRARIES, CONTAINER]
    if not quick:
        # for images, as the tiny kernels have no overlayfs
        wanted.append(find_guest("riscv64-debian").product)
        for name in known_guests() if full else EVERY_MACHINE:
            guest = find_guest(name)
            wanted.append(guest.product)
            for engine in ENGINES.values():
                if full or engine.name != "v86":
                    wanted += engine.products(guest.arch)
        # bench/harness/tests/test_guest_programs.py
        with_programs = find_guest("riscv64-debian")
        wanted += [with_programs.product, *root_products(with_programs, ["lua"])]
    return list(dict.fromkeys(wanted))


def show_plan(
    console: Console,
    missing: Sequence[Step],
    stages: Iterable[str],
    known: Mapping[str, Taken],
) -> None:
    """What will be built and tested, and about how many minutes each part takes."""
    table = Table(title="Plan", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column("about minutes", justify="right")
    total = Schedule(missing).minutes() if missing else 0.0
    for step in missing:
        table.add_row(f"build {step.title}", _shown(step.minutes))
    if missing:
        table.add_row(f"{len(missing)} products, side by side", _shown(total))
        table.add_section()
    for title in stages:
        taken = known.get(_key(title))
        minutes = taken.seconds / 60 if taken else MINUTES[title]
        total += minutes
        table.add_row(title, _shown(minutes))
    table.add_section()
    table.add_row("in all", _shown(total), style="bold")
    console.print(table)


def keep_time(cache: Path, title: str, seconds: float) -> None:
    """How long a stage took, for the next plan."""
    record(cache, _key(title), seconds)


def _key(title: str) -> str:
    return f"stage: {title}"


def _shown(minutes: float) -> str:
    return f"{minutes:.0f}" if minutes >= 1 else f"{minutes:.1f}"
