"""Sweeps of a parameter: their curves, tables and figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from analysis.load import run_from_json
from analysis.plot import plot_sweeps
from analysis.summary import Row, summarise
from analysis.sweep import find_sweeps, sweep_table, tier_parameters
from analysis.tests.samples import result


def rows(tiers: dict[str, float], runs: int = 2) -> list[Row]:
    results = [result("native", "-", 1000.0), result("node", "never", 9000.0)]
    for tier, boot in tiers.items():
        results += [result("node", tier, boot + 100 * i) for i in range(runs)]
    return summarise(run_from_json(r) for r in results)


TWO = {
    "threshold:n=10": 5000.0,
    "threshold:n=250": 4000.0,
    "threshold:n=1500": 4500.0,
    "batch:n=10,size=64": 2000.0,
    "batch:n=250,size=64": 3000.0,
    "batch:n=1500,size=64": 3500.0,
    "batch:n=1500,size=8": 3700.0,
}


def test_parameters_of_a_spec() -> None:
    assert tier_parameters("never") == ("never", {})
    assert tier_parameters("a:b=1,c=d") == ("a", {"b": "1", "c": "d"})


def test_curves_over_one_parameter_are_one_sweep() -> None:
    (sweep,) = find_sweeps(rows(TWO))
    assert (sweep.parameter, sweep.engine) == ("n", "node")
    found = {c.label: [value for value, _ in c.points] for c in sweep.curves}
    # size=8 has one point: no curve; values are in the order of numbers.
    assert found == {"threshold": [10, 250, 1500], "batch size=64": [10, 250, 1500]}
    assert set(sweep.references) == {"native", "never"}


def test_two_values_are_no_sweep() -> None:
    assert find_sweeps(rows({"threshold:n=10": 1.0, "threshold:n=20": 2.0})) == []


def test_a_point_that_failed_is_left_out() -> None:
    results = [result("node", f"threshold:n={n}", 1000.0 * n) for n in (1, 2, 3)]
    results.append(result("node", "threshold:n=4", None, failure="panic"))
    (sweep,) = find_sweeps(summarise(run_from_json(r) for r in results))
    assert [value for value, _ in sweep.curves[0].points] == [1, 2, 3]


def test_the_table_has_numbers_and_bars(capsys: pytest.CaptureFixture[str]) -> None:
    (sweep,) = find_sweeps(rows(TWO))
    Console(width=80).print(sweep_table(sweep))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Boot of riscv64-debian in node by n")
    slow = next(line for line in lines if "5.05" in line)
    fast = next(line for line in lines if "2.05" in line)
    assert "5.00..5.10" in slow
    assert slow.count("█") > 2 * fast.count("█") > 0


@pytest.mark.parametrize("runs", [1, 2])
def test_the_figure_has_units_and_a_legend(runs: int, tmp_path: Path) -> None:
    paths = plot_sweeps(rows(TWO, runs), tmp_path)
    assert [p.name for p in paths] == ["sweep-1-n.svg", "sweep-1-n.png"]
    text = paths[0].read_text()
    for words in ("(s)", "executions", "batch size=64", "threshold", "native", "1500"):
        assert words in text, words
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    before = text
    plot_sweeps(rows(TWO, runs), tmp_path)
    assert paths[0].read_text() == before


def test_no_sweep_no_figure(tmp_path: Path) -> None:
    assert plot_sweeps(rows({"always": 1000.0}), tmp_path) == []
    assert list(tmp_path.iterdir()) == []
