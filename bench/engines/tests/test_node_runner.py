"""The Node runner with a fake QEMU: how runs end, and what the runner reports."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.engines.node import RUNNER
from bench.harness.products import product_variable

FAKE = Path(__file__).with_name("fake_qemu.mjs")
LIMIT_S = 60.0


@pytest.mark.parametrize(
    ("how", "status", "last"),
    [
        ("exit", 3, "qemu: helper 7 cannot be called"),
        ("abort", 134, "tierlab: QEMU aborted: qemu: helper 7 cannot be called"),
        ("silent", 134, "tierlab: QEMU aborted: it did not say why"),
        ("trap", 134, "tierlab: QEMU aborted: unreachable"),
    ],
)
def test_how_qemu_ends(how: str, status: int, last: str) -> None:
    product = os.environ.get(product_variable("node"))
    node = f"{product}/bin/node" if product else shutil.which("node")
    if node is None:
        pytest.skip("no Node in PATH")
    argv = [node, str(RUNNER), "--program", str(FAKE), "--", how]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (status, last)
