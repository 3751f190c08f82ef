"""Real machines saved and resumed: across policies, engines and CPUs.

Under -icount a guest's output depends on its instructions alone, clock readings
included.  So the output until a machine is saved and the output after it is resumed
elsewhere, put together, must equal the output of a machine that was never saved.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.base.errors import TierlabError
from bench.engines import find_engine
from bench.engines import x86_clock as tsc
from bench.engines.base import BootRequest
from bench.guests.manifest import load
from bench.guests.names import known_guests
from bench.harness.checks.check import clock_rate
from bench.harness.process.control import Control
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, Terminal, run_boot
from bench.harness.run.policies import check_policy
from bench.harness.snapshots.file import Snapshot, read_snapshot
from bench.harness.snapshots.migration import Restore, Save
from bench.harness.suites.saved_machines import resumed

pytestmark = pytest.mark.guest

GUEST = "riscv64-tiny"
MACHINES = ("riscv64-tiny", "x86_64-debian", "aarch64-debian")
# A machine with another clock beside the time stamp counter, and one without.
X86_MACHINES = ("x86_64-debian", "x86_64-debian-microvm")
WORKLOAD = "sh"
ICOUNT_SHIFT = 1
NATIVE = "native"
TIMEOUT_S = 600.0

# Where a machine is saved and where it is resumed: natively, or in Node under a policy.
WAYS = [
    (NATIVE, "never"),
    (NATIVE, "region:n=20"),
    ("never", "threshold:n=20"),
    ("threshold:n=20", "region:n=20"),
    ("region:n=20", "never"),
    ("region:n=20", NATIVE),
]

MakeSaved = Callable[..., tuple[Snapshot, str]]


def make(where: str, workload: str, guest: str = GUEST, **options: Any) -> Boot:
    """A boot in the native engine, or in Node under a policy."""
    entry = known_guests()[guest]
    engine = find_engine(NATIVE if where == NATIVE else "node")
    names = [entry.product, TIERS, *engine.products(entry.arch)]
    products = obtain(names, Console(stderr=True))
    tier = None if where == NATIVE else check_policy(products[TIERS], where).spec
    machine = load(products[entry.product])
    request = BootRequest(machine, workload=workload, tier=tier, **options)
    return Boot(engine, request, products, TIMEOUT_S)


@pytest.fixture(scope="module")
def save(tmp_path_factory: pytest.TempPathFactory) -> MakeSaved:
    """Boots and saves a machine, each kind once, and checks that the run is ok."""
    made: dict[str, tuple[Snapshot, str]] = {}

    def of(where: str, workload: str, at: str, **options: Any) -> tuple[Snapshot, str]:
        key = f"{where} {workload} {at} {options}"
        if key not in made:
            path = tmp_path_factory.mktemp("saved") / "machine.snap"
            boot = make(where, workload, **options)
            result = go(boot, save=Save(path, at))
            made[key] = (read_snapshot(path), result["console"]["text"])
        return made[key]

    return of


def go(boot: Boot, terminal: Terminal | None = None, **plan: Any) -> dict[str, Any]:
    result = run_boot(replace(boot, **plan), {}, terminal)
    assert result["ok"], result["failure"]
    return result


@pytest.fixture(scope="module")
def unsaved() -> str:
    """The output of a guest that is never saved."""
    result = go(make("never", WORKLOAD, icount=ICOUNT_SHIFT))
    return str(result["console"]["text"])


@pytest.mark.parametrize(("before", "after"), WAYS, ids=map("-to-".join, WAYS))
def test_a_machine_goes_on_as_if_nothing_had_been(
    before: str, after: str, save: MakeSaved, unsaved: str
) -> None:
    options: dict[str, Any] = {"icount": ICOUNT_SHIFT}
    snapshot, first = save(before, WORKLOAD, "workload-start", **options)
    result = go(make(after, WORKLOAD, **options), restore=Restore(snapshot))
    assert first + result["console"]["text"] == unsaved
    assert "workload-end" not in first
    if after not in (NATIVE, "never"):
        assert result["stats"]["counters"]["tbs_compiled"] > 0


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize(
    ("before", "after"),
    [(NATIVE, "region:n=50"), ("region:n=50", "threshold:n=50"), ("never", NATIVE)],
)
def test_the_workload_is_chosen_when_it_is_resumed(
    before: str, after: str, smp: int, save: MakeSaved
) -> None:
    snapshot, _ = save(before, "wait", "prompt", smp=smp)
    for workload in ("sh", "sha256:mib=1,rounds=2"):
        boot = resumed(make(after, workload, smp=smp), snapshot)
        result = go(boot, restore=boot.restore)
        phases = [phase["phase"] for phase in result["phases"]]
        assert phases == ["resume", "workload-start", "workload-end"]
        assert len(result["rounds"]) == (3 if "rounds" in workload else 0)


def test_saved_under_load_by_four_vcpus(save: MakeSaved) -> None:
    snapshot, first = save(
        "region:n=50", "churn:rounds=2", "text:@tierlab round", smp=4
    )
    assert "n=2" not in first
    boot = make("threshold:n=50", "churn:rounds=2", smp=4)
    result = go(boot, restore=Restore(snapshot))
    assert result["rounds"][-1]["n"] == 2


def test_a_resumed_machine_is_saved_again(
    save: MakeSaved, tmp_path: Path, unsaved: str
) -> None:
    options: dict[str, Any] = {"icount": ICOUNT_SHIFT}
    # Native QEMU runs on until it is told to stop. From `init` it may come past
    # `workload-start` by then; from `kernel` the way is long.
    snapshot, first = save(NATIVE, WORKLOAD, "kernel", **options)
    again = Save(tmp_path / "again.snap", "workload-start")
    boot = make("region:n=20", WORKLOAD, **options)
    second = go(boot, restore=Restore(snapshot), save=again)["console"]["text"]
    third = go(boot, restore=Restore(read_snapshot(again.path)))["console"]["text"]
    assert first + second + third == unsaved


@pytest.mark.parametrize("guest", MACHINES)
def test_every_machine_there_and_back(
    guest: str, save: MakeSaved, tmp_path: Path
) -> None:
    """A machine booted natively is resumed and saved in Node, then resumed natively."""
    snapshot, _ = save(NATIVE, "wait", "prompt", guest=guest)
    again = Save(tmp_path / "again.snap", "workload-start")
    there = resumed(make("region:n=50", "sh", guest), snapshot)
    go(there, restore=there.restore, save=again)
    back = make(NATIVE, "sh", guest)
    result = go(back, restore=Restore(read_snapshot(again.path)))
    assert [phase["phase"] for phase in result["phases"]][-1] == "workload-end"


@pytest.mark.parametrize("guest", X86_MACHINES)
def test_an_x86_guests_time_goes_on_as_fast(guest: str, save: MakeSaved) -> None:
    """A resumed guest's clock keeps its rate.

    A native guest reads the processor's own time stamp counter; in Node, QEMU provides
    a counter of the same frequency.
    """
    snapshot, _ = save(NATIVE, "wait", "prompt", guest=guest)
    for where in ("batch", NATIVE):
        result = go(resumed(make(where, "clock:rounds=5", guest), snapshot))
        assert clock_rate(result["rounds"]) == pytest.approx(1, abs=0.1), where


def test_native_qemu_does_not_go_on_with_a_counter_that_it_has_not(
    save: MakeSaved,
) -> None:
    own = tsc.native_khz()
    if own is None or tsc.alike(own, tsc.NANOSECONDS_KHZ):
        pytest.skip("this processor's counter is Node's")
    snapshot, _ = save("batch", "wait", "prompt", guest=X86_MACHINES[0])
    boot = resumed(make(NATIVE, "sh", X86_MACHINES[0]), snapshot)
    with pytest.raises(TierlabError, match="time stamp counter") as error:
        run_boot(boot, {})
    assert "\n" not in error.value.line()


def test_a_stream_that_qemu_refuses_is_one_line(save: MakeSaved) -> None:
    snapshot, _ = save(NATIVE, "wait", "prompt", smp=1)
    # The saved machine has one CPU, but the machine to resume it in has two.
    boot = replace(make("never", "none", smp=2), restore=Restore(snapshot))
    failure = run_boot(boot, {})["failure"]
    assert failure["kind"] == "snapshot"
    assert failure["message"].startswith("cannot resume: ")
    assert "\n" not in failure["message"]


@pytest.mark.parametrize("where", ["threshold:n=100", NATIVE])
def test_one_session_with_qemu_after_another(where: str, tmp_path: Path) -> None:
    path = tmp_path / "control"
    found: list[Any] = []

    def talk() -> None:
        for command in ("query-status", "stop", "query-status", "cont"):
            control = Control(path)
            found.append(control.execute(command))
            control.close()
        Control(path).quit()

    boot = make(where, "wait", control=path)
    threads = [threading.Thread(target=talk)]
    result = run_boot(boot, {}, Terminal(prompt=threads[0].start))
    threads[0].join()
    assert [f["status"] for f in found if f] == ["running", "paused"]
    assert result["exit"]["status"] == 0
