"""What a boot needs beside its devices: disks with root file systems, memory.

The harness plugs these disks in by itself. They are read-only, and follow the disks
that the user plugs in, so that these keep their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bench.base.errors import USAGE, TierlabError
from bench.engines.base import BootRequest
from bench.guests.catalogue import memory_of, roots_of
from bench.guests.devices.base import virtio_bus
from bench.guests.devices.disk import Disk, make_disk
from bench.guests.disk.ext4 import FILE_SYSTEM
from bench.guests.guest import Guest
from bench.guests.names import GuestEntry, known_guests
from bench.guests.roots import programs

OPTION = "--workload"


def roots(workloads: Iterable[str]) -> list[str]:
    """The root file systems that these workloads need, each once."""
    return list(dict.fromkeys(root for w in workloads for root in roots_of(w)))


def root_products(entry: GuestEntry, workloads: Iterable[str]) -> list[str]:
    """The products with the disks; a usage error if the guest cannot have them."""
    wanted = roots(workloads)
    if not wanted:
        return []
    land = _land(entry.name, entry.arch)
    if land not in programs.ARCHES:
        raise TierlabError(
            f"{OPTION}: there are no programs for {entry.name}",
            next_step=f"choose a guest of {', '.join(programs.ARCHES)}",
            status=USAGE,
        )
    if not entry.has_overlays:
        raise TierlabError(
            f"{OPTION}: the kernel of guest '{entry.name}' has no overlayfs, which the "
            "programs' disk needs",
            next_step=f"name a guest with Debian's kernel, as {land}-debian",
            status=USAGE,
        )
    if entry.machine:
        virtio_bus(entry.machine, "the disk of that workload", OPTION)
    return [programs.product(land, root) for root in wanted]


def root_disks(
    guest: Guest, products: Mapping[str, Path], workloads: Iterable[str]
) -> dict[str, Disk]:
    """The disks of these workloads for a guest, by the names of their roots."""
    land = _land(guest.name.partition("+")[0], guest.arch)
    return {
        root: _disk(products[programs.product(land, root)], land, root)
        for root in roots(workloads)
    }


def equipped(
    request: BootRequest,
    products: Mapping[str, Path],
    workloads: Iterable[str] | None = None,
) -> BootRequest:
    """The request with what its workload needs, or all of `workloads`.

    `products` has the products that root_products() names. Memory that the user asked
    for stays as it is.
    """
    if request.guest.root is not None:
        root = request.guest.root.disk
        request = replace(request, devices=(*request.devices, root))
    wanted = [request.workload] if workloads is None else list(workloads)
    if not roots(wanted):
        return request
    disks = root_disks(request.guest, products, wanted).values()
    memory = max(request.guest.memory_mib, *map(memory_of, wanted))
    return replace(
        request,
        devices=(*request.devices, *disks),
        memory_mib=request.memory_mib or memory,
    )


def _disk(product: Path, land: str, root: str) -> Disk:
    image = programs.image(product, land, root)
    disk = make_disk(image, "raw", readonly=True, mount=FILE_SYSTEM, option=OPTION)
    return replace(disk, root=True)


def _land(guest: str, arch: str) -> str:
    """The architecture of a guest's programs."""
    entry = known_guests().get(guest)
    return entry.spec.userland if entry and entry.spec else arch
