"""Emscripten, with the settings that all our Wasm builds share."""

from __future__ import annotations

import os
from pathlib import Path

from bench.build import Context
from bench.build.upstream import installed

# Objects of one program must agree on these flags: threads change the type of
# memory, and setjmp is compiled into its callers. Only longjmp unwinds frames.
FLAGS = ("-pthread", "-sSUPPORT_LONGJMP=wasm")

_KEPT = ("PATH", "HOME", "LANG", "TERM")


def identity() -> str:
    """The tools' versions, for the keys of products."""
    return installed("binaryen", "clang-19", "emscripten")


def environment(ctx: Context, sysroot: Path | None = None) -> dict[str, str]:
    """A build's environment: few of our variables, and ccache for objects."""
    own = {name: os.environ[name] for name in _KEPT if name in os.environ}
    own |= {
        # in place of the user's ~/.emscripten
        "EM_CONFIG": "/usr/share/emscripten/.emscripten",
        "EM_COMPILER_WRAPPER": "/usr/bin/ccache",
        "CCACHE_DIR": str(ctx.cache / "ccache"),
        "CCACHE_BASEDIR": str(ctx.cache),
        "CCACHE_NOHASHDIR": "1",
    }
    if sysroot is not None:
        # in place of the host's libraries, not before them
        own["PKG_CONFIG_LIBDIR"] = str(sysroot / "lib" / "pkgconfig")
    return own


def meson_cross_file(path: Path, sysroot: Path) -> Path:
    """Meson's description of the target.

    Nobody uses the programs that are linked while configuring: --oformat=bare leaves
    out their JavaScript and the optimiser, and a check takes a third of the time. The
    libraries themselves link no program.
    """
    flags = [*FLAGS, f"-I{sysroot}/include", "-Wno-unused-command-line-argument"]
    links = [*FLAGS, "-O0", "--oformat=bare", "-Wno-experimental"]
    path.write_text(
        f"""\
[binaries]
c = 'emcc'
cpp = 'em++'
ar = 'emar'
ranlib = 'emranlib'
strip = 'emstrip'
pkg-config = 'pkg-config'

[built-in options]
c_args = {flags}
cpp_args = {flags}
c_link_args = {links}
cpp_link_args = {links}
c_thread_count = 0
cpp_thread_count = 0

[properties]
needs_exe_wrapper = true
growing_stack = false
have_c99_vsnprintf = true
have_c99_snprintf = true
have_unix98_printf = true

[host_machine]
system = 'emscripten'
cpu_family = 'wasm32'
cpu = 'wasm32'
endian = 'little'
""",
        encoding="utf-8",
    )
    return path
