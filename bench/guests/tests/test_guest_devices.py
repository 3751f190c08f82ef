"""Our machines have the same devices, with the same properties, as native QEMU's.

Otherwise a machine that one saved could not be resumed in the other, and guests would
see different machines.
"""

from __future__ import annotations

import difflib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.catalogue import GUESTS, GuestSpec
from bench.guests.manifest import load
from bench.guests.names import EVERY_MACHINE
from bench.harness.process.control import Control
from bench.harness.products import obtain

pytestmark = pytest.mark.guest

# One guest of each machine.
MACHINES = [spec for spec in GUESTS if spec.name in EVERY_MACHINE]
# Commands that show a machine that has not started.
VIEWS = ("info qtree", "info mtree")
ENDS_S = 30.0


def views(spec: GuestSpec, engine: str, smp: int, folder: Path) -> dict[str, str]:
    """The machine before its first instruction, as an engine's QEMU shows it."""
    driver = find_engine(engine)
    products = obtain([spec.product, *driver.products(spec.arch)], Console(stderr=True))
    guest = load(products[spec.product])
    guest = replace(guest, arguments=(*guest.arguments, "-S"))
    request = BootRequest(guest, control=folder / engine, smp=smp, tier="never")
    command = driver.command(request, products)
    with subprocess.Popen(
        command.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        try:
            control = Control(folder / engine)
            said = {
                line: control.execute("human-monitor-command", **{"command-line": line})
                for line in VIEWS
            }
            control.quit()
            process.wait(ENDS_S)
        finally:
            process.kill()
    return said


def in_order(said: str) -> list[str]:
    """The lines; QEMU shows address spaces in the order of their addresses."""
    parts = "\n".join(said.splitlines()).split("\n\n")
    return "\n".join(sorted(part.strip("\n") for part in parts)).split("\n")


@pytest.mark.parametrize("spec", MACHINES, ids=lambda spec: spec.name)
def test_every_machine_is_native_qemus(spec: GuestSpec, tmp_path: Path) -> None:
    smp = max(2, spec.smp)
    theirs, ours = (views(spec, engine, smp, tmp_path) for engine in ("native", "node"))
    for line in VIEWS:
        assert len(in_order(theirs[line])) > 10, theirs[line]
        pair = (in_order(theirs[line]), in_order(ours[line]))
        found = difflib.unified_diff(*pair, "native", "ours", lineterm="", n=1)
        assert not "\n".join(found)
