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
            digest = HOLE if _is_hole(data) else hashlib.sha256(data).digest()
            digests.append(digest)
            if digest == HOLE or digest in sizes:
                continue
            sizes[digest] = pool.submit(_write, out / f"{digest.hex()}.gz", data)
            waiting.append(sizes[digest])
            # No more than this of the image is in memory.
            if len(waiting) > workers * _WAITING:
                waiting.pop(0).result()
        packed = sum(future.result() for future in sizes.values())
    head = HEAD.pack(MAGIC, VERSION, PIECE, size, len(digests), 0)
    index = head + b"".join(digests)
    packed_index = _write(out / INDEX, index)
    names = (INDEX, *(f"{digest.hex()}.gz" for digest in sizes))
    return Pieces(index, packed_index, names, packed)


def _is_hole(data: bytes) -> bool:
    """Whether all bytes are zeros; comparing is much quicker than counting."""
    return data == (_ZEROS if len(data) == PIECE else bytes(len(data)))


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """All pieces of the file; holes of a sparse file are not read."""
    data_from = data_to = 0
    for at in range(0, size, PIECE):
        end = min(size, at + PIECE)
        if at >= data_to:
            data_from, data_to = _data(file, at, size)
        if end <= data_from:
            yield bytes(end - at)
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
