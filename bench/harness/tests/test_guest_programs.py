"""A real program runs in a guest: from a disk that nobody plugged in by hand."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.names import find_guest
from bench.harness.products import TIERS, obtain, obtain_for
from bench.harness.run.boot import Boot, run_boot
from bench.harness.run.equip import equipped
from bench.harness.run.policies import check_policy
from bench.testing.fakes import SHARED
from bench.testing.guest_boots import ENGINES, TIMEOUT_S, said
from bench.testing.schema import check_form

pytestmark = pytest.mark.guest

GUEST = "riscv64-debian"
WORKLOAD = "lua:rounds=1"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_program_runs_and_is_right(engine: str) -> None:
    products, guests = obtain_for([find_guest(GUEST)], [engine], (), [WORKLOAD])
    products |= obtain([TIERS], Console(stderr=True))
    driver = find_engine(engine)
    tier = check_policy(products[TIERS], "region").spec if driver.has_tiers else None
    request = equipped(BootRequest(guests[GUEST], WORKLOAD, tier=tier), products)
    result = run_boot(Boot(driver, request, products, TIMEOUT_S), SHARED)
    check_form(result, "run")
    assert result["ok"], (result["failure"], result["console"]["text"][-2000:])
    assert said(result, r"@tierlab root guest=\S+ name=vda status=0")
    assert said(result, r"lua 1 rounds [0-9a-f]{64}  -")
    assert [one["n"] for one in result["rounds"]] == [0, 1]
    assert result["config"]["memory_mib"] == 512
    disks: list[dict[str, Any]] = result["config"]["devices"]
    assert [(d["file"], d["readonly"]) for d in disks] == [("lua-riscv64.img", True)]
