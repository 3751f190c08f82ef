"""Disk images that a page offers: copies, of which it fetches what the guest reads.

A guest's writes stay in the page's memory, so each boot finds the contents of the file,
as with the harness's `snapshot=on`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bench.base.errors import TierlabError
from bench.guests.devices.base import unfit
from bench.guests.devices.disk import MAX_DISKS, OPTION, Disk, parse_disk
from bench.guests.devices.images import FORMATS, Image
from bench.guests.guest import Guest
from bench.page.places import PagePlaces

GIB = 1 << 30
# The index of a larger image would have more than 8 MiB.
MAX_BYTES = 64 * GIB
# Placeholders in arguments, which the page replaces.
FILE, FORMAT, NUMBER, SERIAL = "@FILE@", "@FORMAT@", "@NUMBER@", "@SERIAL@"


def plugged(texts: Sequence[str]) -> list[Disk]:
    """The images that the user named, or a usage error."""
    disks = [_disk(text) for text in texts]
    if len(disks) > MAX_DISKS:
        raise unfit(OPTION, f"{len(disks)} are too many", f"give {MAX_DISKS}")
    names = [disk.image.path.name for disk in disks]
    for name in names:
        if names.count(name) > 1:
            why = f"two images are called {name}"
            raise unfit(OPTION, why, "the page tells them by their names: rename one")
    return disks


def _disk(text: str) -> Disk:
    asked = text.split(",")
    only_read = "readonly=on" in asked or "snapshot=on" in asked
    disk = parse_disk(text if only_read else f"{text},snapshot=on")
    path = disk.image.path
    if disk.image.backing:
        why = f"{path} has a backing file, which a page has not"
        raise unfit(OPTION, why, "flatten it: qemu-img convert -O qcow2")
    size = path.stat().st_size
    if size > MAX_BYTES:
        why = f"{path} has {size // GIB} GiB, more than {MAX_BYTES // GIB}"
        raise unfit(OPTION, why, "convert it to qcow2, which has no holes")
    return disk


def template(guest: Guest) -> list[str] | None:
    """QEMU's arguments for a disk, if the machine has a place for one."""
    path = Path("/disks/NAME.raw")
    disk = Disk(Image(path, FORMATS[0], 0))
    try:
        words = disk.qemu_arguments(guest.arch, guest.machine, PagePlaces())
    except TierlabError:
        return None
    for old, new in (
        (re.escape(str(path)), FILE),
        (f"format={FORMATS[0]}", f"format={FORMAT}"),
        ("serial=NAME", f"serial={SERIAL}"),
        ("disk-[0-9a-f]{12}", f"disk-{NUMBER}"),
    ):
        words = [re.sub(old, new, word) for word in words]
    return words
