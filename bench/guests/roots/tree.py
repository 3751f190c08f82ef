"""A root file system as a list of entries, put together from archives.

No file of it is made on this machine: names, owners and devices in an archive are
data, whoever wrote the archive. Contents stay in the archives until write() copies
them into one archive, which mke2fs turns into a disk (ext4.py).
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

# The time of every entry, and of the file system: 1 January 2025. Guests' clocks
# begin later, so make does not find files of the future.
TIME = 1735689600
# Links on the way to a file; more of them are a loop, as for Linux.
_MAX_LINKS = 40


class TreeError(ValueError):
    """An archive does not fit the tree: one line that says why."""


@dataclass(frozen=True)
class Entry:
    """One entry; a file has its contents as bytes, or by place in an archive."""

    kind: bytes  # tarfile's type
    mode: int
    uid: int = 0
    gid: int = 0
    target: str = ""  # of a link
    data: bytes = b""
    archive: Path | None = None
    offset: int = 0
    size: int = 0
    device: tuple[int, int] = (0, 0)
    time: int = TIME


def directory(mode: int = 0o755) -> Entry:
    """A folder."""
    return Entry(tarfile.DIRTYPE, mode)


def link(target: str) -> Entry:
    """A symbolic link."""
    return Entry(tarfile.SYMTYPE, 0o777, target=target)


def file(data: bytes, mode: int = 0o644) -> Entry:
    """A regular file."""
    return Entry(tarfile.REGTYPE, mode, data=data, size=len(data))


class Tree:
    """Entries by their paths, which are relative to the root."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def put(self, path: str, entry: Entry) -> str:
        """Add or replace an entry; gives the path at which it is.

        Links in the folders above are followed, inside the tree. Missing folders are
        made. A folder keeps what is in it when it comes again, and a link to a folder
        stays when a folder comes in its place, as in Debian's packages.
        """
        parent, name = self._split(path)
        place = "/".join([*self._folder(parent), name])
        if entry.kind == tarfile.DIRTYPE:
            there = self._follow(place)
            if there is not None and self.entries[there].kind == tarfile.DIRTYPE:
                if there == place:
                    self.entries[place] = entry
                return there
        if entry.kind == tarfile.LNKTYPE:
            entry = self._same_file(place, entry)
        if self._is_folder(place):
            self.remove(place)
        self.entries[place] = entry
        return place

    def remove(self, path: str) -> None:
        """Remove an entry and all that is below it."""
        below = f"{path}/"
        for name in [n for n in self.entries if n == path or n.startswith(below)]:
            del self.entries[name]

    def add_archive(
        self, archive: Path, wanted: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Add the entries of a tar archive whose paths are wanted."""
        try:
            with tarfile.open(archive, "r:") as opened:
                for member in opened:
                    path = plain(member.name)
                    if path and wanted(path):
                        self.put(path, _entry(member, archive))
        except (tarfile.TarError, EOFError, UnicodeError) as error:
            raise TreeError(f"{archive.name} cannot be read: {error}") from error

    def write(self, out: Path) -> None:
        """Write the tree as a tar archive: sorted, so that equal trees are equal.

        Names of one file in an archive are names of one file again.
        """
        opened: dict[Path, IO[bytes]] = {}
        first: dict[Entry, str] = {}
        try:
            with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
                for path in sorted(self.entries):
                    entry = self.entries[path]
                    if entry.archive is not None:
                        name = first.setdefault(entry, path)
                        if name != path:
                            entry = Entry(tarfile.LNKTYPE, entry.mode, target=name)
                    archive.addfile(_member(path, entry), _contents(entry, opened))
        finally:
            for one in opened.values():
                one.close()

    def find(self, path: str) -> Entry | None:
        """The entry to which a path leads, links followed inside the tree."""
        try:
            place = self._follow(plain(path))
        except TreeError:
            return None
        return None if place is None else self.entries.get(place)

    def _same_file(self, place: str, entry: Entry) -> Entry:
        """The file that a hard link names: both names have an equal entry."""
        target = self._follow(plain(entry.target))
        found = None if target is None else self.entries.get(target)
        if found is None or found.kind == tarfile.DIRTYPE:
            raise TreeError(f"{place} is a hard link to {entry.target}, which is not")
        return found

    def _folder(self, path: str) -> list[str]:
        """The names of a folder, links followed; the folder is made if missing."""
        place = self._follow(path) if path else ""
        if place is None:
            above, name = self._split(path)
            place = "/".join([*self._folder(above), name])
            self.entries[place] = directory()
        if place and self.entries[place].kind != tarfile.DIRTYPE:
            raise TreeError(f"{path} is no folder, but something is in it")
        return place.split("/") if place else []

    def _follow(self, path: str, links: int = 0) -> str | None:
        """Where a path leads; None if there is nothing."""
        done: list[str] = []
        names = [n for n in path.split("/") if n not in ("", ".")]
        while names:
            name = names.pop(0)
            if name == "..":
                done = done[:-1]
                continue
            place = "/".join([*done, name])
            entry = self.entries.get(place)
            if entry is None:
                return None
            if entry.kind == tarfile.SYMTYPE:
                links += 1
                if links > _MAX_LINKS:
                    raise TreeError(f"{path} leads through a loop of links")
                if entry.target.startswith("/"):
                    done = []
                target = [n for n in entry.target.split("/") if n not in ("", ".")]
                names = [*target, *names]
                continue
            done.append(name)
        return "/".join(done)

    def _is_folder(self, place: str) -> bool:
        found = self.entries.get(place)
        return found is not None and found.kind == tarfile.DIRTYPE

    @staticmethod
    def _split(path: str) -> tuple[str, str]:
        above, _, name = path.rpartition("/")
        return above, name


def plain(name: str) -> str:
    """A path of an archive, relative to the root; "" for the root itself.

    A path that leaves the root is refused.
    """
    if "\0" in name:
        raise TreeError(f"{name!r} is no path")
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".")]
    if ".." in parts:
        raise TreeError(f"{name} leaves the root")
    return "/".join(parts)


def _entry(member: tarfile.TarInfo, archive: Path) -> Entry:
    if member.issparse():
        raise TreeError(f"{member.name} is a sparse file")
    return Entry(
        tarfile.REGTYPE if member.isreg() else member.type,
        member.mode & 0o7777,
        member.uid,
        member.gid,
        member.linkname,
        archive=archive if member.isreg() else None,
        offset=member.offset_data,
        size=member.size if member.isreg() else 0,
        device=(member.devmajor, member.devminor) if member.isdev() else (0, 0),
    )


def _member(path: str, entry: Entry) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode = entry.kind, entry.mode
    member.uid, member.gid = entry.uid, entry.gid
    member.size, member.linkname = entry.size, entry.target
    member.devmajor, member.devminor = entry.device
    member.mtime = entry.time
    return member


def _contents(entry: Entry, opened: dict[Path, IO[bytes]]) -> IO[bytes] | None:
    if entry.archive is None:
        return io.BytesIO(entry.data)
    if entry.archive not in opened:
        # closed by write(), which reads from an archive many times
        opened[entry.archive] = entry.archive.open("rb")
    opened[entry.archive].seek(entry.offset)
    return opened[entry.archive]
