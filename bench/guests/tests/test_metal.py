"""The bare-metal images, through their descriptions, in every tier.

The images check themselves, and must print the same in every tier.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.description import describe
from bench.guests.guest import Guest
from bench.guests.metal.build import IMAGES, build, find
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, run_boot
from bench.harness.run.policies import check_policy

pytestmark = pytest.mark.guest

TIMEOUT_S = 300.0
NAMES = [image.name for image in IMAGES]
POLICIES = (
    "never",
    "threshold:n=1",
    "threshold:n=20",
    "always",
    "batch:n=20",
    "region:n=10",
    # A policy under which modules are given up all the time.
    "batch:n=10,size=8,evict=clock,max-modules=20",
)
# All checks but `traps` and `rounding`, which have each architecture's own causes of
# traps, instructions and flags, print the same on all architectures.
EXPECTED = {
    "integer": "0592e758eee76a1f",
    "branches": "00ed0eeffee67826",
    "memory": "33654d9554da0e12",
    "hot": "48cf24895fbb6475",
    "code": "a542ba31d3a1d8f6",
    "timer": "284799f775201330",
    "atomics": "7c0d26b4493fa67f",
    "float": "780b2c23fc756f2f",
    "vectors": "fa99e82fc76f4b6a",
}

# By the first part of an image's name; native QEMU's.
ROUNDING = {
    "riscv64": "d10e4c1859fe28e5",
    "x86_64": "399d233b74423272",
    "aarch64": "0c4c73ec75c76ec9",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metal")


def made(name: str, folder: Path) -> Guest:
    """The guest of an image, which is built at its first use."""
    elf = folder / f"{name}.elf"
    if not elf.exists():
        build(name, folder)
    return describe(find(name).description, elf)


def boot(guest: Guest, tier: str | None) -> dict[str, Any]:
    driver = find_engine("node" if tier else "native")
    products = obtain([*driver.products(guest.arch), TIERS], Console(stderr=True))
    policy = check_policy(products[TIERS], tier) if tier else None
    request = BootRequest(guest, tier=policy.spec if policy else None)
    return run_boot(Boot(driver, request, products, TIMEOUT_S), {})


def digests(result: dict[str, Any]) -> dict[str, str]:
    """Check -> digest; the firmware may have left its line unfinished."""
    lines = [
        line.rpartition("ok ")[2] for line in result["console"]["text"].split("\n")
    ]
    words = [line.split() for line in lines]
    return {w[0]: w[1] for w in words if len(w) == 2 and len(w[1]) == 16}


def rounding(name: str) -> str:
    """The digest of the check `rounding`, which an image's architecture has."""
    return next(own for arch, own in ROUNDING.items() if name.startswith(arch))


@pytest.mark.parametrize("name", NAMES)
def test_native_qemu_passes(name: str, folder: Path) -> None:
    result = boot(made(name, folder), None)
    assert result["ok"], (result["failure"], result["console"]["text"])
    found = digests(result)
    assert found.pop("traps") and found.pop("rounding") == rounding(name)
    assert found == EXPECTED


@pytest.mark.parametrize("tier", POLICIES)
@pytest.mark.parametrize("name", NAMES)
def test_every_tier_passes(name: str, tier: str, folder: Path) -> None:
    result = boot(made(name, folder), tier)
    assert result["ok"], (result["failure"], result["console"]["text"][-200:])
    found = digests(result)
    assert found.pop("traps") and found.pop("rounding") == rounding(name)
    assert found == EXPECTED
    compiled = result["stats"]["counters"]["tbs_compiled"]
    assert (compiled > 0) == (tier != "never")


def changed(name: str, folder: Path, old: str, new: str, kernel: bool) -> Guest:
    """The guest of an image by a changed description."""
    made(name, folder)
    text = find(name).description.read_text()
    assert text.count(old) == 1
    path = folder / f"{name}-changed.toml"
    path.write_text(text.replace(old, new))
    return describe(path, folder / f"{name}.elf" if kernel else None)


@pytest.mark.parametrize("tier", [None, "region:n=10"])
def test_an_image_that_is_loaded(tier: str | None, folder: Path) -> None:
    loaded = '[[load]]\nfile = "riscv64-m.elf"\ncpu = 0\n[end]'
    result = boot(changed("riscv64-m", folder, "[end]", loaded, kernel=False), tier)
    assert result["ok"], (result["failure"], result["console"]["text"][-200:])
    assert digests(result)["hot"] == EXPECTED["hot"]


@pytest.mark.parametrize("tier", [None, "region:n=10"])
def test_another_machine(tier: str | None, folder: Path) -> None:
    result = boot(changed("x86_64", folder, '"pc"', '"q35"', kernel=True), tier)
    assert result["ok"], (result["failure"], result["console"]["text"][-200:])
    assert digests(result)["hot"] == EXPECTED["hot"]


@pytest.mark.parametrize("tier", [None, "region:n=10"])
def test_another_makers_machine(tier: str | None, folder: Path) -> None:
    made("riscv64-s", folder)
    path = folder / "sifive.toml"
    path.write_text(
        'arch = "riscv64"\nmachine = "sifive_u"\nsmp = 2\nmemory_mib = 128\n'
        'kernel = "riscv64-s.elf"\n[end]\nby = "marker"\npass = "^OpenSBI v"\n'
    )
    result = boot(describe(path), tier)
    assert result["ok"], (result["failure"], result["console"]["text"][-200:])


@pytest.mark.parametrize("tier", [None, "region:n=10"])
def test_what_is_computed_wrongly_is_noticed(
    tier: str | None, folder: Path, tmp_path: Path
) -> None:
    """With a wrong constant the fourth check, SHA-256, fails."""
    made("riscv64-m", folder)
    image = (folder / "riscv64-m.elf").read_bytes()
    constant = (0x428A2F98).to_bytes(4, "little")
    assert image.count(constant) == 1
    broken = tmp_path / "image.elf"
    broken.write_bytes(image.replace(constant, bytes(4)))
    result = boot(describe(find("riscv64-m").description, broken), tier)
    assert result["failure"]["kind"] == "exit-status"
    assert result["exit"]["status"] == 4
    assert "FAIL hot, line " in result["console"]["text"]
