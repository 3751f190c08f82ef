"""`compare` with --targets and --idle: output, files, refusals and failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.guests.names import SHELL
from bench.harness.checks import idle
from bench.testing import fakes
from bench.testing.fakes import GUEST, Capture, FakeEngine, error_line

pytestmark = pytest.mark.usefixtures("elsewhere", "products", "native")

COMPARE = ["compare", "s.toml", "--out", "out"]
SUITE = f"""
guests = ["{GUEST}"]
engines = ["native", "fake"]
tiers = ["never", "always"]
runs = 1

[[targets]]
figure = "translation per TB"
column = "translate_us_mean"
at_most = 4.0
unit = "us"

[[targets]]
figure = "modules of regions"
column = "modules"
at_most = 1
tiers = ["region"]
"""
PROMPT: fakes.Scenario = [
    {"say": fakes.INIT + "@tierlab prompt guest=1.5\r\n# "},
    {"echo": 1},
]


@pytest.fixture(autouse=True)
def suite(elsewhere: None) -> None:
    Path("s.toml").write_text(SUITE)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "SETTLE_S", 0.0)
    monkeypatch.setattr(idle, "MEASURE_S", 0.2)


def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("out/summary.json").read_text())
    return found


def test_targets_are_shown_when_asked_for(fake: FakeEngine, capfd: Capture) -> None:
    assert main(COMPARE) == 0
    assert "translation per TB" not in capfd.readouterr().out
    # A missed target does not change the exit status.
    assert main([*COMPARE, "--targets"]) == 0
    shown = capfd.readouterr().out
    assert "translation per TB <= 4 us: 5.00 us, missed" in shown
    assert "modules of regions <= 1: not measured" in shown
    (target, _) = summary()["settings"]["targets"]
    assert (target["figure"], target["limit"]) == ("translation per TB", 4.0)


def test_targets_of_a_suite_that_has_none(fake: FakeEngine, capfd: Capture) -> None:
    words = ["compare", "--guest", GUEST, "--engine", "fake", "--targets"]
    assert main(words) == 2
    assert "--targets: no target is stated" in error_line(capfd)
    assert not fake.requests


def test_no_idle_guest_is_booted_unless_asked_for(fake: FakeEngine) -> None:
    assert main(COMPARE) == 0
    assert [r.workload for r in fake.requests] == ["none", "none"]
    assert summary()["idle"] is None and summary()["idle_share"] is None
    assert not Path("out/idle.json").exists()


def test_an_idle_guest_is_measured_under_the_last_tier(
    fake: FakeEngine, capfd: Capture
) -> None:
    fake.scenarios[SHELL] = PROMPT
    assert main([*COMPARE, "--idle"]) == 0
    assert (fake.requests[-1].workload, fake.requests[-1].tier) == (SHELL, "always")
    found = summary()["idle"]
    assert 0 <= found["share"] == summary()["idle_share"] and not found["failure"]
    where = (found["guest"], found["engine"], found["tier"])
    assert where == (GUEST, "fake", "always")
    assert f"Idle guest {GUEST} fake always: " in capfd.readouterr().out


def test_the_command_line_may_leave_the_idle_guest_out(fake: FakeEngine) -> None:
    Path("s.toml").write_text("idle = true" + SUITE)
    assert main([*COMPARE, "--no-idle"]) == 0
    assert SHELL not in {r.workload for r in fake.requests}


@pytest.mark.parametrize(
    ("scenario", "kind", "words"),
    [
        ([{"say": fakes.KERNEL + fakes.PANIC}], "panic", "Unable to mount root"),
        # The guest boots, but never shows a prompt at which it could be idle.
        (fakes.GOOD, "marker-missing", "never showed its prompt"),
    ],
)
def test_an_idle_boot_that_fails_is_a_failure(
    fake: FakeEngine, scenario: fakes.Scenario, kind: str, words: str, capfd: Capture
) -> None:
    fake.scenarios[SHELL] = [{"stats": fakes.STATS}, *scenario]
    assert main([*COMPARE, "--idle"]) == 1
    shown = capfd.readouterr().out
    assert f"FAILED  idle guest {GUEST} fake always: {kind}: " in shown
    assert words in " ".join(shown.split())
    found = summary()["idle"]
    assert found["failure"]["kind"] == kind and found["share"] is None
    assert summary()["idle_share"] is None
    assert all(row["failed"] == 0 for row in summary()["rows"])
    kept = json.loads(Path("out/idle.json").read_text())
    assert kept["ok"] is False and kept["failure"] == found["failure"]


def test_what_is_resumed_is_not_idle(fake: FakeEngine, capfd: Capture) -> None:
    assert main([*COMPARE, "--idle", "--resume"]) == 2
    assert "an idle guest cannot be measured" in error_line(capfd)
    assert not fake.requests
