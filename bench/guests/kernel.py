"""Build a tiny guest's kernel from Debian's linux-source package."""

from __future__ import annotations

import os
from pathlib import Path

from bench.build import Context, SetupError
from bench.build.upstream import installed
from bench.guests.sources import ARCHITECTURES, Architecture, Tiny

SOURCE_PACKAGE = "linux-source-6.12"
SOURCE = Path("/usr/src/linux-source-6.12.tar.xz")

# Most of the tree is code of drivers and of other machines, which our configurations
# do not compile. Kconfig and Kbuild files stay.
_UNUSED_DRIVERS = (
    "accel",
    "crypto",
    "gpu",
    "hwmon",
    "iio",
    "infiniband",
    "media",
    "scsi",
    "staging",
    "usb",
    "video",
)
_UNUSED = (
    "*/Documentation/*.rst",
    "*/Documentation/*.yaml",
    "*/Documentation/*.txt",
    "*/arch/[!arx]*/*.[chS]",
    "*/arch/*.dts*",
    "*/drivers/net/[!v]*/*.[ch]",
    "*/sound/*.[ch]",
    "*/tools/testing/*",
    "*/tools/perf/*",
    *(f"*/drivers/{name}/*.[ch]" for name in _UNUSED_DRIVERS),
)


def configs(tiny: Tiny) -> tuple[str, ...]:
    """The parts of this kernel's configuration, in the checkout."""
    return tuple(f"bench/guests/kernels/{name}.config" for name in tiny.configs)


def identity(tiny: Tiny) -> str:
    """Sources and tools of the kernel, for the product's key."""
    architecture = ARCHITECTURES[tiny.arch]
    return installed(SOURCE_PACKAGE, architecture.compiler_package)


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
    """The lines of our configuration that Kconfig did not take."""
    taken = set(config.splitlines())
    return [
        line
        for line in wanted.splitlines()
        if line.startswith(("CONFIG_", "# CONFIG_")) and line not in taken
    ]


def build_tiny(ctx: Context, tiny: Tiny) -> bytes:
    """Configure and build (or go on with it); returns the kernel."""
    architecture = ARCHITECTURES[tiny.arch]
    tree = unpack_source(ctx)
    fragment = ctx.work / "fragment.config"
    names = configs(tiny)
    texts = [(ctx.root / name).read_text(encoding="utf-8") for name in names]
    fragment.write_text("".join(texts), encoding="utf-8")
    env = {**os.environ, **_environment(ctx), "KCONFIG_ALLCONFIG": str(fragment)}
    make = ["make", f"ARCH={tiny.kbuild}", *_tools(architecture)]
    ctx.run([*make, "allnoconfig"], cwd=tree, env=env)
    config = (tree / ".config").read_text(encoding="utf-8")
    refused = refused_lines("".join(texts), config)
    if refused:
        raise SetupError(
            f"{' and '.join(names)} do not fit this kernel",
            f"Kconfig did not take {', '.join(refused)}",
            "correct these files and run again",
        )
    ctx.run([*make, f"-j{ctx.jobs}", tiny.target], cwd=tree, env=env)
    return _stripped(ctx, architecture, tree / tiny.file)


def _environment(ctx: Context) -> dict[str, str]:
    return {
        # same sources, same kernel, whoever builds it
        "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
        "KBUILD_BUILD_VERSION": "1",
        "KBUILD_BUILD_USER": "tierlab",
        "KBUILD_BUILD_HOST": "tierlab",
        "CCACHE_DIR": str(ctx.cache / "ccache"),
        "CCACHE_BASEDIR": str(ctx.work),
        "CCACHE_NOHASHDIR": "1",
        # ccache learns from the compiler what was included, and need not run the
        # preprocessor first.
        "CCACHE_DEPEND": "1",
    }


def _tools(architecture: Architecture) -> list[str]:
    prefix = architecture.compiler
    return [f"CROSS_COMPILE={prefix}", f"CC=ccache {prefix}gcc"]


def _stripped(ctx: Context, architecture: Architecture, file: Path) -> bytes:
    """The file without the symbols that only a debugger reads."""
    if file.suffix or file.name != "vmlinux":
        return file.read_bytes()
    out = ctx.work / "stripped"
    strip = f"{architecture.compiler}strip"
    ctx.run([strip, "--strip-all", "-o", str(out), str(file)])
    return out.read_bytes()
