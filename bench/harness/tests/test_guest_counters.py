"""The runtime sets every counter of tiers/counters.def in one of a few boots.

The list of counters comes from `tier-list`, so this test fails for a new counter that
no code sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest, Switches
from bench.guests.manifest import load
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, run_boot
from bench.harness.run.policies import check_policy, declared

pytestmark = pytest.mark.guest

GUEST, ARCH = "guest-riscv64-tiny", "riscv64"
TIMEOUT_S = 600.0

# Regions, all executions counted, exact instruction counts, and a code buffer whose
# sections are evicted.
COUNTED: dict[str, Any] = {
    "tier": "region:n=50",
    "tb_size_mib": 8,
    "icount": 1,
    "switches": Switches(counts="exact"),
}
# Functions, two vCPUs, code that is overwritten, and room for few modules.
CROWDED: dict[str, Any] = {
    "tier": "threshold:n=50,evict=clock,max-modules=300",
    "smp": 2,
    "workload": "churn:rounds=1,seconds=0",
}
# A code buffer so small that it is flushed all the time: many TBs die.
FLUSHED: dict[str, Any] = {
    "tier": "never:buffer=flush-all",
    "tb_size_mib": 1,
    "workload": "churn:rounds=1,seconds=0",
}


@pytest.fixture(scope="module")
def products() -> Mapping[str, Any]:
    names = [TIERS, GUEST, *find_engine("node").products(ARCH)]
    return obtain(names, Console(stderr=True))


def counters_of(
    products: Mapping[str, Any], tier: str, **options: Any
) -> dict[str, Any]:
    """The counters of one boot."""
    spec = check_policy(products[TIERS], tier).spec
    request = BootRequest(load(products[GUEST]), tier=spec, **options)
    boot = Boot(find_engine("node"), request, products, TIMEOUT_S, keep_tbs=False)
    result = run_boot(boot, {})
    assert result["ok"], result["failure"]
    counters: dict[str, Any] = result["stats"]["counters"]
    return counters


def test_every_counter_is_set_by_somebody(products: Mapping[str, Any]) -> None:
    boots = [counters_of(products, **how) for how in (COUNTED, CROWDED, FLUSHED)]
    names = [counter["name"] for counter in declared(products[TIERS])["counters"]]
    assert names
    untouched = [n for n in names if not any(counters[n] for counters in boots)]
    assert not untouched
