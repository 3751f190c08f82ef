"""The files of an image's layout: in a folder, or in a tar archive.

Names come from the image, so a folder's file is opened component by component without
following links, and an archive's file is found by its name among the members.
"""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bench.guests.disk.limits import MAX_TEXT, Budget
from bench.guests.disk.members import HeaderCap, Source, broken_tar, forget, tar_of
from bench.guests.disk.refusal import BadRoot, shown
from bench.guests.images.streams import unpacked

_PIECE = 1 << 18
# A layout's archive, whose layers are packed or are programs, packs no better.
_MOST_PACKED = 100
# Members of a layout's archive, and links from one to another.
_MAX_MEMBERS = 100_000
_MAX_LINKS = 8


class Files(ABC):
    """The files of a layout by their names."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Bytes of a file; None if there is none of that name."""

    @abstractmethod
    @contextmanager
    def open(self, name: str) -> Iterator[Source]:
        """The contents of a file, from the beginning."""

    def text(self, name: str) -> bytes:
        """The contents of a small file."""
        size = self.size(name)
        if size is None:
            raise BadRoot(f"{shown(name)} is missing", "save the image again")
        if size > MAX_TEXT:
            raise BadRoot(f"{shown(name)} has {size} bytes, which is no manifest")
        with self.open(name) as file:
            return file.read(size)


class Folder(Files):
    """The files of a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self, name: str) -> int | None:
        try:
            fd = self._descriptor(name)
        except OSError:
            return None
        try:
            return os.fstat(fd).st_size
        finally:
            os.close(fd)

    @contextmanager
    def open(self, name: str) -> Iterator[Source]:
        try:
            fd = self._descriptor(name)
        except OSError as error:
            why = f"cannot read {shown(name)}: {error.strerror}"
            raise BadRoot(why, "save the image again") from error
        with os.fdopen(fd, "rb") as file:
            yield file

    def _descriptor(self, name: str) -> int:
        """Open a regular file below the folder; OSError if there is none."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        *folders, last = name.split("/")
        if ".." in name.split("/"):
            raise FileNotFoundError(2, "it is outside of the layout")
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            for folder in folders:
                below = os.open(folder, flags | os.O_DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = below
            found = os.open(last, flags, dir_fd=fd)
        finally:
            os.close(fd)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            os.close(found)
            raise FileNotFoundError(2, "it is no regular file")
        return found


class Archive(Files):
    """The files of a tar archive, which is a file that can be read anywhere."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        # Name -> where the contents begin and how many bytes they have.
        self._members: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            self._index(end)
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise broken_tar("it", error) from error

    def _index(self, end: int) -> None:
        with tar_of(HeaderCap(self._file)) as archive:
            for count, member in enumerate(iter(archive.next, None)):
                forget(archive)
                assert member is not None
                if count >= _MAX_MEMBERS:
                    raise BadRoot(f"it has more than {_MAX_MEMBERS} members")
                name = _plain(member.name)
                if member.isreg() and not member.issparse():
                    if member.offset_data + member.size > end:
                        why = f"it is cut off in {shown(member.name)}"
                        raise BadRoot(why, "save the image again")
                    self._members[name] = (member.offset_data, member.size)
                elif member.islnk():
                    self._links[name] = _plain(member.linkname)
                elif member.issym():
                    # docker save writes a link for a layer that two images have
                    place = os.path.dirname(name)
                    target = os.path.normpath(os.path.join(place, member.linkname))
                    self._links[name] = target

    def size(self, name: str) -> int | None:
        found = self._find(name)
        return None if found is None else found[1]

    @contextmanager
    def open(self, name: str) -> Iterator[Source]:
        found = self._find(name)
        if found is None:
            raise BadRoot(f"{shown(name)} is missing", "save the image again")
        yield _Part(self._file, *found)

    def _find(self, name: str) -> tuple[int, int] | None:
        for _ in range(_MAX_LINKS):
            if name in self._members:
                return self._members[name]
            if name not in self._links:
                return None
            name = self._links[name]
        return None


class _Part:
    """A part of a file; other parts may be read in between."""

    def __init__(self, file: IO[bytes], at: int, size: int) -> None:
        self._file, self._at, self._end = file, at, at + size

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(size, self._end - self._at))
        self._at += len(data)
        return data


def _plain(name: str) -> str:
    return os.path.normpath(name).lstrip("/")


@contextmanager
def opened(path: Path, scratch: Path) -> Iterator[Files]:
    """The layout in a folder or an archive; the archive itself may be packed.

    A packed archive is unpacked to a file without a name in `scratch`.
    """
    if path.is_dir():
        yield Folder(path)
        return
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise BadRoot("it is neither a file nor a folder")
        file: IO[bytes] = path.open("rb")
    except OSError as error:
        why = f"cannot read it: {error.strerror}"
        raise BadRoot(why, "name one that is there") from error
    with file, unpacked(file, "it") as (source, packed):
        if not packed:
            file.seek(0)
            yield Archive(file)
            return
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=scratch) as plain:
            _unpack(source, plain, path.stat().st_size)
            yield Archive(plain)


def _unpack(source: Source, plain: IO[bytes], packed: int) -> None:
    """Copy an archive that was packed to so many bytes, if it may be a layout's."""
    budget = Budget()
    most = packed * _MOST_PACKED + _PIECE
    size = 0
    while piece := source.read(_PIECE):
        if not size:
            try:
                tarfile.TarInfo.frombuf(piece[:512], "utf-8", "surrogateescape")
            except tarfile.TarError as error:
                raise broken_tar("it", error) from error
        size += len(piece)
        budget.take(len(piece))
        if size > most:
            why = f"it unpacks to more than {_MOST_PACKED} times its size"
            raise BadRoot(why, "unpack it, or give another image")
        plain.write(piece)
    plain.flush()
