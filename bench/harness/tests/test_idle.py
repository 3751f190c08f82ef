"""The measurement of an idle guest, with engines that sleep or use the CPU."""

from __future__ import annotations

import pytest

from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.harness.checks import idle
from bench.harness.run.boot import Boot
from bench.testing import fakes
from bench.testing.fakes import FakeEngine, Scenario
from bench.testing.schema import check_form

PROMPT: Scenario = [{"say": fakes.INIT + "@tierlab prompt guest=1.5\r\n# "}]


@pytest.mark.parametrize("busy", [False, True])
def test_an_idle_guest_is_told_from_a_busy_one(
    guest: Guest, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    monkeypatch.setattr(idle, "SETTLE_S", 0.1)
    monkeypatch.setattr(idle, "MEASURE_S", 0.4)
    load: Scenario = [{"burn": 1.5}] if busy else []
    fake.scenarios = {"": [*PROMPT, *load, {"echo": 1}]}
    boot = Boot(fake, BootRequest(guest, tier="never"), {}, 60)
    result = idle.idle_share(boot, fakes.SHARED)
    check_form(result, "idle")
    assert result["ok"] and result["config"]["workload"] == "shell"
    assert "got exit" in result["console"]["text"]
    # The limit lies between an idle and a busy engine; it is low, because other
    # processes take a part of the core.
    assert (result["idle_share"] > 0.1) == busy


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ([{"say": fakes.PANIC}], "panic"),
        # The boot ends well, but without a prompt there is no measurement.
        (fakes.GOOD, "marker-missing"),
    ],
)
def test_a_guest_without_a_prompt_fails_and_has_no_share(
    guest: Guest, fake: FakeEngine, scenario: Scenario, kind: str
) -> None:
    fake.scenarios = {"": scenario}
    result = idle.idle_share(Boot(fake, BootRequest(guest, tier="never"), {}, 60), {})
    assert not result["ok"] and result["idle_share"] is None
    assert result["failure"]["kind"] == kind
