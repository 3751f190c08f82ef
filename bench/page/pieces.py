"""Splits a disk's image into pieces, which a page fetches when the guest reads them.

    index.gz      says how the image consists of pieces, packed
    DIGEST.gz     a piece, packed; named by the SHA-256 of its contents

Equal pieces are one file, and pieces of zeros have none. docs/page.md describes the
index, and bench/engines/web/pieces.mjs reads all of this.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"TLPIECES"
VERSION = 1
# Magic, version, bytes of a piece, bytes of the image, pieces, 0.
HEAD = struct.Struct("<8sIIQII")
PIECE = 256 * 1024
_ZEROS = bytes(PIECE)
# In the place of the digest of a piece of zeros.
HOLE = bytes(hashlib.sha256().digest_size)
INDEX = "index.gz"
# gzip's level: users' images are packed anew for each page.
LEVEL = 4
# Pieces that wait to be packed, for each packer.
_WAITING = 8


@dataclass(frozen=True)
class Pieces:
    """An image in pieces, in a folder."""

    # The index, unpacked and packed.
    index: bytes
    packed_index: int
    # The names of all files in the folder.
    names: tuple[str, ...]
    # The bytes of all pieces, packed.
    packed: int


def index_of(image: Path) -> bytes:
    """The index that split() would write. Raises OSError if it cannot be read."""
    with image.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return _index(size, [_digest(data) for data in _pieces(file, size)])


def contents_bytes(index: bytes) -> int:
    """The bytes of all pieces that have a file, before they are packed."""
    return len(_kept(index)) * PIECE


def read(folder: Path, index: bytes) -> Pieces | None:
    """What split() left in a folder; None unless it has all files of this index."""
    names = [f"{digest.hex()}.gz" for digest in _kept(index)]
    try:
        if gzip.decompress((folder / INDEX).read_bytes()) != index:
            return None
        packed_index, *sizes = (
            (folder / name).stat().st_size for name in (INDEX, *names)
        )
    except (OSError, EOFError, zlib.error):
        return None
    # A computer that lost its power may have files without contents.
    if 0 in sizes:
        return None
    return Pieces(index, packed_index, (INDEX, *names), sum(sizes))


def split(image: Path, out: Path) -> Pieces:
    """Write the image's pieces and its index to an empty folder.

    Raises OSError if the image cannot be read or the folder cannot be written.
    """
    sizes: dict[bytes, Future[int]] = {}
    digests: list[bytes] = []
    workers = min(8, os.cpu_count() or 1)
    with image.open("rb") as file, ThreadPoolExecutor(workers) as pool:
        size = os.fstat(file.fileno()).st_size
        waiting: list[Future[int]] = []
        for data in _pieces(file, size):
            digest = _digest(data)
            digests.append(digest)
            if digest == HOLE or digest in sizes:
                continue
            sizes[digest] = pool.submit(_write, out / f"{digest.hex()}.gz", data)
            waiting.append(sizes[digest])
            # No more than this of the image is in memory.
            if len(waiting) > workers * _WAITING:
                waiting.pop(0).result()
        packed = sum(future.result() for future in sizes.values())
    index = _index(size, digests)
    packed_index = _write(out / INDEX, index)
    names = (INDEX, *(f"{digest.hex()}.gz" for digest in sizes))
    return Pieces(index, packed_index, names, packed)


def _index(size: int, digests: list[bytes]) -> bytes:
    head = HEAD.pack(MAGIC, VERSION, PIECE, size, len(digests), 0)
    return head + b"".join(digests)


def _kept(index: bytes) -> list[bytes]:
    """The digests of the pieces that have a file, each once, in the image's order."""
    step = len(HOLE)
    digests = (index[at : at + step] for at in range(HEAD.size, len(index), step))
    return [digest for digest in dict.fromkeys(digests) if digest != HOLE]


def _digest(data: bytes) -> bytes:
    return HOLE if _is_hole(data) else hashlib.sha256(data).digest()


def _is_hole(data: bytes) -> bool:
    """Whether all bytes are zeros; comparing is much quicker than counting."""
    return data is _ZEROS or data == (
        _ZEROS if len(data) == PIECE else bytes(len(data))
    )


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """All pieces of the file; holes of a sparse file are not read."""
    data_from = data_to = 0
    for at in range(0, size, PIECE):
        end = min(size, at + PIECE)
        if at >= data_to:
            data_from, data_to = _data(file, at, size)
        if end <= data_from:
            yield _ZEROS if end - at == PIECE else bytes(end - at)
            continue
        file.seek(at)
        data = file.read(end - at)
        if len(data) != end - at:
            raise OSError(errno.EIO, "the image became shorter meanwhile", file.name)
        yield data


def _data(file: BinaryIO, at: int, size: int) -> tuple[int, int]:
    """Where the next data of a sparse file begin and end, as the file system knows."""
    try:
        start = os.lseek(file.fileno(), at, os.SEEK_DATA)
        return start, os.lseek(file.fileno(), start, os.SEEK_HOLE)
    except OSError as error:
        # ENXIO: there are no more data. Else the file system does not know holes.
        return (size, size) if error.errno == errno.ENXIO else (at, size)


def _write(path: Path, data: bytes) -> int:
    """Write the data packed; returns the packed size."""
    packed = gzip.compress(data, LEVEL, mtime=0)
    path.write_bytes(packed)
    return len(packed)
