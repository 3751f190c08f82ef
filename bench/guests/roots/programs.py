"""The root file systems with the programs that workloads run: one entry each.

userland/programs/NAME/ has what a workload NAME does: `round` is the program of one
round, and `want` is all that a right round prints, on every architecture. They are at
/tierlab/NAME/ in the root.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.build import Context, SetupError, Step
from bench.guests.catalogue import PROGRAMS
from bench.guests.disk import tree
from bench.guests.disk.tree import Inode
from bench.guests.roots import debian
from bench.guests.roots.debian import DebianRoot, image_name
from bench.guests.sources import ARCHITECTURES, Architecture

SOURCES = "bench/guests/userland/programs"
# Architectures whose guests have these programs.
ARCHES = ("riscv64", "aarch64", "x86_64")

# What maintainers' scripts ask for, and no program here does.
_WITHOUT = ("debconf", "dpkg", "perl-base", "tar", "tzdata", "init-system-helpers")
_SH = {"usr/bin/sh": "dash"}
# Sanitizers' and profilers' libraries: half of a compiler's bytes.
_NOT_LINKED = (
    *("libasan8", "libgomp1", "libgprofng0", "libhwasan0", "libitm1"),
    *("liblsan0", "libquadmath0", "libtsan2", "libubsan1"),
)

# What draws: libraries load these when a program uses them.
_GRAPHICS = ("libegl-mesa0", "mesa-libgallium", "libgl1-mesa-dri", "libglx-mesa0")

ROOTS: dict[str, DebianRoot] = {
    root.name: root
    for root in (
        DebianRoot(
            "python",
            ("python3",),
            (*_WITHOUT, "media-types", "netbase"),
            ("usr/lib/python3*/idlelib/*", "usr/lib/python3*/pydoc_data/*"),
        ),
        DebianRoot("stress-ng", ("stress-ng",), (*_WITHOUT, *_GRAPHICS)),
        DebianRoot("perl", ("perl",), ("libdb5.3t64", "libgdbm6t64")),
        DebianRoot("lua", ("lua5.4",), links={"usr/bin/lua": "lua5.4"}),
        DebianRoot("sqlite", ("sqlite3", "dash"), links=_SH),
        DebianRoot("node", ("nodejs",), ("node-corepack",)),
        DebianRoot(
            "c",
            (
                *("gcc", "libc6-dev", "make"),
                *("dash", "coreutils", "sed", "grep", "mawk"),
            ),
            (*_WITHOUT, *_NOT_LINKED, "rpcsvc-proto"),
            # Of link-time optimisation, gcc needs the plugin only.
            ("usr/libexec/gcc/*/lto1", "usr/lib/*/perl-base/*", "usr/bin/*gprofng*"),
            {**_SH, "usr/bin/awk": "mawk", "usr/bin/cc": "gcc"},
        ),
        DebianRoot(
            "git",
            ("git", "dash", "coreutils"),
            (*_WITHOUT, "git-man", "perl", "perl-modules-5.40", "libperl5.40"),
            links=_SH,
        ),
        DebianRoot(
            "cmake",
            ("cmake", "dash"),
            (*_WITHOUT, "procps", "libproc2-0"),
            ("usr/share/cmake*/Help/*", "usr/share/cmake*/Templates/*"),
            _SH,
        ),
    )
}


def product(arch: str, root: str) -> str:
    """The product with the disk of a root file system."""
    return f"programs-{arch}-{root}"


def image(products: Path, arch: str, root: str) -> Path:
    """The disk in its product."""
    return products / image_name(f"{root}-{arch}")


def own_files(sources: Path, root: str) -> Mapping[str, Inode]:
    """The workloads' files by their paths in that root, which may have none."""
    made: dict[str, Inode] = {}
    for program in PROGRAMS.get(root, ()):
        folder = sources / program
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            mode = 0o755 if path.read_bytes().startswith(b"#!") else 0o644
            place = f"tierlab/{program}/{path.relative_to(folder).as_posix()}"
            made[place] = tree.file(path.read_bytes(), mode)
    return made


def _step(architecture: Architecture, root: DebianRoot) -> Step:
    def make(ctx: Context) -> None:
        own = own_files(ctx.root / SOURCES, root.name)
        if root.name in PROGRAMS and not own:
            raise SetupError(f"{SOURCES} has no program of the root {root.name}")
        debian.make(ctx, architecture, root, own)

    return Step(
        name=product(architecture.name, root.name),
        title=f"disk with {root.name} for {architecture.name}",
        files=(
            "bench/guests/packages.py",
            "bench/guests/roots/debian.py",
            "bench/guests/disk/*.py",
            *(f"{SOURCES}/{program}/**/*" for program in PROGRAMS.get(root.name, ())),
        ),
        values=(repr(root), repr(architecture)),
        needs=(),
        action=make,
        minutes=0.7,
        packages=("disks",),
    )


STEPS: list[Step] = [
    _step(ARCHITECTURES[arch], root) for arch in ARCHES for root in ROOTS.values()
]
