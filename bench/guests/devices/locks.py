"""Locks on images, the same as QEMU's: no process writes an image in use elsewhere.

QEMU locks single bytes of an image (block/file-posix.c): from byte 100 on, one for
each thing that QEMU does to the image; from byte 200 on, one for each thing that no
other process may do. The harness holds the same locks during a boot, because QEMU as
WebAssembly has no locks. So every native QEMU respects them.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.base.errors import USAGE, TierlabError

# Linux's locks of an open file, not of a process: fcntl has no names for them.
_F_OFD_GETLK, _F_OFD_SETLK = 36, 37
_FLOCK = struct.Struct("@hhqqi4x")

_DOES, _SUFFERS_NOT = 100, 200
# BLK_PERM_CONSISTENT_READ, _WRITE, _RESIZE
_READ, _WRITE, _RESIZE = 0, 1, 3


@contextmanager
def locked(path: Path, *, writing: bool) -> Iterator[None]:
    """Lock the image; a usage error if another process uses it."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        does = [_READ, _WRITE, _RESIZE] if writing else [_READ]
        alone = [_WRITE, _RESIZE]
        for byte in [*(_DOES + n for n in does), *(_SUFFERS_NOT + n for n in alone)]:
            _lock(fd, byte)
        for byte in [*(_SUFFERS_NOT + n for n in does), *(_DOES + n for n in alone)]:
            if _locked_by_another(fd, byte):
                raise TierlabError(
                    f"{path} is in use by another machine",
                    next_step="end it, or boot from a copy",
                    status=USAGE,
                )
        yield
    finally:
        os.close(fd)


def _lock(fd: int, byte: int) -> None:
    fcntl.fcntl(fd, _F_OFD_SETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, byte, 1, 0))


def _locked_by_another(fd: int, byte: int) -> bool:
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    kind: int = _FLOCK.unpack(fcntl.fcntl(fd, _F_OFD_GETLK, asked))[0]
    return kind != fcntl.F_UNLCK
