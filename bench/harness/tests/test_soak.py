"""Soak runs: the verdicts on growth, and the output of the command."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bench.base.places import ROOT
from bench.cli.main import main
from bench.harness.checks.soak import (
    DEAD_TBS,
    GROWS,
    MARGIN_MIB_PER_HOUR,
    STEADY,
    UNKNOWN,
    Filling,
    Growth,
    filling,
    growth,
)
from bench.testing import fakes
from bench.testing.fakes import GUEST, FakeEngine
from bench.testing.schema import check_form

pytestmark = pytest.mark.usefixtures("elsewhere")

SECONDS = 900
ROUNDS_END = fakes.ROUNDS + fakes.END


def run(
    mib_per_hour: float, noise: float = 5.0, seconds: int = SECONDS, seed: int = 1
) -> list[tuple[float | None, float]]:
    """A run that rises to a level at first, and then by `mib_per_hour`."""
    dice = random.Random(seed)
    return [
        (
            1000.0 * s,
            300 + min(s, 200) + mib_per_hour * s / 3600 + dice.gauss(0, noise),
        )
        for s in range(seconds)
    ]


def stepped(*steps: tuple[int, float]) -> list[tuple[float | None, float]]:
    """A run without growth, but with steps: each a second and a rise in MiB."""
    return [
        (at, mib + sum(up for s, up in steps if at is not None and at >= 1000 * s))
        for at, mib in run(0.0)
    ]


def verdict(samples: list[tuple[float | None, float]]) -> str:
    found = growth(samples)
    assert found is not None
    return found.verdict


def test_memory_that_settles_does_not_grow() -> None:
    found = growth(run(0.0))
    assert found is not None and found.verdict == STEADY
    low, high = found.interval
    assert low < 0 < high and found.line().endswith("does not grow")


def test_a_leak_is_found() -> None:
    found = growth(run(600.0))
    assert found is not None and found.verdict == GROWS
    assert found.mib_per_hour == pytest.approx(600, rel=0.1)
    assert found.interval[0] < 600 < found.interval[1]
    assert found.line().endswith(": grows")
    assert found.as_json()["verdict"] == "grows"


def test_a_slow_rise_within_the_margin_is_no_growth() -> None:
    found = growth(run(50.0, noise=0.1))
    assert found is not None and found.interval[0] > 0 and found.verdict == STEADY


@pytest.mark.parametrize("mib_per_hour", [0.0, 300.0])
def test_noise_hides_growth_and_its_absence(mib_per_hour: float) -> None:
    """An interval that contains 0 does not prove that memory does not grow."""
    found = growth(run(mib_per_hour, noise=120.0, seed=3))
    assert found is not None and found.interval[0] < 0 < found.interval[1]
    assert found.verdict == UNKNOWN
    assert found.minutes_needed > 1.4 * SECONDS / 60
    advice = f"cannot be told; give about --minutes {found.minutes_needed}"
    assert found.line().endswith(advice)


def test_a_longer_run_tells_what_noise_hid() -> None:
    short = growth(run(0.0, noise=60.0))
    assert short is not None and short.verdict == UNKNOWN
    longer = run(0.0, noise=60.0, seconds=60 * short.minutes_needed)
    assert verdict(longer) == STEADY


def test_a_rise_that_is_told_from_none_is_growth_in_a_short_run_too() -> None:
    """About 115 MiB/h in 12 minutes: the interval is above 0, not in the margin."""
    found = growth(run(115.0, noise=3.0, seconds=720))
    assert found is not None and found.interval[0] > 0
    assert found.interval[1] > MARGIN_MIB_PER_HOUR
    assert found.verdict == GROWS


def test_one_step_does_not_say_what_comes() -> None:
    found = growth(stepped((675, 40.0)))
    assert found is not None and found.interval[0] > 0
    assert found.beside_step[0] < 0 and found.verdict == UNKNOWN


def test_many_steps_are_growth() -> None:
    assert verdict(stepped(*((s, 15.0) for s in range(480, 900, 60)))) == GROWS


def timeline(tbs_a_second: float, flush_s: int = 60) -> dict[str, Any]:
    """The timeline of a run that translates TBs steadily; each flush kills all TBs."""
    rows: list[list[float]] = []
    for s in range(0, SECONDS, 10):
        made = 30_000 + tbs_a_second * s
        rows.append(
            [1000.0 * s, made, made - 30_000 - tbs_a_second * (s // flush_s * flush_s)]
        )
    return {"columns": ["t_ms", "tbs_translated", "tbs_live"], "rows": rows}


def test_the_store_of_dead_tbs_has_a_limit() -> None:
    """filling() uses the runtime's limit, and knows the store's growth until then."""
    engine = (ROOT / "tiers/engine.h").read_text()
    assert f"TIER_MAX_DEAD_RECORDS UINT32_C({DEAD_TBS})" in engine
    found = filling(timeline(170.0))
    assert found.mib_per_hour == pytest.approx(170 * 192 * 3600 / 2**20, rel=0.15)
    assert found.longer == pytest.approx(DEAD_TBS / (30_000 + 170 * 420), rel=0.01)
    # The store is full before the second half, or no TB dies, or there is no timeline.
    assert filling(timeline(600.0)) == Filling()
    assert filling(timeline(0.0)) == Filling()
    assert filling(None) == filling({"columns": ["t_ms"], "rows": [[1.0]]}) == Filling()


def test_a_store_that_fills_explains_growth_until_it_is_full() -> None:
    """Records of dead TBs at about 110 MiB/h look like a leak in a short run."""
    samples = run(112.0, noise=3.0)
    alone, beside = growth(samples), growth(samples, timeline(170.0))
    assert alone is not None and alone.verdict == GROWS
    assert beside is not None and beside.verdict == UNKNOWN
    assert "records of dead TBs" in beside.line()
    assert beside.minutes_needed >= 2.5 * SECONDS / 60
    # A leak beside the filling store is found, and so is a leak when the store is full.
    leak = growth(run(500.0, noise=3.0), timeline(170.0))
    assert leak is not None and leak.verdict == GROWS
    full = growth(samples, timeline(600.0))
    assert full is not None and full.verdict == GROWS


def test_memory_that_still_falls_has_not_settled() -> None:
    assert verdict(run(-600.0)) == UNKNOWN


def test_the_beginning_does_not_count() -> None:
    found = growth([(1000.0 * s, min(s, 400) * 10.0) for s in range(SECONDS)])
    assert found is not None and found.mib_per_hour == pytest.approx(0.0, abs=1e-6)


def test_a_short_run_tells_nothing() -> None:
    assert growth([]) is None
    assert growth(run(0.0)[:30]) is None
    assert growth([(None, 300.0)] * SECONDS) is None


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
    check_form(result, "soak")
    assert result["growth"] is None and result["timeline"]["rows"] == [[1234, 77, 4321]]


@pytest.mark.usefixtures("products", "fake")
@pytest.mark.parametrize(
    ("interval", "status", "words"),
    [
        ((-20.0, 30.0), 0, "does not grow"),
        ((48.3, 172.0), 1, "grows"),
        # A run that is too short for a verdict has not failed.
        ((-20.0, 400.0), 0, "cannot be told; give about --minutes 38"),
    ],
)
def test_soak_says_whether_memory_grows(
    interval: tuple[float, float],
    status: int,
    words: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Growth(100.0, interval, interval, 0.12)
    monkeypatch.setattr("bench.cli.soak.growth", lambda *given: found)
    assert main([*SOAK, "--tier", "always"]) == status
    assert f": {words}\n" in capfd.readouterr().out
    kept = json.loads(Path("out/soak.json").read_text())["growth"]
    assert kept["verdict"] == words.partition(";")[0]
    assert kept["interval"] == list(interval)


@pytest.mark.usefixtures("products")
def test_soak_fails_with_the_engine(
    fake: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.scenarios = {"": [{"say": fakes.INIT + fakes.START}, {"kill": 9}]}
    assert main([*SOAK, "--tier", "always"]) == 1
    assert "FAILED, engine-error: killed by signal 9" in capfd.readouterr().out
    assert json.loads(Path("out/soak.json").read_text())["ok"] is False
