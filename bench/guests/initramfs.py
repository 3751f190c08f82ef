"""The initramfs: busybox, our /init and programs, the kernel's modules.

The archive is stored plain: unpacking gzip costs the guest 50 million instructions
(measured, riscv64), while a bigger file costs only QEMU's loader.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping

from bench.guests import cpio
from bench.guests.catalogue import GuestSpec

# The amounts of work, chosen for 0.5 to 2 s each on native QEMU.
SH_FORKS = 100
SH_ADDITIONS = 30
GZIP_LINES = 40_000
GZIP_PARTS = 10
CHURN_LINES = 300
SHA256_LARGEST_MIB = 64

# Our scripts: name here, and path in the guest.
SCRIPTS = {
    "init": "init",
    "devices": "etc/devices",
    "root": "etc/root",
    "udhcpc": "etc/udhcpc",
}

_DIRECTORIES = ("bin", "dev", "etc", "lib", "lib/modules", "mnt", "proc", "sys")

# Links to busybox that /init needs; the workload `shell` installs the rest.
APPLETS = (
    "cat",
    "cmp",
    "crc32",
    "cttyhack",
    "dd",
    "devmem",
    "gunzip",
    "gzip",
    "head",
    "ifconfig",
    "insmod",
    "ip",
    "mkdir",
    "mount",
    "mv",
    "poweroff",
    "reboot",
    "rm",
    "rmdir",
    "route",
    "seq",
    "setsid",
    "sh",
    "sha256sum",
    "sleep",
    "stat",
    "sync",
    "udhcpc",
    "umount",
    "wc",
    "wget",
    "yes",
)


def sha256_table() -> str:
    """A line `MIB DIGEST` for each input size of the workload sha256."""
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


def settings(spec: GuestSpec) -> str:
    """/etc/tierlab, which /init reads."""
    values = {
        "FINISHER": spec.finisher,
        "POWER_MODULE": spec.power_module,
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


def build(
    busybox: bytes,
    scripts: Mapping[str, bytes],
    spec: GuestSpec,
    programs: Mapping[str, bytes],
    modules: Mapping[str, bytes],
) -> bytes:
    """The archive for a guest.

    Scripts are named as in SCRIPTS, modules as in /lib/modules.
    """
    entries = [
        *(cpio.directory(name) for name in _DIRECTORIES),
        cpio.directory("tmp", 0o1777),
        # the kernel opens this for /init before /dev is mounted
        cpio.character_device("dev/console", 5, 1),
        *(cpio.regular(SCRIPTS[n], data, 0o755) for n, data in scripts.items()),
        cpio.regular("bin/busybox", busybox, 0o755),
        cpio.regular("etc/tierlab", settings(spec).encode()),
        cpio.regular("etc/sha256", sha256_table().encode()),
        *(cpio.symlink(f"bin/{applet}", "busybox") for applet in APPLETS),
        *(cpio.regular(f"bin/{n}", data, 0o755) for n, data in programs.items()),
        *(cpio.regular(f"lib/modules/{n}", data) for n, data in modules.items()),
    ]
    return cpio.pack(entries)
