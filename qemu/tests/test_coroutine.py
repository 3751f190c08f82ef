"""Coroutines in Node: each has a thread, and runs as the thread that entered it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from bench.base.places import ROOT
from bench.build.recipes import qemu as recipe
from bench.engines.node import node_program
from bench.harness.products import obtain

pytestmark = pytest.mark.guest

PROGRAM = Path(__file__).resolve().parent / "coroutine"
UNDER_TEST = ROOT / "qemu/overlay/util/coroutine-threads.c"
LINKED = ["-sPROXY_TO_PTHREAD", "-sEXIT_RUNTIME", "-sENVIRONMENT=node,worker"]
LINKED += ["-sPTHREAD_POOL_SIZE=3"]


def qemus_flags() -> list[str]:
    """The flags that QEMU is compiled with."""
    line = recipe._configure(Path("sysroot"), Path("emcc"))
    (flags,) = (w.partition("=")[2] for w in line if w.startswith("--extra-cflags="))
    return [flag for flag in shlex.split(flags) if not flag.startswith("-I")]


def test_a_coroutine_is_the_thread_that_entered_it(tmp_path: Path) -> None:
    sources = [str(path) for path in (*PROGRAM.glob("*.c"), UNDER_TEST)]
    program = tmp_path / "coroutine.js"
    argv = ["emcc", *qemus_flags(), "-Wall", "-Werror", f"-I{PROGRAM}"]
    argv += [*LINKED, *sources, "-o", str(program)]
    environment = {**os.environ, "EM_CONFIG": "/usr/share/emscripten/.emscripten"}
    subprocess.run(argv, check=True, env=environment)
    node = node_program(obtain(["node"], Console(stderr=True)))
    done = subprocess.run(
        [str(node), str(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("0 wrong\n", 0), done.stderr
