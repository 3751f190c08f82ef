"""Finds products: those that the set-up builds, and those that a developer provides.

TIERLAB_PRODUCT_<NAME> (upper case, `-` as `_`) names a directory to use instead of
building that product. A developer can so work on one part and leave the others fixed:
    TIERLAB_PRODUCT_GUEST_RISCV64_TINY=/some/where tierlab boot riscv64-tiny
Results record the directory's name in place of the product's key.
With TIERLAB_BUILDING=off, a product that would have to be built is an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rich.console import Console

from bench.base.consoles import err_console
from bench.base.errors import TierlabError
from bench.base.places import ROOT, default_cache
from bench.build.step import Step
from bench.build.store import Store
from bench.engines import find_engine
from bench.guests.catalogue import GuestError
from bench.guests.devices.base import Device, Served
from bench.guests.guest import Guest
from bench.guests.manifest import load
from bench.guests.names import GuestEntry
from bench.harness.run.equip import root_products

TIERS = "tiers-native"
BUILDING = "TIERLAB_BUILDING"
PRODUCT_PREFIX = "TIERLAB_PRODUCT_"


@cache
def steps() -> dict[str, Step]:
    """Every step there is, by the name of its product."""
    # Import late: recipes ask dpkg for versions, and a run whose products are all
    # overridden must not need dpkg.
    from bench.build import recipes
    from bench.guests import recipe

    found: dict[str, Step] = {}
    for step in (*recipes.STEPS, *recipe.STEPS):
        if step.name in found:
            raise ValueError(f"two recipes make {step.name}")
        found[step.name] = step
    return found


def product_variable(name: str) -> str:
    """The variable that overrides a product."""
    return f"{PRODUCT_PREFIX}{name.upper().replace('-', '_')}"


def obtain(names: Iterable[str], console: Console) -> dict[str, Path]:
    """The directories of the named products; builds the missing ones."""
    found: dict[str, Path] = {}
    wanted: list[str] = []
    for name in dict.fromkeys(names):
        variable = product_variable(name)
        override = os.environ.get(variable)
        if override is None:
            wanted.append(name)
            continue
        found[name] = Path(override)
        if not found[name].is_dir():
            raise TierlabError(
                f"{variable} names no directory", override, "correct or unset it"
            )
    if wanted and os.environ.get(BUILDING) == "off":
        _refuse_to_build(wanted, console)
    if wanted:
        found.update(_store(console).ensure(wanted))
    return found


def to_build(names: Iterable[str], console: Console) -> list[Step]:
    """The steps that obtaining these products would run."""
    wanted = [name for name in names if product_variable(name) not in os.environ]
    return _store(console).missing(wanted)


def _refuse_to_build(wanted: list[str], console: Console) -> None:
    missing = [step.title for step in _store(console).missing(wanted)]
    if missing:
        raise TierlabError(
            f"{', '.join(missing)} would have to be built",
            f"{BUILDING}=off forbids it, as in tests",
            "name the product in bench/cli/stages.py, or unset the variable",
        )


def install(groups: Iterable[str], console: Console) -> None:
    """Install these groups of packages.txt, unless they are installed."""
    _store(console).install(groups)


def there(names: Iterable[str], console: Console) -> dict[str, Path]:
    """The directories of those products that are built or overridden already."""
    found = {name: os.environ.get(product_variable(name)) for name in names}
    own = {name: Path(path) for name, path in found.items() if path is not None}
    built = _store(console).present(name for name in found if name not in own)
    return {**own, **built}


def products_for(
    guests: Iterable[GuestEntry],
    engines: Iterable[str],
    devices: Iterable[Device] = (),
    workloads: Iterable[str] = (),
) -> list[str]:
    """Names of the products that all these boots need, each once."""
    guests, workloads = list(guests), list(workloads)
    wanted = [g.product for g in guests if g.guest is None]
    for name in engines:
        for guest in guests:
            wanted += find_engine(name).products(guest.arch)
    for guest in guests:
        wanted += root_products(guest, workloads)
    for device in devices:
        wanted += device.products if isinstance(device, Served) else ()
    return list(dict.fromkeys(wanted))


def obtain_for(
    guests: Iterable[GuestEntry],
    engines: Iterable[str],
    devices: Iterable[Device] = (),
    workloads: Iterable[str] = (),
) -> tuple[dict[str, Path], dict[str, Guest]]:
    """The products of all these boots, and the guests, read from their products."""
    guests = list(guests)
    wanted = products_for(guests, engines, devices, workloads)
    products = obtain(wanted, err_console())
    return products, {g.name: g.guest or _load(products[g.product]) for g in guests}


def _load(product: Path) -> Guest:
    try:
        guest = load(product)
        guest.verify()
    except GuestError as error:
        raise TierlabError(str(error)) from error
    return guest


def _store(console: Console) -> Store:
    return Store(steps(), ROOT, default_cache(), console)
