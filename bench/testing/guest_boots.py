"""Boots for tests: commands at a guest's prompt, and the guest's answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.catalogue import GUESTS
from bench.guests.devices.base import Device
from bench.guests.manifest import load
from bench.guests.names import SHELL
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, Terminal, run_boot
from bench.harness.run.policies import check_policy
from bench.testing.fakes import SHARED
from bench.testing.schema import check_form

TIMEOUT_S = 600.0
ENGINES = ("node", "native")
GIB = 1 << 30
# Most tests boot this guest. The other guests have other buses, or have their drivers
# in kernel modules. The Raspberry Pi has no place for a virtio device.
GUEST = "riscv64-tiny"
ARCH = "riscv64"
OTHERS = [
    (spec.name, spec.arch)
    for spec in GUESTS
    if spec.name != GUEST and spec.machine != "raspi3ap"
]
every_other_guest = pytest.mark.parametrize(("guest", "arch"), OTHERS)


def products_of(guest: str, arch: str, *others: str) -> dict[str, Path]:
    """The products that boots of this guest need."""
    names = [f"guest-{guest}", TIERS, *others]
    for engine in ENGINES:
        names += find_engine(engine).products(arch)
    return obtain(names, Console(stderr=True))


def boot(
    products: dict[str, Path],
    guest: str,
    engine: str,
    devices: Sequence[Device],
    commands: Sequence[str],
    tmp_path: Path,
) -> dict[str, Any]:
    """Type commands at the guest's prompt and power off; gives the result."""
    driver = find_engine(engine)
    request = BootRequest(
        load(products[f"guest-{guest}"]),
        workload=SHELL,
        tier=check_policy(products[TIERS], "region").spec if driver.has_tiers else None,
        devices=tuple(devices),
    )
    script = tmp_path / "commands"
    script.write_text("".join(f"{line}\n" for line in [*commands, "poweroff -f"]))
    with script.open("rb") as keyboard:
        terminal = Terminal(input_fd=keyboard.fileno(), hold_input=True)
        job = Boot(driver, request, products, TIMEOUT_S)
        result = run_boot(job, SHARED, terminal)
    check_form(result, "run")
    assert result["ok"], (result["failure"], result["console"]["text"][-2000:])
    return result


def said(result: dict[str, Any], pattern: str) -> bool:
    """Whether a whole line of the console matches."""
    text = result["console"]["text"].replace("\r", "")
    return re.search(rf"^{pattern}$", text, re.MULTILINE) is not None
