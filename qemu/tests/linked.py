"""Links a check as QEMU is linked: with libtwposix, for Node."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bench.base.places import ROOT
from bench.build.recipes import emscripten as toolchain
from bench.build.recipes import qemu as recipe

HERE = Path(__file__).resolve().parent
POSIX = ROOT / recipe.POSIX


def link(source: str, out: Path, *flags: str) -> None:
    """Make check.mjs in the folder `out` of a source beside this file."""
    sources = [str(HERE / source), *map(str, sorted(POSIX.glob("*.c")))]
    argv = ["emcc", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]
    argv += [*toolchain.FLAGS, "-matomics", "-mbulk-memory", *sources]
    argv += [f"-I{ROOT}/qemu/deps/include", f"-I{POSIX}"]
    argv += [f"-Wl,--wrap={name}" for name in recipe.WRAPPED]
    argv += ["-Wl,--undefined=tw_futex_wake"]
    argv += [f"--js-library={POSIX}/{name}" for name in recipe.SCRIPTS]
    for setting in (
        "PROXY_TO_PTHREAD", "EXIT_RUNTIME", "MODULARIZE", "EXPORT_ES6", "WASM_BIGINT",
        "ALLOW_MEMORY_GROWTH", "MAXIMUM_MEMORY=4GB", "FORCE_FILESYSTEM",
        "ENVIRONMENT=web,worker,node", "PTHREAD_POOL_SIZE=2",
    ):  # fmt: skip
        argv.append(f"-s{setting}")
    argv += ["-Wno-pthreads-mem-growth", *flags, "-o", str(out / "check.mjs")]
    env = {**os.environ, "EM_CONFIG": "/usr/share/emscripten/.emscripten"}
    subprocess.run(argv, env=env, check=True)
