"""Makes a page from the names of guests: the part that `serve` and `page` share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.base.consoles import err_console
from bench.base.errors import USAGE, TierlabError
from bench.base.places import default_cache
from bench.build.recipes.page import PRODUCT as LIBRARIES
from bench.engines.node import product_versions
from bench.guests.devices.base import unfit
from bench.guests.devices.disk import Disk
from bench.guests.devices.network import PRODUCT as RELAY
from bench.guests.devices.network import Network
from bench.guests.devices.share import OPTION as SHARE
from bench.guests.devices.share import parse_share
from bench.guests.guest import Guest
from bench.guests.names import GuestEntry, find_any_guest, known_guests
from bench.harness.products import TIERS, obtain, obtain_for, product_variable, there
from bench.harness.run.equip import root_disks, root_products
from bench.harness.run.images import ChosenRoot, default_guest
from bench.harness.run.policies import declared
from bench.harness.run.provenance import shared_provenance
from bench.page import snapshots as saved
from bench.page.folders import Packed, pack
from bench.page.site import Contents, SiteBuilder

# The guest that is built if no guest is named; the page offers the first guest first.
DEFAULT_GUEST = "riscv64-tiny"


def program_product(arch: str) -> str:
    """The product with QEMU for a guest's architecture."""
    return f"qemu-wasm-{arch}"


def chosen(
    names: Sequence[str],
    machines: Sequence[saved.Offered] = (),
    roots: Sequence[tuple[GuestEntry, ChosenRoot]] = (),
) -> list[GuestEntry]:
    """The guests that the user named, and those of saved machines.

    If the user named none, the default guest and all guests that are built already; if
    there are images, none but these.
    """
    entries = [] if roots and not names else _chosen(names)
    there = [entry.name for entry in entries]
    there += [root.named(entry.name) for entry, root in roots]
    needed = [one.snapshot.facts.guest for one in machines]
    return entries + [
        find_any_guest(name) for name in dict.fromkeys(needed) if name not in there
    ]


def _chosen(names: Sequence[str]) -> list[GuestEntry]:
    if names:
        return [find_any_guest(name) for name in dict.fromkeys(names)]
    known = known_guests()
    wanted = {e.product for e in known.values()}
    wanted |= {program_product(e.arch) for e in known.values() if e.spec}
    # A developer may override the program of an architecture that no recipe builds.
    programs = (program_product(e.arch) for e in known.values())
    wanted |= {name for name in programs if product_variable(name) in os.environ}
    built = there(sorted(wanted), err_console())
    return [
        entry
        for name, entry in known.items()
        if name == DEFAULT_GUEST
        or (entry.product in built and program_product(entry.arch) in built)
    ]


def rooted(
    names: Sequence[str], roots: Sequence[ChosenRoot]
) -> list[tuple[GuestEntry, ChosenRoot]]:
    """The guests that the page offers with the root of an image or a folder."""
    found = []
    for root in roots:
        own = names or [default_guest(root)]
        entries = root.fitting([find_any_guest(name) for name in dict.fromkeys(own)])
        found += [(entry, root) for entry in entries]
    labels = [root.named(entry.name) for entry, root in found]
    for label in labels:
        if labels.count(label) > 1:
            what = f"two guests of the page would be called {label}"
            raise TierlabError(what, next_step="rename a file", status=USAGE)
    return found


def shared(texts: Sequence[str]) -> list[Packed]:
    """Pack the folders that the user named; refuse two folders with the same tag."""
    shares = [parse_share(text, copied=True) for text in texts]
    tags = [share.tag for share in shares]
    for tag in tags:
        if tags.count(tag) > 1:
            why = f"two folders have the tag '{tag}'"
            raise unfit(SHARE, why, "give one another tag=NAME")
    return [pack(share) for share in shares]


def contents(
    guests: Iterable[GuestEntry],
    folders: Sequence[Packed] = (),
    network: Network | None = None,
    machines: Sequence[saved.Offered] = (),
    disks: Sequence[Disk] = (),
    workloads: Sequence[str] = (),
    roots: Sequence[tuple[GuestEntry, ChosenRoot]] = (),
) -> Contents:
    """The parts of the page; builds what is missing.

    `workloads` are those whose programs the page offers, on each guest that has them.
    """
    entries = list(guests)
    products, found = obtain_for([*entries, *(entry for entry, _ in roots)], [])
    program_disks = _program_disks(entries, found, workloads)
    rooted_guests = [root.on(entry, found[entry.name]) for entry, root in roots]
    offered = [*rooted_guests, *(found[entry.name] for entry in entries)]
    arches = {guest.arch for guest in offered}
    wanted = {arch: program_product(arch) for arch in arches}
    products |= obtain([*wanted.values(), LIBRARIES, TIERS], err_console())
    qemu = {
        arch: product_versions(products[name]).get("qemu", "")
        for arch, name in wanted.items()
    }
    saved.check(machines, offered, qemu, network)
    return Contents(
        guests=tuple(offered),
        programs={arch: products[name] for arch, name in wanted.items()},
        libraries=products[LIBRARIES],
        tiers=declared(products[TIERS]),
        provenance={"git": shared_provenance()["git"]},
        folders=tuple(folders),
        disks=tuple(disks),
        roots=program_disks,
        network=network,
        machines=tuple(machines),
    )


def _program_disks(
    entries: Iterable[GuestEntry], guests: Mapping[str, Guest], workloads: Sequence[str]
) -> dict[str, dict[str, Disk]]:
    """The disks with the workloads' programs, for the guests that can have them."""
    found: dict[str, dict[str, Disk]] = {}
    refusal: TierlabError | None = None
    for entry in entries:
        try:
            wanted = [] if entry.guest else root_products(entry, workloads)
        except TierlabError as error:
            refusal = error
            continue
        if wanted:
            products = obtain(wanted, err_console())
            found[entry.name] = root_disks(guests[entry.name], products, workloads)
    if refusal is not None and not found:
        raise refusal
    return found


@contextmanager
def relayed(network: Network | None) -> Iterator[str | None]:
    """Run a relay for the guests' network, if there is one; gives its address."""
    if network is None:
        yield None
        return
    with network.relayed(obtain([RELAY], err_console())) as url:
        yield url


def write_site(out: Path, made_of: Contents) -> None:
    """Fill an empty directory with the page."""
    SiteBuilder(out, default_cache()).build(made_of)
