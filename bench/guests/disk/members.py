"""The members of a tar archive that is read once, from its beginning to its end."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, Protocol, cast

from bench.guests.disk.limits import MAX_HEADER
from bench.guests.disk.refusal import BadRoot, shown

_PIECE = 1 << 18


class Source(Protocol):
    """What can be read from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def broken_tar(what: str, error: BaseException) -> BadRoot:
    """The refusal of an archive that tarfile cannot read."""
    why = f"{what} is no tar archive, or is damaged or cut off ({error})"
    return BadRoot(why, "save the image again, or give another")


def tar_of(file: object) -> tarfile.TarFile:
    """The plain archive in an object that has read(), seek() and tell()."""
    return tarfile.open(
        fileobj=cast(IO[bytes], file),
        mode="r:",
        encoding="utf-8",
        errors="surrogateescape",
    )


def forget(archive: tarfile.TarFile) -> None:
    """Drop the members that tarfile keeps: there may be millions."""
    setattr(archive, "members", [])  # typeshed does not know it


class HeaderCap:
    """A file for tarfile, which reads a header's extensions in one piece.

    The size of an extension comes from the archive: a large one would fill the memory.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        """A header's bytes."""
        return self._file.read(capped(size))

    def seek(self, at: int) -> int:
        """As of any file."""
        if at < 0:
            raise tarfile.ReadError("a header has a negative size")
        return self._file.seek(at)

    def tell(self) -> int:
        """As of any file."""
        return self._file.tell()


def capped(size: int) -> int:
    """The size if a header may have it."""
    if not 0 <= size <= MAX_HEADER:
        raise tarfile.ReadError(f"a header has {size} bytes")
    return size


class _Forward:
    """A stream as a file for tarfile, which can go forward only."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0
        # The last block of a header's size: not zeros if tarfile ends at damage.
        self.block = b""

    def tell(self) -> int:
        """Bytes read."""
        return self._at

    def seek(self, at: int) -> int:
        """Skip bytes."""
        if at < self._at:
            raise tarfile.ReadError("a header has a negative size")
        while self._at < at and self._piece(min(_PIECE, at - self._at)):
            pass
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Exactly so many bytes, less only at the end."""
        pieces = []
        left = capped(size)
        while left and (piece := self._piece(left)):
            pieces.append(piece)
            left -= len(piece)
        data = b"".join(pieces)
        if size == tarfile.BLOCKSIZE:
            self.block = data
        return data

    def _piece(self, size: int) -> bytes:
        data = self._source.read(size)
        self._at += len(data)
        return data


class Member:
    """A member; its contents can be read until the next member is asked for."""

    def __init__(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        self._archive = archive
        self.info = info

    def contents(self) -> Iterator[bytes]:
        """The contents of a regular file, in pieces."""
        file = self._archive.extractfile(self.info)
        assert file is not None
        left = self.info.size
        while left:
            try:
                piece = file.read(min(_PIECE, left))
            except tarfile.TarError as error:
                raise broken_tar(shown(self.info.name), error) from error
            if not piece:
                raise BadRoot(f"{shown(self.info.name)} is cut off")
            left -= len(piece)
            yield piece


def members(source: Source, what: str) -> Iterator[Member]:
    """The archive's members in its order; BadRoot if it is damaged.

    tarfile takes a damaged header behind the first one for the end of the archive.
    """
    forward = _Forward(source)
    try:
        with tar_of(forward) as archive:
            while (info := archive.next()) is not None:
                forget(archive)
                yield Member(archive, info)
            if forward.block.strip(b"\0"):
                raise tarfile.ReadError("a header is damaged")
    except (tarfile.TarError, ValueError, OverflowError) as error:
        # tarfile lets errors of numbers in headers through
        raise broken_tar(what, error) from error
