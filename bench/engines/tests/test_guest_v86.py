"""A real guest in the peer v86: it ends, and is judged, as in QEMU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.guests.manifest import load
from bench.harness.products import obtain
from bench.harness.run.boot import Boot, run_boot

# Not in the usual run, which must need neither v86 nor this guest.
pytestmark = [pytest.mark.guest, pytest.mark.full]

ARCH = "x86_64"
GUEST = "guest-i386-debian"
ENGINE = "v86"
TIMEOUT_S = 600.0


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    names = [GUEST, *find_engine(ENGINE).products(ARCH)]
    return obtain(names, Console(stderr=True))


@pytest.fixture(scope="module")
def guest(products: Mapping[str, Path]) -> Guest:
    return load(products[GUEST])


def boot(guest: Guest, products: Mapping[str, Path], workload: str) -> dict[str, Any]:
    request = BootRequest(guest, workload=workload)
    return run_boot(Boot(find_engine(ENGINE), request, products, TIMEOUT_S), {})


def test_a_boot_with_a_workload(guest: Guest, products: Mapping[str, Path]) -> None:
    result = boot(guest, products, "sha256:mib=1,rounds=2")
    assert result["ok"], result["failure"]
    reached = [phase["phase"] for phase in result["phases"]]
    # v86's firmware has no serial console.
    assert reached == ["kernel", "init", "workload-start", "workload-end"]
    assert len(result["rounds"]) == 3
    facts = result["provenance"]["engine"]
    assert facts["v86"].startswith("0.5.") and facts["firmware"].startswith("seabios")
    assert facts["node"].startswith("node v26")


def test_a_guest_that_fails_says_so(guest: Guest, products: Mapping[str, Path]) -> None:
    result = boot(guest, products, "no-such-workload")
    assert result["exit"]["status"] == 2 << 1 | 1
    assert result["failure"]["kind"] == "workload"
