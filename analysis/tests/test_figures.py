"""What guests measure themselves: medians, ratios, means, the table."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from analysis.figure_table import figure_tables, short
from analysis.figures import geometric_mean
from analysis.load import run_from_json
from analysis.summary import Row, summarise
from analysis.tests.samples import result


def rows(*results: dict[str, Any]) -> dict[tuple[str, str], Row]:
    found = summarise(run_from_json(one) for one in results)
    return {(row["engine"], row["tier"]): row for row in found}


def native(**figures: float) -> dict[str, Any]:
    return result("native", "-", workload="w", figures=figures)


def node(tier: str = "region", /, **figures: float) -> dict[str, Any]:
    return result("node", tier, workload="w", figures=figures)


def ratios(row: Row) -> dict[str, float | None]:
    return {one["name"]: one["ratio_native"] for one in row["figures"]}


def test_geometric_mean() -> None:
    assert geometric_mean([4.0]) == pytest.approx(4.0)
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert geometric_mean([1e200, 1e-200]) == pytest.approx(1.0)
    assert geometric_mean([]) is None


def test_a_ratio_is_one_of_times() -> None:
    found = rows(native(rate=100.0, gap_ms=4.0), node(rate=50.0, gap_ms=6.0))
    assert ratios(found["node", "region"]) == {"rate": 2.0, "gap_ms": 1.5}
    assert found["node", "region"]["figures_ratio_native"] == 1.7321
    assert ratios(found["native", "-"]) == {"rate": 1.0, "gap_ms": 1.0}
    (rate, gap) = found["node", "region"]["figures"]
    assert (rate["value"], rate["unit"], rate["better"]) == (50.0, "Minsn/s", "more")
    assert (gap["unit"], gap["better"]) == ("ms", "less")


def test_runs_are_paired_by_name_and_give_an_interval() -> None:
    found = rows(
        *(native(rate=v) for v in (90.0, 100.0, 110.0)),
        *(node(rate=v) for v in (45.0, 50.0, 55.0)),
    )
    (figure,) = found["node", "region"]["figures"]
    assert (figure["value"], figure["ratio_native"]) == (50.0, 2.0)
    low, high = figure["ratio_native_ci"]
    assert 1.6 < low < 2.0 < high < 2.5


def test_a_figure_that_comes_again_counts_once_a_run() -> None:
    run = node(rate=10.0)
    run["figures"] += [{**run["figures"][0], "value": v} for v in (30.0, 20.0)]
    (figure,) = rows(run)["node", "region"]["figures"]
    assert figure["value"] == 20.0


def test_without_a_counterpart_there_is_no_ratio() -> None:
    other = native(rate=100.0)
    other["figures"][0]["unit"] = "calls/s"
    for base in ([], [native(else_=1.0)], [other]):
        row = rows(*base, node(rate=50.0))["node", "region"]
        assert ratios(row) == {"rate": None}
        assert row["figures_ratio_native"] is None
    idle = rows(native(rate=100.0), node(rate=0.0))["node", "region"]
    assert ratios(idle) == {"rate": None}


def test_failed_runs_and_old_results_have_no_figures() -> None:
    failed = result(workload="w", figures={"rate": 1.0}, failure="workload")
    assert rows(failed)["node", "never"]["figures"] == []
    old = result(workload="w")
    del old["figures"]
    assert rows(old)["node", "never"]["figures"] == []


def shown(found: list[Row], capture: pytest.CaptureFixture[str]) -> str:
    for table in figure_tables(found):
        Console(width=80, markup=False).print(table)
    return capture.readouterr().out


def table(capture: pytest.CaptureFixture[str], *results: dict[str, Any]) -> str:
    return shown(list(rows(*results).values()), capture)


def test_the_table_has_values_ratios_means_and_the_worst(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = table(
        capsys,
        native(loop=1000.0, far=100.0, gap_ms=4.0),
        node("never", loop=10.0, far=50.0, gap_ms=6.0),
        node("region", loop=900.0, far=25.0),
    )
    assert "riscv64-debian, w" in text and "…" not in text
    split = [line.split() for line in text.splitlines() if line.split()]
    lines = {words[0]: words for words in split}
    assert lines["loop"] == ["loop", "1000", "10.0", "100.00", "900", "1.11"]
    assert lines["gap_ms"] == ["gap_ms", "4.00", "6.00", "1.50", "-"]
    # The mean of fewer figures than the table has says so.
    assert lines["geometric"] == ["geometric", "mean", "6.69", "of", "2", "2.11"]
    assert "Worst of node never: loop 100.00, far 2.00, gap_ms 1.50" in text
    assert "Worst of node region: far 4.00, loop 1.11" in text
    assert text.index("Minsn/s") < text.index("loop") < text.index("\n ms")


def test_many_policies_and_long_names_fit(capsys: pytest.CaptureFixture[str]) -> None:
    tiers = ["never", "threshold:n=100000", "batch:n=20,size=16,by=heat", "region"]
    tiers += ["sampled:p=0.01"]
    figures = {"vecfp-float-v128-add-mul": 123456789.0, "b": 0.001}
    text = table(capsys, native(**figures), *(node(t, **figures) for t in tiers))
    assert text.count("riscv64-debian, w") == 2 and "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("123M") == 7 and text.count(" 1.00") == 15


def test_there_is_no_table_without_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert table(capsys, result("native", "-"), result("node", "never")) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.0123, "0.012"),
        (0.5, "0.50"),
        (12.34, "12.3"),
        (1234.4, "1234"),
        (123456.0, "123k"),
        (1234567.0, "1.2M"),
        (123456789.0, "123M"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text
