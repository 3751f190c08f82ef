"""Write and read cpio archives in "newc", the format of Linux initramfs.

The writer is reproducible: entries sorted by name, time 0, owner root, inode
numbers counted from 1. Device nodes need no privilege: a node is a number in a
header. The reader exists so that tests can check what the writer wrote.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAGIC = b"070701"
HEADER_BYTES = 6 + 13 * 8
TRAILER = "TRAILER!!!"
NAME_LIMIT = 4096  # Linux ignores the entry of a longer name


class CpioError(ValueError):
    """An entry that cannot be stored, or an archive that is not newc."""


@dataclass(frozen=True)
class Entry:
    """One file of an archive; `data` is the contents, or a symbolic link's target."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(name: str, permissions: int = 0o755) -> Entry:
    return Entry(name, stat.S_IFDIR | permissions)


def regular(name: str, data: bytes, permissions: int = 0o644) -> Entry:
    return Entry(name, stat.S_IFREG | permissions, data)


def symlink(name: str, target: str) -> Entry:
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def character_device(
    name: str, major: int, minor: int, permissions: int = 0o600
) -> Entry:
    return Entry(name, stat.S_IFCHR | permissions, device=(major, minor))


def _padding(length: int) -> bytes:
    return b"\0" * (-length % 4)


def _pack(entry: Entry, inode: int) -> bytes:
    name = entry.name.encode() + b"\0"
    fields = (
        inode,
        entry.mode,
        0,  # owner
        0,  # group
        2 if stat.S_ISDIR(entry.mode) else 1,  # links
        0,  # time
        len(entry.data),
        0,  # device that holds the file
        0,
        *entry.device,
        len(name),
        0,  # checksum, unused in newc
    )
    header = MAGIC + b"".join(b"%08x" % field for field in fields) + name
    return header + _padding(len(header)) + entry.data + _padding(len(entry.data))


def pack(entries: Iterable[Entry]) -> bytes:
    """The archive of `entries`, which must name every directory in use."""
    members = sorted(entries, key=lambda entry: entry.name)
    directories = {""}
    seen: set[str] = set()
    for entry in members:
        if (
            not entry.name
            or entry.name.startswith("/")
            or entry.name == TRAILER
            or len(entry.name.encode()) >= NAME_LIMIT
        ):
            raise CpioError(f"{entry.name!r} cannot be a name in a cpio archive")
        if entry.name in seen:
            raise CpioError(f"{entry.name} is in the archive twice")
        seen.add(entry.name)
        parent = entry.name.rpartition("/")[0]
        if parent not in directories:
            raise CpioError(f"{entry.name} has no directory {parent} in the archive")
        if stat.S_ISDIR(entry.mode):
            directories.add(entry.name)
    body = b"".join(_pack(entry, inode) for inode, entry in enumerate(members, start=1))
    body += _pack(Entry(TRAILER, 0), 0)
    return body + b"\0" * (-len(body) % 512)


def unpack(archive: bytes) -> Iterator[Entry]:
    """The entries of `archive` in its order."""
    at = 0
    while True:
        header = archive[at : at + HEADER_BYTES]
        if len(header) < HEADER_BYTES or header[:6] != MAGIC:
            raise CpioError(f"no newc header at byte {at}")
        try:
            fields = [int(header[6 + 8 * i : 14 + 8 * i], 16) for i in range(13)]
        except ValueError as error:
            raise CpioError(f"bad number in the header at byte {at}") from error
        mode, size, name_size = fields[1], fields[6], fields[11]
        name_at = at + HEADER_BYTES
        data_at = name_at + name_size
        data_at += -data_at % 4
        at = data_at + size
        if name_size < 1 or at > len(archive):
            raise CpioError("the archive is cut off")
        name = archive[name_at : name_at + name_size - 1].decode()
        if name == TRAILER:
            return
        yield Entry(name, mode, archive[data_at:at], (fields[9], fields[10]))
        at += -at % 4
