"""A guest whose root is the disk of an image or a folder, and what it runs there.

The disk is read-only, an overlay in memory takes the writes (userland/root). The
command is the file /etc/command of a second cpio archive behind the guest's initramfs:
Linux unpacks both, so the command may be long, and the disk does not depend on it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bench.guests import cpio
from bench.guests.devices.disk import make_disk
from bench.guests.disk.ext4 import FILE_SYSTEM
from bench.guests.guest import GivenRoot, Guest, GuestFile, file_sha256
from bench.guests.images import store
from bench.guests.images.command import Command

COMMAND = "etc/command"


class Given(NamedTuple):
    """How the user named the root, and what results call it."""

    option: str
    file: str
    label: str


def with_root(
    guest: Guest, given: Given, made: store.Made, command: Command, cache: Path
) -> Guest:
    """The guest with a disk for its root; its name tells the label."""
    disk = replace(
        make_disk(made.disk, "raw", readonly=True, mount=FILE_SYSTEM), root=True
    )
    files = tuple(
        _initrd(file, command, cache) if file.role == "initrd" else file
        for file in guest.files
    )
    return replace(
        guest,
        name=f"{guest.name}+{given.label}",
        title=f"{given.label} on {guest.title}",
        files=files,
        root=GivenRoot(disk, given.option, given.file, made.digest, command.argv),
    )


def _initrd(file: GuestFile, command: Command, cache: Path) -> GuestFile:
    added = cpio.pack([cpio.directory("etc"), cpio.regular(COMMAND, command.pack())])
    first = file.path.read_bytes()
    # Linux looks for an archive behind another at a multiple of four bytes.
    padding = bytes(-len(first) % 4)
    path = store.initrd([first, padding, added], cache)
    return GuestFile("initrd", path, file_sha256(path), path.stat().st_size)
