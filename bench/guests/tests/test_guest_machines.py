"""Guests of every architecture and machine boot, end, keep time, and run under load.

One guest of each machine is always tested, except the Raspberry Pi's. `tierlab test
--full` tests the other guests and the whole matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.catalogue import GUESTS, GuestSpec
from bench.guests.manifest import load
from bench.guests.names import EVERY_MACHINE
from bench.harness.checks import check
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, run_boot
from bench.harness.run.policies import check_policy

pytestmark = pytest.mark.guest

TIERS_UNDER_LOAD = ("never", "threshold:n=100", "batch", "region")
TIMEOUT_S = 1200.0
CLOCK_S = 10

# Its four CPUs boot for minutes; test_guest_devices.py looks at the machine.
_SLOW = "aarch64-raspi3ap"
_USUAL = [spec for spec in GUESTS if spec.name in EVERY_MACHINE and spec.name != _SLOW]
_OTHERS = [spec for spec in GUESTS if spec not in _USUAL]


def each_guest() -> list[Any]:
    """All guests; some only as part of the whole matrix."""
    full = [pytest.param(s, id=s.name, marks=pytest.mark.full) for s in _OTHERS]
    return [*(pytest.param(s, id=s.name) for s in _USUAL), *full]


def boot_of(
    spec: GuestSpec, engine: str, tier: str | None = None, **options: Any
) -> Boot:
    """One boot, whose products are built."""
    names = [TIERS, spec.product, *find_engine(engine).products(spec.arch)]
    products = obtain(names, Console(stderr=True))
    policy = check_policy(products[TIERS], tier) if tier else None
    request = BootRequest(
        load(products[spec.product]), tier=policy.spec if policy else None, **options
    )
    return Boot(find_engine(engine), request, products, TIMEOUT_S, keep_tbs=False)


def phases(result: Mapping[str, Any]) -> list[str]:
    return [phase["phase"] for phase in result["phases"]]


@pytest.mark.parametrize("spec", each_guest())
@pytest.mark.parametrize("engine", ["node", "native"])
def test_every_guest_boots_and_powers_off(spec: GuestSpec, engine: str) -> None:
    tier = "batch" if engine == "node" else None
    result = run_boot(boot_of(spec, engine, tier, workload="sh"), {})
    assert result["ok"], result["failure"]
    assert result["exit"] == {"status": 0, "signal": None, "killed": None}
    # all markers that the guest declares, in their order
    wanted = ["kernel", "init", "workload-start", "workload-end"]
    assert phases(result) == (["firmware"] if spec.firmware_marker else []) + wanted


@pytest.mark.parametrize("spec", each_guest())
@pytest.mark.parametrize("engine", ["node", "native"])
def test_the_guests_status_is_qemus(spec: GuestSpec, engine: str) -> None:
    verdict = check.check_status(
        boot_of(spec, engine, "batch" if engine == "node" else None)
    )
    assert verdict.right, verdict.found


@pytest.mark.parametrize("spec", each_guest())
def test_no_warning_that_native_qemu_has_not(spec: GuestSpec) -> None:
    verdict = check.check_warnings(
        boot_of(spec, "node", "batch"), boot_of(spec, "native")
    )
    assert verdict.right, verdict.found


@pytest.mark.parametrize("spec", each_guest())
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_the_guests_clock_is_the_hosts(spec: GuestSpec, busy: bool) -> None:
    verdict = check.check_clock(boot_of(spec, "node", "batch"), CLOCK_S, busy)
    assert verdict.right, verdict.found


@pytest.mark.parametrize("spec", each_guest())
def test_memory_and_locks_on_four_vcpus(spec: GuestSpec) -> None:
    result = run_boot(boot_of(spec, "node", "batch", smp=4, workload="stress"), {})
    assert result["ok"], result["failure"]


@pytest.mark.full
@pytest.mark.parametrize("spec", each_guest())
@pytest.mark.parametrize("smp", [1, 2, 4])
@pytest.mark.parametrize("tier", TIERS_UNDER_LOAD)
def test_memory_and_locks_under_every_tier(
    spec: GuestSpec, smp: int, tier: str
) -> None:
    if spec.smp != 1 and smp != spec.smp:
        pytest.skip(f"this machine has {spec.smp} CPUs")
    options: dict[str, Any] = {"smp": smp, "workload": "stress:rounds=3"}
    result = run_boot(boot_of(spec, "node", tier, **options), {})
    assert result["ok"], result["failure"]


@pytest.mark.full
@pytest.mark.parametrize("spec", each_guest())
def test_two_processes_on_two_vcpus(spec: GuestSpec) -> None:
    options: dict[str, Any] = {"smp": max(2, spec.smp), "workload": "parallel:mib=1"}
    result = run_boot(boot_of(spec, "node", "region", **options), {})
    assert result["ok"], result["failure"]
    assert [r["n"] for r in result["rounds"]] == [0, 1, 2, 3, 4]
