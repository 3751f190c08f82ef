"""One boot by the fake engine: all ways to end, and the results."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.load import unpack_tbs
from bench.base.errors import TierlabError
from bench.engines.base import BootRequest, Missing
from bench.guests.guest import Guest
from bench.harness.run.boot import Boot, Terminal, run_boot
from bench.testing import fakes
from bench.testing.fakes import FakeEngine, Scenario
from bench.testing.schema import check_form

FOREVER = 3600


def boot(
    guest: Guest,
    engine: FakeEngine,
    scenario: Scenario,
    workload: str = "none",
    timeout: float | None = 60.0,
    terminal: Terminal | None = None,
) -> dict[str, Any]:
    engine.scenarios = {"": scenario}
    request = BootRequest(guest, workload=workload, tier="never")
    result = run_boot(Boot(engine, request, {}, timeout), fakes.SHARED, terminal)
    check_form(result, "run")
    return result


def alive(text: str) -> bool:
    """Whether a process with this text in its arguments exists."""
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and text.encode() in (entry / "cmdline").read_bytes()
            ):
                return True
        except OSError:
            continue
    return False


def test_a_good_boot(guest: Guest, fake: FakeEngine) -> None:
    result = boot(guest, fake, fakes.GOOD)
    assert result["ok"] and result["failure"] is None
    assert result["exit"] == {"status": 0, "signal": None, "killed": None}
    phases = [p["phase"] for p in result["phases"]]
    assert phases == ["firmware", "kernel", "init", "workload-start", "workload-end"]
    times = [p["host_ms"] for p in result["phases"]]
    assert times == sorted(times) and 0 < times[0] <= result["resources"]["wall_ms"]
    assert result["console"]["text"].startswith("\r\nOpenSBI v1.6")
    assert result["provenance"]["guest"]["kernel_sha256"] == guest.sha256("kernel")
    assert 0 < result["stats"]["first_insn_ms"] < result["resources"]["wall_ms"]
    assert result["config"]["machine"] == guest.as_json()
    assert result["config"]["devices"] == []


def test_the_table_of_tbs_survives_packing(guest: Guest, fake: FakeEngine) -> None:
    packed = boot(guest, fake, fakes.GOOD)["stats"]["tbs"]
    assert packed["count"] == 2
    assert unpack_tbs(packed) == {"guest_pc": [4096, 8192], "exec_tier0": [7, 9]}


@pytest.mark.parametrize(
    ("scenario", "workload", "kind", "words"),
    [
        ([{"say": fakes.KERNEL + fakes.PANIC}], "none", "panic", "Unable to mount"),
        ([{"say": fakes.OOPS + fakes.INIT}], "none", "oops", "Oops [#1]"),
        ([*fakes.GOOD, {"exit": 7}], "none", "exit-status", "7"),
        ([{"say": fakes.KERNEL}], "none", "marker-missing", "never reached init"),
        ([{"say": fakes.INIT}], "sh", "marker-missing", "workload-start"),
        ([{"err": "qemu: no\n\n"}, {"exit": 1}], "none", "engine-error", "qemu: no"),
        ([{"say": fakes.INIT}, {"kill": 9}], "none", "engine-error", "signal 9"),
        (
            [{"say": fakes.INIT + fakes.END.replace("=0", "=2")}],
            "sh",
            "workload",
            "status 2",
        ),
    ],
)
def test_failures(
    guest: Guest,
    fake: FakeEngine,
    scenario: Scenario,
    workload: str,
    kind: str,
    words: str,
) -> None:
    result = boot(guest, fake, scenario, workload)
    assert not result["ok"]
    assert result["failure"]["kind"] == kind
    assert words in result["failure"]["message"]
    assert "\n" not in result["failure"]["message"]


def test_a_guest_that_hangs_is_ended(guest: Guest, fake: FakeEngine) -> None:
    scenario: Scenario = [{"child": 7231}, {"say": fakes.KERNEL}, {"hang": True}]
    result = boot(guest, fake, scenario, timeout=0.5)
    assert result["failure"]["kind"] == "timeout"
    assert "reached kernel" in result["failure"]["message"]
    # The engine ignored SIGTERM and had a child: the harness has ended both.
    assert result["exit"]["signal"] == signal.SIGKILL
    assert not alive("7231")


def test_a_panicked_guest_is_not_waited_for(guest: Guest, fake: FakeEngine) -> None:
    scenario: Scenario = [{"say": fakes.PANIC}, {"sleep": FOREVER}]
    result = boot(guest, fake, scenario, timeout=FOREVER)
    assert result["failure"]["kind"] == "panic"
    assert result["exit"]["killed"] == "panic"


def test_output_held_open_by_a_child_is_not_waited_for(
    guest: Guest, fake: FakeEngine
) -> None:
    result = boot(guest, fake, [*fakes.GOOD, {"child": FOREVER}], timeout=FOREVER)
    assert result["ok"]


def test_a_long_console_is_kept_in_part(guest: Guest, fake: FakeEngine) -> None:
    flood: Scenario = [{"say": "y" * 1_000_000 + "\n"}] * 3
    result = boot(guest, fake, [*flood, *fakes.GOOD])
    assert result["ok"]
    assert result["console"]["bytes"] > 3_000_000
    assert len(result["console"]["text"]) < 1_100_000
    assert "bytes cut" in result["console"]["text"]
    assert result["console"]["text"].endswith("status=0\r\n")


def test_resources_are_measured(guest: Guest, fake: FakeEngine) -> None:
    scenario: Scenario = [{"eat": 150}, {"burn": 0.3}, *fakes.GOOD]
    resources = boot(guest, fake, scenario)["resources"]
    assert resources["peak_rss_mib"] > 150
    assert 300 <= resources["user_ms"] + resources["system_ms"]


def test_broken_statistics_fail_nothing(guest: Guest, fake: FakeEngine) -> None:
    result = boot(guest, fake, [{"stats": {"schema": 99}}, *fakes.GOOD[1:]])
    assert result["ok"]
    assert not result["stats"]["present"]
    assert "schema" in result["stats"]["note"]


def test_an_engine_that_ran_another_policy(guest: Guest, fake: FakeEngine) -> None:
    ran = {**fakes.STATS["policy"], "name": "always", "spec": "always"}
    other = {**fakes.STATS, "policy": ran}
    result = boot(guest, fake, [{"stats": other}, *fakes.GOOD[1:]])
    assert result["failure"]["kind"] == "engine-error"
    assert "ran policy always, not never" in result["failure"]["message"]


def test_input_waits_for_the_prompt(guest: Guest, fake: FakeEngine) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"one\ntwo\n")
    os.close(writer)
    scenario: Scenario = [
        {"say": fakes.INIT},
        {"sleep": 0.1},
        {"say": "@tierlab prompt guest=1.5\r\n# "},
        {"echo": 2},
        {"say": fakes.END},
    ]
    terminal = Terminal(input_fd=reader, hold_input=True)
    result = boot(guest, fake, scenario, "shell", terminal=terminal)
    os.close(reader)
    assert result["ok"]
    assert "# got one\ngot two\n" in result["console"]["text"]


def test_input_may_be_more_than_a_pipe_holds(guest: Guest, fake: FakeEngine) -> None:
    reader, writer = os.pipe()
    lines = 40_000
    if os.fork() == 0:
        os.close(reader)
        for _ in range(lines // 1000):
            os.write(writer, b"0123456789\n" * 1000)
        os._exit(0)
    os.close(writer)
    scenario: Scenario = [{"sleep": 0.3}, {"echo": lines}, {"say": fakes.INIT}]
    result = boot(guest, fake, scenario, "shell", terminal=Terminal(input_fd=reader))
    os.close(reader)
    os.wait()
    assert result["ok"], result["failure"]
    assert result["console"]["bytes"] > lines * 15


def test_the_engine_dies_with_an_exception(guest: Guest, fake: FakeEngine) -> None:
    def refuse(data: bytes) -> None:
        raise BrokenPipeError

    scenario: Scenario = [{"child": 7232}, {"say": "x"}, {"sleep": FOREVER}]
    with pytest.raises(BrokenPipeError):
        boot(guest, fake, scenario, terminal=Terminal(output=refuse))
    assert not alive("7232")


def test_an_engine_that_is_missing(guest: Guest, fake: FakeEngine) -> None:
    fake.missing = Missing("no such thing", "install it")
    with pytest.raises(TierlabError) as caught:
        boot(guest, fake, fakes.GOOD)
    assert caught.value.status == 3
    assert caught.value.line() == (
        "engine 'fake' is not installed: no such thing; install it"
    )


def test_guest_memory_defaults_to_the_guests_own(guest: Guest) -> None:
    request = BootRequest(guest)
    assert request.memory == 64
    assert replace(request, memory_mib=128).memory == 128
