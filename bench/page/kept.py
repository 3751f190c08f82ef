"""Disks in pieces that the cache keeps, so that the next page has them at once.

    pieces/KEY/     a disk's pieces and index (pieces.py); KEY is the index's digest

An index has the digests of all contents, so a disk that has changed has another key. To
make an index is to read the disk, which is some ten times as quick as packing it.

A folder is whole or absent: it is made beside its place, under a lock, and renamed.
When all have more than MAX_BYTES, those go that were not used for the longest time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.base.lock import locked
from bench.page import pieces
from bench.page.pieces import Pieces

_GIB = 1 << 30
# Packed pieces of all disks in the cache.
MAX_BYTES = 8 * _GIB
# The pieces of a disk with more contents are not kept.
MAX_DISK = MAX_BYTES
_KEY = 20
_PART = ".part"


class _Busy(Exception):
    """Another process has the lock."""


class KeptPieces:
    """The disks in pieces of a cache."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._directory = cache / "pieces"

    def split(self, image: Path, out: Path) -> Pieces:
        """Fill an empty folder with the image's pieces and index, as pieces.split().

        Raises OSError if the image cannot be read, or the cache or `out` be written.
        """
        index = pieces.index_of(image)
        if pieces.contents_bytes(index) > MAX_DISK:
            return pieces.split(image, out)
        key = hashlib.sha256(index).hexdigest()[:_KEY]
        place = self._directory / key
        with locked(self._cache, _lock(key)):
            found = pieces.read(place, index)
            if found is not None:
                os.utime(place)
                self._hand_out(place, found, out)
                return found
            made = self._make(image, index, place, out)
        self._evict(key)
        return made

    def _make(self, image: Path, index: bytes, place: Path, out: Path) -> Pieces:
        part = place.with_name(f".{place.name}{_PART}")
        for leftover in (part, place):
            shutil.rmtree(leftover, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            made = pieces.split(image, part)
            self._hand_out(part, made, out)
            # Keep nothing of an image that was written to in between.
            if made.index == index:
                part.rename(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return made

    def _hand_out(self, place: Path, made: Pieces, out: Path) -> None:
        """Give `out` the files: as links, if the page is in the cache as well.

        Links to a folder of the user's would let the user change what is kept.
        """
        within = self._cache.resolve() in out.resolve().parents
        give = _link if within else shutil.copyfile
        for name in made.names:
            give(place / name, out / name)

    def _evict(self, used: str) -> None:
        """Remove what is too much, but not what was just used or is in use."""
        there = [p for p in self._directory.iterdir() if p.name != used]
        for path in (p for p in there if p.suffix == _PART):
            self._remove(path, path.name[1:].removesuffix(_PART))
        left = MAX_BYTES - _size(self._directory / used)
        whole = [p for p in there if p.suffix != _PART]
        for path in sorted(whole, key=_used_at, reverse=True):
            left -= _size(path)
            if left < 0:
                self._remove(path, path.name)

    def _remove(self, path: Path, key: str) -> None:
        try:
            with locked(self._cache, _lock(key), _give_up):
                shutil.rmtree(path, ignore_errors=True)
        except _Busy:
            pass


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # not every file system has hard links
        shutil.copyfile(source, target)


def _lock(key: str) -> str:
    return f"pieces-{key}"


def _give_up() -> None:
    raise _Busy


def _size(folder: Path) -> int:
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    """The sizes of a folder's files, of which another process may remove some."""
    try:
        for path in folder.iterdir():
            yield path.stat().st_size
    except FileNotFoundError:
        return


def _used_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0
