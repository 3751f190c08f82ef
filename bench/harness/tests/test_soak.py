"""Soak runs: what counts as growth, and what the command says of it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bench.cli.main import main
from bench.harness.checks.soak import growth
from bench.testing import fakes
from bench.testing.fakes import GUEST, FakeEngine

pytestmark = pytest.mark.usefixtures("elsewhere")

SECONDS = 900
ROUNDS_END = fakes.ROUNDS + fakes.END


def run(mib_per_hour: float, noise: float = 5.0) -> list[tuple[float, float]]:
    """A run that rises to a level at first, then by so much."""
    dice = random.Random(1)
    return [
        (
            1000.0 * s,
            300 + min(s, 200) + mib_per_hour * s / 3600 + dice.gauss(0, noise),
        )
        for s in range(SECONDS)
    ]


def test_memory_that_settles_is_bounded() -> None:
    found = growth(run(0.0))
    assert found is not None and found.bounded
    low, high = found.interval
    assert low < 0 < high and found.line().endswith("bounded")


def test_a_leak_is_found() -> None:
    found = growth(run(600.0))
    assert found is not None and not found.bounded
    assert found.mib_per_hour == pytest.approx(600, rel=0.1)
    assert found.interval[0] < 600 < found.interval[1]
    assert "grows without bound" in found.line()


def test_a_slow_rise_within_the_limit_is_no_growth() -> None:
    found = growth(run(50.0, noise=0.1))
    assert found is not None and found.interval[0] > 0 and found.bounded


def test_the_beginning_does_not_count() -> None:
    samples = [(1000.0 * s, min(s, 400) * 10.0) for s in range(SECONDS)]
    found = growth(samples)
    assert found is not None and found.mib_per_hour == pytest.approx(0.0, abs=1e-6)


def test_a_short_run_tells_nothing() -> None:
    assert growth([]) is None
    assert growth(run(0.0)[:30]) is None


SOAK = ["soak", GUEST, "--engine", "fake", "--minutes", "0.05", "--out", "out"]


@pytest.mark.usefixtures("products")
def test_soak_shows_lines_and_leaves_a_result(
    fake: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.scenarios = {
        "": [
            {"timeline": '{"modules": 1234, "slots": 77, "tbs_live": 4321}\n'},
            {"sleep": 1.2},
            {"say": fakes.INIT + fakes.START + ROUNDS_END},
        ]
    }
    assert main([*SOAK, "--tier", "always", "--interval", "1"]) == 0
    shown = capfd.readouterr().out
    for words in ("modules", "mappings", "1,234", "4,321", "4 rounds", "Too short"):
        assert words in shown, words
    request = fake.requests[0]
    assert request.workload == "churn:rounds=1000000,seconds=3"
    assert request.tb_size_mib == 8 and request.tier == "always"
    result = json.loads(Path("out/soak.json").read_text())
    assert result["growth"] is None and result["timeline"]["rows"] == [[1234, 77, 4321]]


@pytest.mark.usefixtures("products")
def test_soak_fails_with_the_engine(
    fake: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.scenarios = {"": [{"say": fakes.INIT + fakes.START}, {"kill": 9}]}
    assert main([*SOAK, "--tier", "always"]) == 1
    assert "FAILED, engine-error: killed by signal 9" in capfd.readouterr().out
    assert json.loads(Path("out/soak.json").read_text())["ok"] is False
