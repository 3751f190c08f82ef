"""Real guests in real browsers do what they do in Node."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.engines.browser import BrowserEngine
from bench.engines.probe import probe
from bench.guests.devices.network import PRODUCT as RELAY
from bench.guests.devices.network import Network
from bench.guests.manifest import load
from bench.guests.names import SHELL
from bench.harness.products import TIERS, obtain
from bench.harness.run.boot import Boot, Terminal, run_boot
from bench.harness.run.policies import check_policy
from bench.harness.snapshots.file import read_snapshot
from bench.harness.snapshots.migration import Restore, Save
from bench.page.tests.browsers import BROWSERS

pytestmark = pytest.mark.guest

ARCH = "riscv64"
GUEST = f"guest-{ARCH}-tiny"
ICOUNT_SHIFT = 1
TIER = "region:n=50"
TIMEOUT_S = 300.0
BOTH = ("chromium", "firefox")


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    names = [GUEST, TIERS, RELAY]
    for engine in ("node", *BOTH):
        names += find_engine(engine).products(ARCH)
    return obtain(names, Console(stderr=True))


def make(
    products: dict[str, Path],
    engine: str,
    *,
    timeout: float = TIMEOUT_S,
    save: Save | None = None,
    restore: Restore | None = None,
    **options: Any,
) -> Boot:
    tier = check_policy(products[TIERS], TIER).spec
    request = BootRequest(load(products[GUEST]), tier=tier, **options)
    return Boot(
        find_engine(engine), request, products, timeout, save=save, restore=restore
    )


def good(boot: Boot, terminal: Terminal | None = None) -> dict[str, Any]:
    result = run_boot(boot, {}, terminal)
    assert result["ok"], (result["failure"], result["stderr"]["text"])
    return result


@pytest.mark.parametrize("engine", BOTH)
def test_the_same_guest_as_in_node(engine: str, products: dict[str, Path]) -> None:
    options: dict[str, Any] = {"workload": "sh", "icount": ICOUNT_SHIFT}
    ours = good(make(products, engine, **options))
    nodes = good(make(products, "node", **options))
    assert ours["console"]["text"] == nodes["console"]["text"]
    counters = ours["stats"]["counters"]
    assert counters["icount_insns"] == nodes["stats"]["counters"]["icount_insns"]
    assert counters["tbs_compiled"] > 0 and ours["stats"]["tbs"]["count"] > 0
    assert set(ours) == set(nodes)
    assert ours["timeline"]["columns"] == nodes["timeline"]["columns"]
    assert ours["provenance"]["engine"]["engine"]

    # The boot begins when the page is told to start; later times are in order.
    started = ours["engine_start"]
    page = started["page"]
    assert started["ready_ms"] > 0 and started["processes"] > 1
    assert 0 <= page["start"] <= page["loaded"] <= page["running"]
    times = [page["running"], ours["stats"]["first_insn_ms"]]
    times += [phase["host_ms"] for phase in ours["phases"]]
    assert times == sorted(times) and times[-1] <= ours["resources"]["wall_ms"]
    # A page alone uses less; the figure must include the machine's memory.
    assert ours["resources"]["peak_rss_mib"] > 200
    assert max(row[1] for row in ours["samples"]["rows"]) > 200


@pytest.mark.parametrize("engine", BROWSERS)
def test_the_guests_status_is_the_engines(
    engine: str, products: dict[str, Path]
) -> None:
    result = run_boot(make(products, engine, workload="nonsense"), {})
    assert result["exit"]["status"] == 2
    assert result["failure"]["kind"] == "workload"


@pytest.mark.parametrize("engine", BROWSERS)
def test_a_shell_is_typed_at(
    engine: str, products: dict[str, Path], tmp_path: Path
) -> None:
    script = tmp_path / "commands"
    script.write_text("echo six times seven is $((6 * 7))\npoweroff -f\n")
    with script.open("rb") as commands:
        terminal = Terminal(input_fd=commands.fileno(), hold_input=True)
        result = good(make(products, engine, workload=SHELL), terminal)
    assert "six times seven is 42" in result["console"]["text"]


def test_four_vcpus(products: dict[str, Path]) -> None:
    result = good(make(products, "chromium", workload="sh", smp=4))
    assert result["stats"]["counters"]["tbs_compiled"] > 0


def test_a_machine_goes_from_one_browser_to_the_other(
    products: dict[str, Path], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"workload": "sh", "icount": ICOUNT_SHIFT}
    path = tmp_path / "machine.snap"
    saved = good(
        make(products, "chromium", save=Save(path, "workload-start"), **options)
    )
    restore = Restore(read_snapshot(path))
    resumed = good(make(products, "firefox", restore=restore, **options))
    whole = good(make(products, "node", **options))["console"]["text"]
    assert saved["console"]["text"] + resumed["console"]["text"] == whole
    assert resumed["phases"][0]["phase"] == "resume"


def test_a_network_through_the_page(products: dict[str, Path]) -> None:
    # The link is up only if the guest found the card, and QEMU the relay.
    boot = make(products, "chromium", devices=(Network(),))
    result = good(boot)
    assert "network relay is gone" not in result["stderr"]["text"]


def test_a_guest_that_is_ended_leaves_its_statistics(
    products: dict[str, Path],
) -> None:
    result = run_boot(
        make(products, "chromium", workload="churn:rounds=4096", timeout=30.0), {}
    )
    assert result["failure"]["kind"] == "timeout"
    assert "QEMU: Terminated" in result["stderr"]["text"] + result["console"]["text"]
    assert result["stats"]["present"]


def below(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(word) for word in task.read_text().split()]
            except OSError:
                continue
    return found


PAGES = {"chromium": b"--type=renderer", "firefox": b"-isForBrowser"}


@pytest.mark.parametrize("engine", BROWSERS)
@pytest.mark.parametrize("victim", ["page", "browser"])
def test_a_crash_is_one_line(
    engine: str, victim: str, products: dict[str, Path]
) -> None:
    seen: list[int] = []

    def is_victim(pid: int) -> bool:
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        if victim == "page":
            return PAGES[engine] in line
        return b"--remote-debugging-port" in line and b"run.mjs" not in line

    def kill() -> None:
        victims = [pid for pid in below(seen[0]) if is_victim(pid)]
        assert victims
        for pid in victims:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue  # it ended with another process

    def prompt() -> None:
        threading.Thread(target=kill).start()

    boot = make(products, engine, workload="wait")
    result = run_boot(boot, {}, Terminal(started=seen.append, prompt=prompt))
    said = {
        "page": "the page is gone",
        "browser": "ended by itself: SIGKILL",
    }[victim]
    assert not result["ok"] and result["exit"]["status"] == 3
    assert said in result["failure"]["message"]
    assert "\n" not in result["failure"]["message"]


def test_a_flag_that_v8_refuses(products: dict[str, Path]) -> None:
    flags = ("--js-flags=--no-such-flag",)
    result = run_boot(make(products, "chromium", engine_flags=flags), {})
    assert result["failure"]["kind"] == "engine-error"
    assert "unrecognized flag --no-such-flag" in result["failure"]["message"]


def test_a_flag_that_takes_webassembly_away(products: dict[str, Path]) -> None:
    flags = ("javascript.options.wasm=false",)
    result = run_boot(make(products, "firefox", engine_flags=flags), {})
    assert result["failure"]["kind"] == "engine-error"
    assert "QEMU did not start" in result["failure"]["message"]


@pytest.mark.parametrize("name", BOTH)
def test_probing_a_browser(name: str, products: dict[str, Path]) -> None:
    engine = find_engine(name)
    assert isinstance(engine, BrowserEngine)
    found = probe(engine, products, modules=1500, code_mib=1)
    assert found["died"] is None, found
    # The features that our code needs, and limits no lower than Node's.
    for feature in ("tail_calls", "simd", "exceptions", "atomics", "shared_memory"):
        assert found["features"][feature], feature
    assert found["limits"]["modules"]["value"] == 1500
    assert found["limits"]["table_slots"]["value"] >= 262144
