"""The checks of a guest, on consoles and rounds whose answer is known."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.harness.checks import check
from bench.harness.run.boot import Boot, run_boot
from bench.testing import fakes
from bench.testing.fakes import GUEST, FakeEngine

WARNING = "[    0.0] cpu 3: unexpected trap at 0xffff8000\r\n"


def test_a_warning_is_new_whatever_its_numbers() -> None:
    theirs = "cpu 1: unexpected trap at 0x12\nold news\n@tierlab init guest=1.00\n"
    ours = "old news\r\ncpu 3: unexpected trap at 0xffff\r\n@tierlab init guest=9.00\n"
    ours += "Command line: tsc=reliable\n"
    assert check.new_warnings(ours, theirs) == []
    assert check.new_warnings(ours, "old news\n") == [
        "cpu 3: unexpected trap at 0xffff"
    ]


def test_a_slow_host_is_no_warning() -> None:
    ours = "hrtimer: interrupt took 50569093 ns\ntsc: Fast TSC calibration failed\n"
    assert check.new_warnings(ours, "") == []


@pytest.mark.parametrize("rate", [1.0, 0.97, 1.5])
def test_the_clocks_rate_is_the_slope(rate: float) -> None:
    rounds = [{"n": 0, "host_ms": 17.0, "guest_s": 99.0}]
    rounds += [
        {"n": n, "host_ms": 1000.0 * n, "guest_s": 20 + n * rate} for n in range(1, 8)
    ]
    assert check.clock_rate(rounds) == pytest.approx(rate)


def job(engine: FakeEngine, guest: Guest) -> Boot:
    return Boot(engine, BootRequest(guest, tier="never"), {}, 60.0)


def test_warnings_of_two_boots(tmp_path: Path, guest: Guest) -> None:
    warned: list[dict[str, Any]] = [
        {"stats": fakes.STATS},
        {"say": WARNING + fakes.INIT},
    ]
    ours = FakeEngine(tmp_path, scenarios={"": warned})
    (tmp_path / "native").mkdir()
    theirs = FakeEngine(tmp_path / "native", has_tiers=False)
    verdict = check.check_warnings(job(ours, guest), job(theirs, guest))
    assert not verdict.right and "unexpected trap" in verdict.found
    assert ours.requests[0].guest.append.endswith(" loglevel=5")


def test_a_boot_that_fails_says_whose_it_is(tmp_path: Path, guest: Guest) -> None:
    ours = FakeEngine(tmp_path)
    (tmp_path / "native").mkdir()
    panics = [{"say": fakes.KERNEL + "Kernel panic - not syncing: no reason\n"}]
    theirs = FakeEngine(
        tmp_path / "native", name="native", has_tiers=False, scenarios={"": panics}
    )
    verdict = check.check_warnings(job(ours, guest), job(theirs, guest))
    assert not verdict.right and verdict.found.startswith("native: ")


def test_status_and_power_off(tmp_path: Path, guest: Guest) -> None:
    failing: list[dict[str, Any]] = [
        {"stats": fakes.STATS},
        {"say": fakes.KERNEL + fakes.INIT + fakes.START},
        {"say": fakes.END.replace("status=0", "status=2")},
        {"exit": 2},
    ]
    scenarios = {check.UNKNOWN_WORKLOAD: failing, "": fakes.GOOD}
    engine = FakeEngine(tmp_path, scenarios=scenarios)
    boot = job(engine, guest)
    assert check.check_status(boot).right
    assert check.check_power_off(boot).right
    engine.scenarios = {"": fakes.GOOD}
    assert not check.check_status(boot).right


def test_a_run_that_is_ok_but_killed_did_not_power_off(
    tmp_path: Path, guest: Guest
) -> None:
    ending = replace(guest.ending, passed=re.compile("^all good$"))
    scenario: list[dict[str, Any]] = [{"say": "all good\n"}, {"sleep": 3600}]
    engine = FakeEngine(tmp_path, scenarios={"": [*fakes.GOOD, *scenario]})
    boot = job(engine, replace(guest, ending=ending))
    result = run_boot(boot, {})
    assert result["ok"] and result["exit"]["killed"] == "verdict"
    assert result["exit"]["status"] is None
    verdict = check.check_power_off(boot)
    assert (verdict.right, verdict.found) == (False, "by the harness: verdict")
    status = check.check_status(boot)
    assert not status.right and status.found == "killed: verdict"


def test_debug_exit_adds_a_bit(guest: Guest) -> None:
    assert guest.qemu_status(2) == 2
    device = replace(guest, arguments=("-device", "isa-debug-exit,iobase=0xf4"))
    assert (device.qemu_status(2), device.qemu_status(0)) == (5, 0)


def test_the_command_says_what_is_wrong(
    fake: FakeEngine,
    native: FakeEngine,
    products: None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # The fake prints END at once under every workload, without a status or rounds.
    assert main(["check", GUEST, "--engine", "fake", "--tier", "never"]) == 1
    out = capfd.readouterr().out
    assert "power-off    right" in out and "status       WRONG" in out
