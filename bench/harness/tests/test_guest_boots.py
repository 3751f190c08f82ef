"""Real guests in real engines: the same guest under every tier.

Under -icount the guest's clock counts instructions, so that the guest's behaviour and
output depend on its instructions alone.  Each fault of a tier changes the console, the
number of instructions, or both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.load import unpack_tbs
from bench.base.places import ROOT
from bench.base.settings import choices
from bench.engines import find_engine
from bench.engines.base import BootRequest, Switches
from bench.guests.guest import Guest
from bench.guests.manifest import load
from bench.harness.checks import idle
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, run_boot
from bench.harness.run.policies import PROFILE, check_policy
from bench.harness.run.profile import profile_text
from bench.testing.fakes import SHARED
from bench.testing.schema import check_form

pytestmark = pytest.mark.guest

TIERS_SOURCE = ROOT / "tiers"

ARCH = "riscv64"
GUEST = f"guest-{ARCH}-tiny"
STILL = "guest-aarch64-debian"
WORKLOAD = "sh"
ICOUNT_SHIFT = 1
# The code cache holds so few modules that eviction goes on all the time.
SMALL = 60
# Specs whose parameters give other groups and shapes than the defaults.
VARIANTS = (
    "threshold:n=1",
    "batch:n=20,size=16,by=heat",
    "batch:n=20,size=16,by=page",
    "batch:n=20,shape=regions",
    "region:n=10",
    "threshold:n=20,compiler=thread",
    "region:n=10,compiler=thread",
    "batch:n=20,size=8,max-modules=150,compiler=thread",
)
TIMEOUT_S = 600.0
IDLE_LIMIT = 0.15


def listed(name: str) -> list[str]:
    """The names in one of the lists of tiers/: X(identifier[, "name"])."""
    text = (TIERS_SOURCE / name).read_text()
    lines = re.findall(r"^X\((\w+)(?:, \"([\w-]+)\")?\)", text, re.MULTILINE)
    return [name or identifier.replace("_", "-") for identifier, name in lines]


def every_policy() -> list[str]:
    """A spec with default parameters for each policy."""
    return [
        f"{p}:from=@PROFILE@" if p == PROFILE else p for p in listed("policies.def")
    ]


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
    policy = check_policy(products[TIERS], tier) if tier else None
    request = BootRequest(
        guest,
        tier=policy.spec if policy else None,
        profile=policy.profile if policy else None,
        **options,
    )
    return Boot(find_engine(engine), request, products, timeout)


def boot(
    guest: Guest,
    products: Mapping[str, Path],
    engine: str = "node",
    **options: Any,
) -> dict[str, Any]:
    result = run_boot(job(guest, products, engine, **options), SHARED)
    check_form(result, "run")
    return result


Reference = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def reference(guest: Guest, products: Mapping[str, Path]) -> Reference:
    """Interprets the guest, counting instructions; boots once for each workload."""
    made: dict[str, dict[str, Any]] = {}

    def of(workload: str = WORKLOAD, **options: Any) -> dict[str, Any]:
        key = f"{workload} {options}"
        if key not in made:
            made[key] = boot(
                guest,
                products,
                tier="never",
                icount=ICOUNT_SHIFT,
                workload=workload,
                **options,
            )
        return made[key]

    return of


@pytest.fixture(scope="module")
def profile(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of the reference, for the policy that starts from a profile."""
    path = tmp_path_factory.mktemp("profiles") / "reference.profile"
    path.write_text(profile_text(reference(), "the reference"))
    return path


@pytest.fixture
def same_guest(
    guest: Guest, products: Mapping[str, Path], reference: Reference, profile: Path
) -> Reference:
    """Boots under a tier, and checks that the guest does the same as interpreted."""

    def check(tier: str, workload: str = WORKLOAD, **options: Any) -> dict[str, Any]:
        spec = tier.replace("@PROFILE@", str(profile))
        result = boot(
            guest,
            products,
            tier=spec,
            icount=ICOUNT_SHIFT,
            workload=workload,
            **options,
        )
        assert result["ok"], result["failure"]
        # The reference has the same machine, but the default switches.
        options.pop("switches", None)
        wanted = reference(workload, **options)
        assert result["console"]["text"] == wanted["console"]["text"]
        ours, theirs = counters(result), counters(wanted)
        assert ours["icount_insns"] == theirs["icount_insns"]
        return ours

    return check


def counters(result: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = result["stats"]["counters"]
    return found


def refused(found: Mapping[str, Any], why: str) -> int:
    """How often compiling was refused for this reason."""
    return int(found[f"refused_{why.replace('-', '_')}"])


def test_the_reference_boots_and_counts(reference: Reference) -> None:
    result = reference()
    assert result["ok"], result["failure"]
    # Each instruction takes 2^shift ns, and the guest prints how long it ran.
    end = next(p for p in result["phases"] if p["phase"] == "workload-end")
    counted_s = counters(result)["icount_insns"] * 2**ICOUNT_SHIFT / 1e9
    assert counted_s == pytest.approx(end["guest_s"], abs=1.0)
    assert counters(result)["tbs_compiled"] == 0


@pytest.mark.parametrize("tier", [*every_policy(), *VARIANTS])
def test_every_policy_runs_the_same_guest(tier: str, same_guest: Reference) -> None:
    found = same_guest(tier)
    assert (found["tbs_compiled"] > 0) == (tier != "never")


@pytest.mark.parametrize("shape", ["functions", "regions"])
@pytest.mark.parametrize("eviction", listed("evictions.def"))
def test_every_eviction_policy_runs_the_same_guest(
    eviction: str, shape: str, same_guest: Reference
) -> None:
    # Batches and regions, because `always` would compile each evicted TB again at its
    # next entry, and one module for each TB is slow.
    tier, small = (
        ("batch:size=8", 150) if shape == "functions" else ("region:size=64", 25)
    )
    found = same_guest(f"{tier},n=50,evict={eviction},max-modules={small}")
    assert found["modules_alive_max"] <= small
    if eviction == "fill-only":
        assert refused(found, "full-modules") > 0 and found["modules_evicted"] == 0
    else:
        assert found["modules_evicted"] > 0 and found["tbs_demoted"] > 0


@pytest.mark.parametrize("budget", ["max-slots=2000", "max-code=2", "max-maps=400"])
def test_every_budget_is_kept(budget: str, same_guest: Reference) -> None:
    found = same_guest(f"batch:n=10,size=8,{budget}")
    assert found["modules_evicted"] > 0
    name, _, limit = budget.partition("=")
    column, unit = {
        "max-slots": ("table_slots_used_max", 1),
        "max-code": ("wasm_bytes_alive_max", 2**20),
        "max-maps": ("module_maps_max", 1),
    }[name]
    assert 0 < found[column] <= int(limit) * unit


@pytest.mark.parametrize("fault", ["engine-refused", "table-full", "no-memory"])
def test_a_compilation_that_fails_is_counted_and_interpreted(
    fault: str, same_guest: Reference
) -> None:
    found = same_guest("threshold:n=10", switches=Switches(fault=f"{fault}:3"))
    assert refused(found, fault) > 0
    # The fault hits every third module, so two of three are installed.
    assert found["modules_installed"] > refused(found, fault)


def test_all_faults_at_once_with_groups(same_guest: Reference) -> None:
    faults = "engine-refused:2,table-full:3,no-memory:5"
    found = same_guest("batch:n=50", switches=Switches(fault=faults))
    for fault in ("engine-refused", "table-full", "no-memory"):
        assert refused(found, fault) > 0
    assert found["tbs_compiled"] > 0


@pytest.mark.parametrize("chain", choices("chain"))
@pytest.mark.parametrize("counts", choices("counts"))
def test_switches_do_not_change_the_guest(
    chain: str, counts: str, same_guest: Reference
) -> None:
    found = same_guest("batch:n=50", switches=Switches(chain, counts))
    assert (found["exec_tier1"] > 0) == (counts != "off")


def executions(result: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """The executions of each TB in all tiers, by address and hash of its code."""
    assert result["ok"], result["failure"]
    found: Counter[tuple[str, str]] = Counter()
    tbs = unpack_tbs(result["stats"]["tbs"])
    names = ("guest_pc", "hash", "exec_tier0", "exec_tier1")
    for pc, code, tier0, tier1 in zip(*(tbs[name] for name in names), strict=True):
        found[pc, code] += tier0 + tier1
    return found


def test_exact_counts_are_those_of_the_interpreter() -> None:
    """Compiled code counts as many executions of each TB as the interpreter.

    The test needs a machine that stops at power-off: riscv64's spins until QEMU ends.
    """
    products = obtain(
        [TIERS, STILL, *find_engine("node").products("aarch64")], Console(stderr=True)
    )
    options: dict[str, Any] = {"icount": ICOUNT_SHIFT, "workload": WORKLOAD}
    exact = Switches(counts="exact")
    still = load(products[STILL])
    theirs = executions(boot(still, products, tier="never", **options))
    ours = executions(
        boot(still, products, tier="threshold:n=50", switches=exact, **options)
    )
    assert sum(ours.values()) > 10_000_000
    assert ours == theirs


@pytest.mark.parametrize(
    "tier",
    [
        "batch:n=50,size=8,max-modules=150,buffer=flush-all",
        "batch:n=50,size=8,compiler=thread,buffer=least-used",
        "region:n=50,buffer=oldest",
    ],
)
def test_code_that_comes_and_goes(tier: str, same_guest: Reference) -> None:
    found = same_guest(tier, "churn:rounds=2", tb_size_mib=4)
    assert found["tbs_invalidated"] > 0 and found["tbs_retranslated"] > 0
    if "flush-all" in tier:
        assert found["tb_flushes"] > 0 and found["sections_evicted"] == 0
    else:
        assert found["tb_flushes"] == 0 and found["tbs_evicted"] > 10_000
    # The runtime has released the modules that lost their TBs.
    assert found["modules_retired"] > 0
    assert found["modules_alive"] <= found["modules_installed"] - (
        found["modules_retired"]
    )


def test_four_vcpus_give_modules_up(guest: Guest, products: Mapping[str, Path]) -> None:
    tier = f"region:n=50,max-modules={SMALL}"
    result = boot(guest, products, tier=tier, smp=4, workload="sh")
    assert result["ok"], result["failure"]
    assert counters(result)["modules_evicted"] > 0


@pytest.mark.full
@pytest.mark.parametrize("workload", ["none", "sha256:mib=1", "gzip", "churn:rounds=2"])
@pytest.mark.parametrize("tier", [*every_policy(), *VARIANTS])
def test_every_policy_on_every_workload(
    tier: str, workload: str, same_guest: Reference
) -> None:
    same_guest(tier, workload)


@pytest.mark.full
@pytest.mark.parametrize(
    "workload", ["none", "sh", "sha256:mib=1", "gzip", "churn:rounds=2"]
)
@pytest.mark.parametrize("tier", ["threshold:n=50", "batch:n=50,size=8", "region:n=50"])
@pytest.mark.parametrize("eviction", listed("evictions.def"))
def test_every_eviction_policy_on_every_workload(
    eviction: str, tier: str, workload: str, same_guest: Reference
) -> None:
    same_guest(f"{tier},evict={eviction},max-modules={SMALL}", workload)


def test_native_qemu_runs_the_same_guest(
    guest: Guest, products: Mapping[str, Path], reference: Reference
) -> None:
    result = boot(guest, products, "native", icount=ICOUNT_SHIFT, workload=WORKLOAD)
    assert result["ok"], result["failure"]
    assert result["console"]["text"] == reference()["console"]["text"]


@pytest.mark.parametrize("workload", ["none", "sha256", "gzip", "sh", "churn"])
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
    # /init refuses a workload that it does not know, with status 2, which it reports
    # through a device of the machine.
    assert result["exit"]["status"] == 2
    assert result["failure"]["kind"] == "workload"


def test_a_kernel_that_does_not_boot_is_a_failed_run(
    guest: Guest, products: Mapping[str, Path], tmp_path: Path
) -> None:
    raw = (products[GUEST] / "kernel").read_bytes()
    broken = tmp_path / "guest"
    broken.mkdir()
    # The kernel's entry is intact, and the rest is zeroes.
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
