"""The initramfs that all guests share: busybox and our /init.

It is stored plain: unpacking gzip costs the guest 50 million instructions
(measured, riscv64), a bigger file costs only QEMU's loader.
"""

from __future__ import annotations

import hashlib
import zlib

from bench.guests import cpio

# The amounts of work, chosen for 0.5 to 2 s each on native QEMU.
SH_FORKS = 100
SH_ADDITIONS = 30
GZIP_LINES = 40_000
GZIP_PARTS = 10
CHURN_LINES = 300
SHA256_LARGEST_MIB = 64

# Where sifive,test listens; a machine without it cannot carry a status.
FINISHER_BY_MACHINE = {("riscv64", "virt"): "0x100000"}

# What /init calls, as links to busybox; workload `shell` installs the rest.
APPLETS = (
    "cat",
    "cmp",
    "crc32",
    "cttyhack",
    "devmem",
    "gunzip",
    "gzip",
    "head",
    "mount",
    "poweroff",
    "seq",
    "setsid",
    "sh",
    "sha256sum",
    "sleep",
    "wc",
    "yes",
)


def sha256_table() -> str:
    """A line `MIB DIGEST` for each size of the input of workload sha256."""
    block = b"tierlab\n" * (2**20 // 8)
    state = hashlib.sha256()
    lines = []
    for mib in range(1, SHA256_LARGEST_MIB + 1):
        state.update(block)
        lines.append(f"{mib} {state.hexdigest()}\n")
    return "".join(lines)


def sh_sum() -> int:
    """The right result of workload sh."""
    total = 0
    for i in range(SH_FORKS):
        for j in range(SH_ADDITIONS):
            total = (total * 31 + i * 7 + j) % 65521
    return total


def gzip_crc() -> str:
    """The checksum of the data of workload gzip, as busybox prints it."""
    part = "".join(f"{n}\n" for n in range(1, GZIP_LINES + 1)).encode()
    return f"{zlib.crc32(part * GZIP_PARTS):08x}"


def churn_md5() -> str:
    """The right result of each round of workload churn."""
    lines = sorted((str(n) for n in range(1, CHURN_LINES + 1)), reverse=True)
    text = "".join(f"{line.replace('1', 'ONE', 1)}\n" for line in lines)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def settings(arch: str, machine: str) -> str:
    """/etc/tierlab, which /init reads."""
    values = {
        "FINISHER": FINISHER_BY_MACHINE.get((arch, machine), ""),
        "SH_FORKS": SH_FORKS,
        "SH_ADDITIONS": SH_ADDITIONS,
        "SH_SUM": sh_sum(),
        "GZIP_LINES": GZIP_LINES,
        "GZIP_PARTS": GZIP_PARTS,
        "GZIP_CRC": gzip_crc(),
        "CHURN_LINES": CHURN_LINES,
        "CHURN_MD5": churn_md5(),
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def build(busybox: bytes, init: bytes, arch: str, machine: str) -> bytes:
    """The archive for guests of `arch` on `machine`."""
    entries = [
        *(cpio.directory(name) for name in ("bin", "dev", "etc", "proc", "sys")),
        cpio.directory("tmp", 0o1777),
        # before /dev is mounted, the kernel opens this for /init
        cpio.character_device("dev/console", 5, 1),
        cpio.regular("init", init, 0o755),
        cpio.regular("bin/busybox", busybox, 0o755),
        cpio.regular("etc/tierlab", settings(arch, machine).encode()),
        cpio.regular("etc/sha256", sha256_table().encode()),
        *(cpio.symlink(f"bin/{applet}", "busybox") for applet in APPLETS),
    ]
    return cpio.pack(entries)
