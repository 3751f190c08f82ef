"""The frequency of x86 guests' time stamp counter, which the guests are told.

Linux measures the frequency against another timer at boot. On a busy host the
measurement fails: boots differ, and a machine without another clock (microvm) has no
clock that is right. QEMU's counter counts nanoseconds; only QEMU that runs natively on
x86 without -icount shows the processor's own counter.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import time
from functools import cache

NANOSECONDS_KHZ = 1_000_000
# Two measurements of one counter differ by less, and so do equal crystals.
_TOLERANCE = 0.001
# rdtsc; shl rdx, 32; or rax, rdx; ret
_READ = bytes.fromhex("0f31 48c1e220 4809d0 c3")
_MEASURE_NS = 50_000_000
_TRIES = 100


def word(khz: int) -> str:
    """The kernel word that tells Linux the frequency."""
    return f"tsc_early_khz={khz}"


def alike(one: int, other: int) -> bool:
    """Whether a guest that was told one frequency keeps time at the other one."""
    return abs(one - other) <= _TOLERANCE * max(one, other)


@cache
def native_khz() -> int | None:
    """The counter's frequency in native QEMU; None if it cannot be measured here."""
    if platform.machine() != "x86_64":
        return NANOSECONDS_KHZ
    try:
        code = mmap.mmap(
            -1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        )
    except OSError:
        return None
    code.write(_READ)
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(address)

    def both() -> tuple[int, int]:
        """The counter and the time, read as close together as possible."""
        found = []
        for _ in range(_TRIES):
            before = time.monotonic_ns()
            counted = read()
            after = time.monotonic_ns()
            found.append((after - before, counted, (before + after) // 2))
        return min(found)[1:]

    ticks, began = both()
    while time.monotonic_ns() - began < _MEASURE_NS:
        time.sleep(_MEASURE_NS / 1e9)
    more_ticks, ended = both()
    return round((more_ticks - ticks) * 1_000_000 / (ended - began))
