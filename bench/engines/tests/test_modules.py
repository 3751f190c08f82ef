"""What Node writes of the modules that are compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.engines.node import MODULES, MODULES_VARIABLE
from bench.harness.products import product_variable

LIMIT_S = 60.0
HEAD = b"\0asm\1\0\0\0"
# A function without parameters; its name is given by the custom section "name".
FUNCTION = b"\1\4\1\x60\0\0" + b"\3\2\1\0" + b"\n\4\1\2\0\x0b"
NAMED = HEAD + FUNCTION + b"\0\x12\4name\1\x0b\1\0\x08region:8"
BARE = HEAD

# The main thread compiles the named module from a view, a worker the bare one.
PROGRAM = """
import { Worker, isMainThread } from 'node:worker_threads';
const bytes = (list) => new Uint8Array([7, ...list]).subarray(1);
if (isMainThread) {
    new WebAssembly.Instance(new WebAssembly.Module(bytes(NAMED)));
    new Worker(new URL(import.meta.url));
} else {
    new WebAssembly.Module(bytes(BARE));
    try {
        new WebAssembly.Module(bytes([1]));
    } catch (e) {
        console.log(e.name);
    }
}
"""


def test_modules_of_all_threads_are_written(tmp_path: Path) -> None:
    product = os.environ.get(product_variable("node"))
    node = f"{product}/bin/node" if product else shutil.which("node")
    if node is None:
        pytest.skip("no Node in PATH")
    text = PROGRAM.replace("NAMED", str([*NAMED])).replace("BARE", str([*BARE]))
    program = tmp_path / "program.mjs"
    program.write_text(text)
    folder = tmp_path / "a folder" / "of modules"
    done = subprocess.run(
        [node, f"--import={MODULES}", str(program)],
        env={**os.environ, MODULES_VARIABLE: str(folder)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "CompileError\n"), done.stderr
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert written == {
        "0-00001-region-8.wasm": NAMED,
        "1-00001-module.wasm": BARE,
    }
