"""The patterns of `mechanisms` are right under a compiling tier, and all report."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.catalogue import PATTERNS, GuestSpec, find_guest
from bench.guests.manifest import load
from bench.guests.names import EVERY_MACHINE
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, run_boot
from bench.harness.run.policies import check_policy
from bench.testing.fakes import SHARED
from bench.testing.schema import check_form

pytestmark = pytest.mark.guest

TIMEOUT_S = 600.0
# So few executions that the policy must compile early.
TIER = "region:n=10"
SHORT = "mechanisms:ms=4,warm=30"


def measured(spec: GuestSpec) -> dict[str, Any]:
    engine = find_engine("node")
    products = obtain([TIERS, spec.product, *engine.products(spec.arch)], Console())
    request = BootRequest(
        load(products[spec.product]),
        tier=check_policy(products[TIERS], TIER).spec,
        workload=SHORT,
    )
    return run_boot(Boot(engine, request, products, TIMEOUT_S), SHARED)


@pytest.mark.parametrize(
    "name",
    ["riscv64-tiny"]
    + [
        pytest.param(name, marks=pytest.mark.full)
        for name in (*EVERY_MACHINE, "i386-debian")
        if name != "riscv64-tiny"
    ],
)
def test_all_patterns_report_and_are_right(name: str) -> None:
    result = measured(find_guest(name))
    check_form(result, "run")
    assert result["ok"], (result["failure"], result["console"]["text"][-1000:])
    figures = result["figures"]
    assert tuple(figure["name"] for figure in figures) == PATTERNS
    assert all(figure["value"] > 0 for figure in figures)
    assert {figure["unit"] for figure in figures} == {"Minsn/s", "Mop/s", "k/s"}
    assert result["stats"]["counters"]["tbs_compiled"] > 2000
