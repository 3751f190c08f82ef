"""The commands warn of a run in which the engine refused modules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cli.main import main
from bench.testing import fakes
from bench.testing.fakes import GUEST, Capture, FakeEngine

pytestmark = pytest.mark.usefixtures("elsewhere", "products", "native")

SAID = "tierlab: the engine refused a module: RangeError: Start offset -2013\n"


@pytest.fixture(autouse=True)
def refusing(fake: FakeEngine) -> None:
    """The fake engine refuses every module under the policy `always`."""
    counters = {**fakes.STATS["counters"], "refused_engine_refused": 90000}
    stats = {**fakes.STATS, "counters": counters}
    fake.scenarios["always"] = [{"stats": stats}, {"err": SAID}, *fakes.GOOD[1:]]


def test_boot_warns(capfd: Capture) -> None:
    boot = ["boot", GUEST, "--engine", "fake", "--tier"]
    assert main([*boot, "always", "--json", "r.json"]) == 0
    warning = "WARNING: 90,000 TBs were not compiled: the engine refused their modules"
    said = " ".join(capfd.readouterr().err.split())
    assert f"{warning} (RangeError: Start offset -2013)" in said
    found = json.loads(Path("r.json").read_text())["stats"]["counters"]
    assert found["refused_engine_refused"] == 90000
    assert main([*boot, "never"]) == 0
    assert "WARNING" not in capfd.readouterr().err


def test_compare_warns_at_the_run_and_in_its_table(capfd: Capture) -> None:
    tiers = ["--tier", "never", "--tier", "always", "--runs", "2", "--out", "out"]
    assert main(["compare", "--guest", GUEST, "--engine", "fake", *tiers]) == 0
    shown = capfd.readouterr()
    assert shown.err.count("WARNING: 90,000 TBs were not compiled") == 2
    out = " ".join(shown.out.split())
    assert f"WARNING {GUEST} fake always none: 90,000 TBs were not compiled" in out
    assert "(RangeError: Start offset -2013)" in out
    assert "fused" in shown.out and " 90000 " in shown.out
    rows = json.loads(Path("out/summary.json").read_text())["rows"]
    assert {r["tier"]: r["refusals"] for r in rows} == {
        "never": {},
        "always": {"refused_engine_refused": 90000},
    }
