"""Real guests in real engines: the same guest under every tier.

Under -icount the guest's clock counts instructions, so that all that it does
and prints follows from its instructions alone.  Whatever a tier gets wrong
shows in the console, in the number of instructions, or in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.boot import idle
from bench.boot.policies import check_policy
from bench.boot.products import TIERS, obtain
from bench.boot.run import Boot, run_boot
from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.manifest import Guest, load

pytestmark = pytest.mark.guest

ARCH = "riscv64"
GUEST = f"guest-{ARCH}-tiny"
TIERS_COMPARED = ("never", "always", "threshold:n=1", "threshold:n=100", "threshold")
ICOUNT_SHIFT = 1
TIMEOUT_S = 600.0
IDLE_LIMIT = 0.15


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    names = [GUEST, TIERS]
    for engine in ("node", "native"):
        names += find_engine(engine).products(ARCH)
    return obtain(names, Console(stderr=True))


@pytest.fixture(scope="module")
def guest(products: Mapping[str, Path]) -> Guest:
    return load(products[GUEST])


def job(
    guest: Guest,
    products: Mapping[str, Path],
    engine: str = "node",
    *,
    tier: str | None = None,
    timeout: float = TIMEOUT_S,
    **options: Any,
) -> Boot:
    spec = check_policy(products[TIERS], tier).spec if tier else None
    request = BootRequest(guest, tier=spec, **options)
    return Boot(find_engine(engine), request, products, timeout)


def boot(
    guest: Guest,
    products: Mapping[str, Path],
    engine: str = "node",
    **options: Any,
) -> dict[str, Any]:
    return run_boot(job(guest, products, engine, **options), {})


@pytest.fixture(scope="module")
def reference(guest: Guest, products: Mapping[str, Path]) -> dict[str, Any]:
    """The guest interpreted, counting instructions."""
    return boot(guest, products, tier="never", icount=ICOUNT_SHIFT, workload="sh")


def test_the_reference_boots_and_counts(reference: dict[str, Any]) -> None:
    assert reference["ok"], reference["failure"]
    counters = reference["stats"]["counters"]
    # Each instruction takes 2^shift ns, and the guest says how long it ran.
    end = next(p for p in reference["phases"] if p["phase"] == "workload-end")
    counted_s = counters["icount_insns"] * 2**ICOUNT_SHIFT / 1e9
    assert counted_s == pytest.approx(end["guest_s"], abs=1.0)
    assert counters["tbs_compiled"] == 0


@pytest.mark.parametrize("tier", TIERS_COMPARED)
def test_every_tier_runs_the_same_guest(
    tier: str,
    guest: Guest,
    products: Mapping[str, Path],
    reference: dict[str, Any],
) -> None:
    result = boot(guest, products, tier=tier, icount=ICOUNT_SHIFT, workload="sh")
    assert result["ok"], result["failure"]
    ours, theirs = result["stats"]["counters"], reference["stats"]["counters"]
    assert (ours["tbs_compiled"] > 0) == (tier != "never")
    assert result["console"]["text"] == reference["console"]["text"]
    assert ours["icount_insns"] == theirs["icount_insns"]


def test_native_qemu_runs_the_same_guest(
    guest: Guest, products: Mapping[str, Path], reference: dict[str, Any]
) -> None:
    result = boot(guest, products, "native", icount=ICOUNT_SHIFT, workload="sh")
    assert result["ok"], result["failure"]
    assert result["console"]["text"] == reference["console"]["text"]


@pytest.mark.parametrize("workload", ["none", "sha256", "gzip", "sh"])
def test_every_workload_ends_well(
    workload: str, guest: Guest, products: Mapping[str, Path]
) -> None:
    result = boot(guest, products, tier="threshold:n=100", workload=workload)
    assert result["ok"], result["failure"]
    assert result["stats"]["counters"]["tbs_compiled"] > 0
    assert result["stats"]["tbs"]["count"] > 0


@pytest.mark.parametrize("engine", ["node", "native"])
def test_the_guests_status_is_the_engines(
    engine: str, guest: Guest, products: Mapping[str, Path]
) -> None:
    tier = "threshold" if engine == "node" else None
    result = boot(guest, products, engine, tier=tier, workload="nonsense")
    # /init knows no such workload: status 2, by the machine's own device.
    assert result["exit"]["status"] == 2
    assert result["failure"]["kind"] == "workload"


def test_a_kernel_that_does_not_boot_is_a_failed_run(
    guest: Guest, products: Mapping[str, Path], tmp_path: Path
) -> None:
    raw = (products[GUEST] / "kernel").read_bytes()
    broken = tmp_path / "guest"
    broken.mkdir()
    # The entry is sound; the rest is zeroes.
    (broken / "kernel").write_bytes(raw[:4096] + bytes(len(raw) - 4096))
    for name in ("initrd", "guest.json"):
        (broken / name).symlink_to(products[GUEST] / name)
    result = boot(load(broken), products, tier="never", timeout=5.0)
    assert not result["ok"]
    assert result["failure"]["kind"] in ("timeout", "panic", "exit-status")
    assert all(p["phase"] == "firmware" for p in result["phases"])


def test_an_idle_guest_leaves_the_core_alone(
    guest: Guest, products: Mapping[str, Path]
) -> None:
    result = idle.idle_share(job(guest, products, tier="threshold"), {})
    assert result["ok"], result["failure"]
    assert result["idle_share"] < IDLE_LIMIT
