"""Files whose bytes the runner has, without QEMU: runfs-check.c in Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from bench.base.places import ROOT
from bench.harness.products import obtain
from qemu.tests.linked import link

pytestmark = pytest.mark.skipif(
    shutil.which("emcc") is None, reason="outside the reference environment"
)

RUN = """
import { DiskCalls } from '%(web)s/disk-calls.mjs';
import { DiskFile } from '%(web)s/disk-file.mjs';
const content = {
    piece: 2 ** 18, size: 6 * 2 ** 30, isHole: () => false,
    async fetch(n) {
        await new Promise((resolve) => setTimeout(resolve, n %% 3));
        if (n === 7) {
            throw new Error('there is no piece 7');
        }
        return new Uint8Array(2 ** 18).fill(n);
    },
};
const options = { retryMs: [1], givenUpMs: 1, keptBytes: 2 ** 20 };
let calls;
console.warn = () => {};
const given = {
    onFileCall: (call) => void calls.answer(call),
    onRuntimeInitialized() {
        calls = new DiskCalls(given);
        calls.add('/disks/0-big.img', new DiskFile(content, options), false);
        calls.add('/disks/1-fixed.img', new DiskFile(content), true);
    },
    onExit: (status) => process.exit(status),
};
const { default: create } = await import('./check.mjs');
await create(given);
"""


def test_files_of_the_runner(tmp_path: Path) -> None:
    exported = "_main,_tw_mem_buffer,_tw_run_add"
    settings = [f"-sEXPORTED_FUNCTIONS={exported}", "-sPTHREAD_POOL_SIZE=6"]
    settings.append("-sEXPORTED_RUNTIME_METHODS=wasmMemory")
    link("runfs-check.c", tmp_path, *settings)
    (tmp_path / "run.mjs").write_text(RUN % {"web": ROOT / "bench/engines/web"})
    node = obtain(["node"], Console(stderr=True))["node"] / "bin" / "node"
    done = subprocess.run(
        [str(node), "run.mjs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("all is well\n", "", 0)
