"""zlib, pcre2, glib, pixman and libfdt for wasm32, as static libraries.

Each library comes from Debian's upstream tarball, and its own build system builds it.
Of glib only the part that QEMU links is built: see patches/0001. Each library is
installed into a prefix in the step's scratch directory, so that a resumed run goes on
with the next library; that prefix becomes the product.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.base.places import ROOT
from bench.build import Context, Step
from bench.build.recipes import emscripten as toolchain
from bench.build.upstream import Upstream, read

HERE = "qemu/deps"

_OPTIMISED = " ".join(["-O2", *toolchain.FLAGS])
_FDT = (
    "fdt", "fdt_addresses", "fdt_check", "fdt_empty_tree", "fdt_overlay", "fdt_ro",
    "fdt_rw", "fdt_strerror", "fdt_sw", "fdt_wip",
)  # fmt: skip


@functools.cache
def _upstreams() -> dict[str, Upstream]:
    return read(ROOT / HERE / "UPSTREAM")


@dataclass(frozen=True)
class Build:
    """The facts that the build of one library needs."""

    ctx: Context
    source: Path
    build: Path
    prefix: Path
    env: dict[str, str]
    emcc: toolchain.QuickEmcc

    def run(self, *argv: str, cwd: Path | None = None) -> None:
        """Run a build tool with the Wasm environment."""
        self.ctx.run(argv, cwd=cwd or self.build, env=self.env)

    def meson(self, *options: str) -> None:
        """Configure with Meson."""
        cross = toolchain.meson_cross_file(
            self.build.with_suffix(".cross"), self.prefix, self.emcc.program
        )
        with self.emcc.probing():
            self.run(
                "meson", "setup", str(self.build), str(self.source),
                f"--prefix={self.prefix}", "--libdir=lib", f"--cross-file={cross}",
                "--buildtype=release", "--default-library=static",
                "--wrap-mode=nodownload", "-Dpkgconfig.relocatable=true", *options,
                cwd=self.source,
            )  # fmt: skip


def _zlib(b: Build) -> None:
    variables = [
        f"CC={b.emcc.program}", "AR=emar", "RANLIB=emranlib", "NM=emnm",
        f"CFLAGS={_OPTIMISED}", "CHOST=wasm32-unknown-linux",
    ]  # fmt: skip
    configure = [str(b.source / "configure"), "--static", f"--prefix={b.prefix}"]
    with b.emcc.probing():
        b.run("env", *variables, *configure)
    b.run("make", f"-j{b.ctx.jobs}", "libz.a")
    b.run("make", "install")


def _pcre2(b: Build) -> None:
    platform = b.build.with_suffix(".cmake")
    platform.write_text(
        f"""\
include("{toolchain.CMAKE_PLATFORM}")
set(CMAKE_C_COMPILER "{b.emcc.program}")
""",
        encoding="utf-8",
    )
    with b.emcc.probing():
        b.run(
            "cmake", "-G", "Ninja", "-S", str(b.source), "-B", str(b.build),
            f"-DCMAKE_TOOLCHAIN_FILE={platform}",
            "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_C_FLAGS={_OPTIMISED}",
            f"-DCMAKE_INSTALL_PREFIX={b.prefix}", "-DBUILD_SHARED_LIBS=OFF",
            "-DPCRE2_SUPPORT_JIT=OFF", "-DPCRE2_BUILD_TESTS=OFF",
            "-DPCRE2_BUILD_PCRE2GREP=OFF",
        )  # fmt: skip
    b.run("ninja", "install")


def _glib(b: Build) -> None:
    include = b.prefix / "include" / "sys"
    include.mkdir(parents=True, exist_ok=True)
    shutil.copy(b.ctx.root / HERE / "include/sys/eventfd.h", include)
    off = ("nls", "selinux", "libmount", "introspection", "libelf", "sysprof")
    b.meson(
        *(f"-D{option}=disabled" for option in off),
        "-Ddtrace=disabled", "-Dsystemtap=disabled", "-Dglib_debug=disabled",
        "-Dxattr=false", "-Dtests=false", "-Dglib_assert=false",
        "-Dglib_checks=false",
    )  # fmt: skip
    names = ("glib", "gthread", "gmodule")
    b.run("ninja", *(f"{name}/lib{name}-2.0.a" for name in names))
    b.run("meson", "install", "--no-rebuild", "--tags", "devel")


def _pixman(b: Build) -> None:
    off = ("tests", "demos", "libpng", "gtk", "openmp")
    b.meson(*(f"-D{option}=disabled" for option in off))
    b.run("ninja", "install")


def _libfdt(b: Build) -> None:
    source = b.source / "libfdt"
    files = [str(source / f"{name}.c") for name in _FDT]
    b.run(str(b.emcc.program), *_OPTIMISED.split(), f"-I{source}", "-c", *files)
    objects = [f"{name}.o" for name in _FDT]
    b.run("emar", "rcs", str(b.prefix / "lib" / "libfdt.a"), *objects)
    for header in ("fdt.h", "libfdt.h", "libfdt_env.h"):
        shutil.copy(source / header, b.prefix / "include")


# In the order of their dependencies.
_LIBRARIES: dict[str, Callable[[Build], None]] = {
    "zlib": _zlib,
    "pcre2": _pcre2,
    "glib2.0": _glib,
    "pixman": _pixman,
    "device-tree-compiler": _libfdt,
}


def _patches(ctx: Context, package: str) -> list[Path]:
    directory = ctx.root / HERE / "patches" / package
    return sorted(directory.glob("*.patch"))


def _build_one(
    ctx: Context, package: str, prefix: Path, emcc: toolchain.QuickEmcc
) -> None:
    done = ctx.work / f"{package}.done"
    if done.exists():
        return
    tarball = ctx.apt_source(_upstreams()[package])
    source = ctx.work / package
    build = ctx.work / f"{package}.build"
    for directory in (source, build):
        # an interrupted run leaves this half unpacked or half configured
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir()
    ctx.run(["tar", "-xf", str(tarball), "-C", str(source), "--strip-components=1"])
    for patch in _patches(ctx, package):
        ctx.run(["patch", "-p1", "-F0", "--batch", "-i", str(patch)], cwd=source)
    env = toolchain.environment(ctx, prefix)
    _LIBRARIES[package](Build(ctx, source, build, prefix, env, emcc))
    _relocate(prefix)
    done.touch()
    shutil.rmtree(source)
    shutil.rmtree(build)


def _relocate(prefix: Path) -> None:
    """Make the .pc files name the prefix relative to their own place."""
    for path in (prefix / "lib" / "pkgconfig").glob("*.pc"):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace(str(prefix), "${pcfiledir}/../.."), encoding="utf-8"
        )


def _build(ctx: Context) -> None:
    prefix = ctx.work / "prefix"
    emcc = toolchain.QuickEmcc(ctx.work / "emcc")
    emcc.make(ctx, toolchain.environment(ctx))
    for package in _LIBRARIES:
        _build_one(ctx, package, prefix, emcc)
    for part in ("include", "lib"):
        shutil.copytree(prefix / part, ctx.out / part, symlinks=True)


STEPS: list[Step] = [
    Step(
        name="deps-wasm32",
        title="libraries for Wasm (glib, pixman, zlib, pcre2, libfdt)",
        files=(
            f"{HERE}/UPSTREAM",
            "bench/build/recipes/libraries.py",
            f"{HERE}/include/**/*.h",
            f"{HERE}/patches/**/*.patch",
            *toolchain.FILES,
        ),
        values=(toolchain.identity(),),
        needs=(),
        action=_build,
        minutes=2.0,
    ),
]
