"""A folder of the host as two files of a page: a list of the folder's entries, and the
contents of all its files one after another.

The page puts the folder into QEMU's memory, so the folder must be small. pack() refuses
an entry that cannot be the same in a page: a link that leads out of the folder, a
device.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.guests.devices.base import unfit
from bench.guests.devices.share import OPTION, Share

MIB = 1 << 20
MAX_BYTES = 256 * MIB
MAX_ENTRIES = 20_000


@dataclass(frozen=True)
class Packed:
    """A folder in the form that a page loads."""

    share: Share
    # The list of entries in JSON; the page's folders.mjs reads it.
    index: bytes
    data: bytes
    files: int


def pack(share: Share) -> Packed:
    """Pack the whole folder, or raise a usage error."""
    entries: list[dict[str, Any]] = []
    contents: list[bytes] = []
    size = 0
    for path in _below(share.path):
        facts = path.lstat()
        entry: dict[str, Any] = {
            "path": path.relative_to(share.path).as_posix(),
            "mtime": facts.st_mtime_ns // 1_000_000 / 1000,
        }
        kind = stat.S_IFMT(facts.st_mode)
        if kind == stat.S_IFLNK:
            entry["target"] = _target(share, path)
        elif kind == stat.S_IFREG:
            data = _read(path, MAX_BYTES - size)
            entry |= {"mode": stat.S_IMODE(facts.st_mode), "at": size}
            entry["size"] = len(data)
            size += len(data)
            contents.append(data)
        elif kind == stat.S_IFDIR:
            entry["mode"] = stat.S_IMODE(facts.st_mode)
        else:
            why = f"{path} is no file, folder or link"
            raise unfit(OPTION, why, "a page has only these: remove it")
        _check_name(path, entry)
        entries.append(entry)
        if len(entries) > MAX_ENTRIES:
            why = f"{share.path} has more than {MAX_ENTRIES} files"
            raise unfit(OPTION, why, "share a part of it, or pack it in the guest")
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    return Packed(share, text, b"".join(contents), len(entries))


def _below(folder: Path) -> Iterator[Path]:
    """All entries in a fixed order, each folder before its contents."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise _unreadable(folder, error) from error
    for name in names:
        path = folder / name
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)


def _read(path: Path, room: int) -> bytes:
    try:
        # The caller found a file here; O_NOFOLLOW refuses a link that replaced it.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            data = file.read(room + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > room:
        why = f"with {path} it has more than {MAX_BYTES // MIB} MiB"
        raise unfit(OPTION, why, "share a part of it: a page holds it in memory")
    return data


def _target(share: Share, path: Path) -> str:
    """The target of a link, which must be in the folder."""
    target = os.readlink(path)
    leads = Path(os.path.normpath(path.parent / target))
    if os.path.isabs(target) or not leads.is_relative_to(share.path):
        why = f"{path} is a link out of the folder, to {target}"
        raise unfit(OPTION, why, "put a copy in its place")
    return target


def _check_name(path: Path, entry: dict[str, Any]) -> None:
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode(errors="replace")
        raise unfit(OPTION, f"the name {shown} is not UTF-8", "rename it") from error


def _unreadable(path: Path, error: OSError) -> Exception:
    why = f"{path} may not be read: {error.strerror or error}"
    return unfit(OPTION, why, "see its permissions")
