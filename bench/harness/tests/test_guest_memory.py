"""With the largest memory, QEMU's heap is above 2 GiB, and code is still compiled.

JavaScript gets C's pointers as signed numbers.  If JavaScript does not make a pointer
above 2 GiB unsigned, the engine refuses the module, and all code stays in tier 0.
"""

from __future__ import annotations

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest, Switches
from bench.guests.manifest import load
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, run_boot
from bench.harness.run.policies import check_policy

pytestmark = pytest.mark.guest

GUEST, ARCH = "guest-riscv64-tiny", "riscv64"
# The largest memory that QEMU accepts on a 32-bit host.
GREATEST_MIB = 2047
TWO_GIB = 2 << 30
TIMEOUT_S = 600.0


@pytest.mark.parametrize("spec", ["threshold:n=50", "region:n=50,compiler=thread"])
def test_code_is_compiled_at_the_greatest_memory(spec: str) -> None:
    engine = find_engine("node")
    products = obtain([TIERS, GUEST, *engine.products(ARCH)], Console(stderr=True))
    request = BootRequest(
        load(products[GUEST]),
        workload="sh",
        tier=check_policy(products[TIERS], spec).spec,
        smp=2,
        memory_mib=GREATEST_MIB,
        switches=Switches(counts="exact"),
    )
    boot = Boot(engine, request, products, TIMEOUT_S, keep_tbs=False)
    result = run_boot(boot, {})
    assert result["ok"], result["failure"]
    counters = result["stats"]["counters"]
    assert counters["memory_bytes"] > TWO_GIB
    assert counters["refused_engine_refused"] == 0
    assert counters["modules_installed"] > 100
    assert counters["exec_tier1"] > counters["exec_tier0"]
