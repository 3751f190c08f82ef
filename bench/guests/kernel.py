"""Build the kernel of riscv64-tiny from Debian's linux-source package."""

from __future__ import annotations

import os
from pathlib import Path

from bench.setup import Context, SetupError
from bench.setup.upstream import installed

SOURCE_PACKAGE = "linux-source-6.12"
SOURCE = Path("/usr/src/linux-source-6.12.tar.xz")
CONFIG = "bench/guests/riscv64-tiny.config"

# Most of the tree is drivers' code and other machines, which no configuration
# of ours compiles; Kconfig and Kbuild files stay.
_UNUSED_DRIVERS = (
    "accel",
    "crypto",
    "gpu",
    "hwmon",
    "iio",
    "infiniband",
    "media",
    "net",
    "scsi",
    "staging",
    "usb",
    "video",
)
_UNUSED = (
    "*/Documentation/*.rst",
    "*/Documentation/*.yaml",
    "*/Documentation/*.txt",
    "*/arch/[!r]*/*.[chS]",
    "*/arch/*.dts*",
    "*/sound/*.[ch]",
    "*/tools/testing/*",
    "*/tools/perf/*",
    *(f"*/drivers/{name}/*.[ch]" for name in _UNUSED_DRIVERS),
)


def source_identity() -> str:
    """What the kernel is made from and with, for the product's key."""
    return installed(SOURCE_PACKAGE, "gcc-riscv64-linux-gnu")


def unpack_source(ctx: Context) -> Path:
    """The source tree, unpacked once into the step's scratch directory."""
    if not SOURCE.is_file():
        raise SetupError(
            f"{SOURCE} is missing",
            f"the package {SOURCE_PACKAGE} is not installed",
            f"install {SOURCE_PACKAGE} and run again",
        )
    tree = ctx.work / "linux"
    complete = ctx.work / "linux-is-unpacked"
    if not complete.exists():
        tree.mkdir(parents=True, exist_ok=True)
        excludes = [f"--exclude={pattern}" for pattern in _UNUSED]
        ctx.run(
            ["tar", "-xf", str(SOURCE), "--strip-components=1", *excludes],
            cwd=tree,
        )
        complete.touch()
    return tree


def refused_lines(wanted: str, config: str) -> list[str]:
    """The lines of our fragment that Kconfig did not take."""
    taken = set(config.splitlines())
    return [
        line
        for line in wanted.splitlines()
        if line and not line.startswith("#") and line not in taken
    ]


def build_tiny(ctx: Context) -> bytes:
    """Configure and build (or go on with it); returns the Image."""
    tree = unpack_source(ctx)
    fragment = ctx.root / CONFIG
    env = {
        **os.environ,
        "KCONFIG_ALLCONFIG": str(fragment),
        # same sources, same kernel, whoever builds it
        "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
        "KBUILD_BUILD_VERSION": "1",
        "KBUILD_BUILD_USER": "tierlab",
        "KBUILD_BUILD_HOST": "tierlab",
        "CCACHE_DIR": str(ctx.cache / "ccache"),
        "CCACHE_BASEDIR": str(ctx.work),
        "CCACHE_NOHASHDIR": "1",
    }
    make = [
        "make",
        "ARCH=riscv",
        "CROSS_COMPILE=riscv64-linux-gnu-",
        "CC=ccache riscv64-linux-gnu-gcc",
    ]
    ctx.run([*make, "allnoconfig"], cwd=tree, env=env)
    refused = refused_lines(
        fragment.read_text(encoding="utf-8"),
        (tree / ".config").read_text(encoding="utf-8"),
    )
    if refused:
        raise SetupError(
            f"{CONFIG} does not fit this kernel",
            f"Kconfig did not take {', '.join(refused)}",
            "correct that file and run again",
        )
    ctx.run([*make, f"-j{ctx.jobs}", "Image"], cwd=tree, env=env)
    return (tree / "arch/riscv/boot/Image").read_bytes()
