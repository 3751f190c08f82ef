"""Emscripten, with the settings that all our Wasm builds share."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.build import Context, SetupError
from bench.build.upstream import installed

# Objects of one program must agree on these flags: threads change the type of
# memory, and setjmp is compiled into its callers. Only longjmp unwinds frames.
FLAGS = ("-pthread", "-sSUPPORT_LONGJMP=wasm")

# Inputs of every product that is compiled with this module.
FILES = ("bench/build/recipes/emscripten.py", "bench/build/recipes/quick-emcc.sh")

CMAKE_PLATFORM = "/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake"

_SCRIPT = "bench/build/recipes/quick-emcc.sh"
_LLVM = Path("/usr/bin")
_LINKER = "wasm-ld-19"

# A program in the place of wasm-ld, which keeps the arguments that emcc gives it.
# emcc removes the list of JavaScript's symbols (a .so) when it ends.
_SPY = """\
#!/bin/sh
here=${0%/*}
for word; do
    case $word in
    *.so)
        cp "$word" "$here/symbols.so"
        word=$here/symbols.so
        ;;
    esac
    printf '%s\\n' "$word" >>"$here/called"
done
exec /usr/bin/wasm-ld-19 "$@"
"""

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
        # ccache learns from the compiler what was included, and need not run the
        # preprocessor first.
        "CCACHE_DEPEND": "1",
    }
    if sysroot is not None:
        # in place of the host's libraries, not before them
        own["PKG_CONFIG_LIBDIR"] = str(sysroot / "lib" / "pkgconfig")
    return own


def meson_cross_file(path: Path, sysroot: Path, compiler: Path) -> Path:
    """Meson's description of the target. It names no C++: all libraries are in C.

    Nobody uses the programs that are linked while configuring: --oformat=bare leaves
    out their JavaScript and the optimiser where emcc itself links one. The libraries
    themselves link no program.
    """
    flags = [*FLAGS, f"-I{sysroot}/include", "-Wno-unused-command-line-argument"]
    links = [*FLAGS, "-O0", "--oformat=bare", "-Wno-experimental"]
    path.write_text(
        f"""\
[binaries]
c = '{compiler}'
ar = 'emar'
ranlib = 'emranlib'
strip = 'emstrip'
pkg-config = 'pkg-config'

[built-in options]
c_args = {flags}
c_link_args = {links}
c_thread_count = 0

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


class QuickEmcc:
    """An emcc for builds that starts clang itself: see quick-emcc.sh.

    An object compiled by it is the one that emcc makes. emcc's Python takes as
    long as clang takes for a small file, and a probe of a configure script takes
    emcc ten times as long as clang and wasm-ld together.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.program = directory / "emcc"

    @staticmethod
    def text(root: Path) -> str:
        """The script, for the keys of what is made with it."""
        return (root / _SCRIPT).read_text(encoding="utf-8")

    def make(
        self, ctx: Context, env: Mapping[str, str], link_flags: Sequence[str] = FLAGS
    ) -> None:
        """Fill the directory; `link_flags` are those of the probes."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True)
        plain = {k: v for k, v in env.items() if k != "EM_COMPILER_WRAPPER"}
        flags = subprocess.run(
            ["emcc", *FLAGS, "--cflags"],
            env=plain,
            capture_output=True,
            text=True,
            check=False,
        )
        if flags.returncode != 0 or "-target" not in flags.stdout:
            raise SetupError(
                "emcc does not work",
                (flags.stderr.strip().splitlines() or ["it says no flags"])[-1],
                "install the packages of packages.txt",
            )
        line = " ".join(flags.stdout.split())
        (self._directory / "cflags").write_text(f"{line}\n", encoding="utf-8")
        self._learn_to_link(ctx, env, link_flags)
        shutil.copy(ctx.root / _SCRIPT, self.program)
        self.program.chmod(0o755)

    @contextmanager
    def probing(self) -> Iterator[None]:
        """While inside, programs are probes: linked by wasm-ld alone."""
        mark = self._directory / "probing"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)

    def _learn_to_link(
        self, ctx: Context, env: Mapping[str, str], link_flags: Sequence[str]
    ) -> None:
        spied = self._directory / "spied"
        spied.mkdir()
        for tool in _LLVM.glob("*-19"):
            (spied / tool.name).symlink_to(tool)
        (spied / _LINKER).unlink(missing_ok=True)
        (spied / _LINKER).write_text(_SPY, encoding="utf-8")
        (spied / _LINKER).chmod(0o755)
        source, object_, program = (spied / f"probe{s}" for s in (".c", ".o", ""))
        source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
        ctx.run(["emcc", *FLAGS, "-c", str(source), "-o", str(object_)], env=env)
        options = ["-O0", "--oformat=bare", "-Wno-experimental"]
        ctx.run(
            ["emcc", *link_flags, *options, str(object_), "-o", str(program)],
            env={**env, "EM_LLVM_ROOT": str(spied)},
        )
        called = (spied / "called").read_text(encoding="utf-8").splitlines()
        output = called.index("-o")
        del called[output : output + 2]
        called.remove(str(object_))
        text = "".join(f'"{word}"\n' for word in called)
        (self._directory / "link").write_text(text, encoding="utf-8")
