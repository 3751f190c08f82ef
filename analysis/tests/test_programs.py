"""Programs: first and later rounds, ratios to native, means, the table."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from analysis.load import Run, run_from_json
from analysis.program_table import program_tables
from analysis.programs import program_rows
from analysis.summary import summary_document
from analysis.tests.samples import result
from bench.testing.schema import check_form


def turns(
    engine: str, tier: str, failure: str | None = None, /, **programs: list[float]
) -> dict[str, Any]:
    """A run in which these programs take turns: the ms of each one's rounds."""
    found = result(engine, tier, workload="programs", failure=failure)
    at = 5000.0
    rounds: list[dict[str, Any]] = [{"n": 0, "host_ms": at, "guest_s": 0.0, "of": None}]
    for n, turn in enumerate(zip(*programs.values(), strict=True), start=1):
        for name, took in zip(programs, turn, strict=True):
            at += took
            rounds.append({"n": n, "host_ms": at, "guest_s": 0.0, "of": name})
    return {**found, "rounds": rounds}


def loaded(*results: dict[str, Any]) -> list[Run]:
    return [run_from_json(one) for one in results]


def shown(rows: list[dict[str, Any]], width: int = 80) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width)
    for table in program_tables(rows):
        console.print(table)
    return out.getvalue()


NATIVE = turns("native", "-", perl=[200.0, 100.0, 100.0], lua=[400.0, 300.0, 300.0])
REGION = turns("node", "region", perl=[800.0, 300.0, 100.0], lua=[400.0, 600.0, 600.0])


def test_each_program_has_a_first_round_and_later_ones() -> None:
    native, region = program_rows(loaded(REGION, NATIVE))
    assert (native["engine"], region["engine"]) == ("native", "node")
    perl, lua = region["programs"]
    assert (perl["name"], perl["cold_ms"], perl["warm_ms"]) == ("perl", 800.0, 200.0)
    assert (perl["cold_ratio_native"], perl["warm_ratio_native"]) == (4.0, 2.0)
    assert (lua["cold_ratio_native"], lua["warm_ratio_native"]) == (1.0, 2.0)
    # the square root of 4 x 1, and of 2 x 2
    assert region["cold_ratio_native"] == pytest.approx(2.0)
    assert region["warm_ratio_native"] == pytest.approx(2.0)
    assert native["warm_ratio_native"] == 1.0


def test_rounds_in_turn_are_no_rounds_of_one_workload() -> None:
    (run,) = loaded(REGION)
    assert run.rounds_ms == () and run.steady_ms is None
    assert run.programs_ms == {
        "perl": (800.0, 300.0, 100.0),
        "lua": (400.0, 600.0, 600.0),
    }


def test_workloads_with_rounds_are_programs_as_well() -> None:
    runs = loaded(
        result("native", "-", workload="python:rounds=2", rounds=[20.0, 10.0]),
        result("node", "region", workload="python:rounds=2", rounds=[60.0, 20.0]),
        result("native", "-", workload="gcc", rounds=[8.0, 4.0]),
        result("node", "region", workload="gcc", rounds=[8.0, 8.0]),
    )
    _, region = program_rows(runs)
    ratios = {p["name"]: p["cold_ratio_native"] for p in region["programs"]}
    assert ratios == {"python": 3.0, "gcc": 1.0}


def test_one_workload_has_no_mean() -> None:
    assert not program_rows(loaded(result(workload="sha256", rounds=[3.0, 2.0])))


def test_failed_runs_do_not_count() -> None:
    slow = [9000.0, 9000.0, 9000.0]
    bad = turns("node", "region", "panic", perl=slow, lua=slow)
    _, region = program_rows(loaded(NATIVE, REGION, bad))
    assert region["programs"][0]["cold_ms"] == 800.0


def test_without_native_there_are_no_ratios() -> None:
    (region,) = program_rows(loaded(REGION))
    assert region["programs"][0]["cold_ratio_native"] is None
    assert region["warm_ratio_native"] is None
    assert "-" in shown([region])


def test_the_summary_has_its_form() -> None:
    runs = loaded(NATIVE, REGION, NATIVE, REGION)
    for row in summary_document(runs, {}, {})["programs"]:
        check_form(row, "program_row")


def test_the_table_fits_the_terminal() -> None:
    names = ("region", "threshold", "batch", "never", "tiered", "page-heat")
    runs = [
        NATIVE,
        *(turns("node", name, perl=[1.0] * 3, lua=[1.0] * 3) for name in names),
    ]
    text = shown(program_rows(loaded(*runs)))
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("geom. mean") == 2
    for name in names:
        assert name in text


def test_a_mean_over_fewer_programs_says_so() -> None:
    part = turns("node", "region", perl=[800.0, 200.0, 200.0])
    more = result("node", "region", workload="lua", rounds=[1.0, 1.0], failure="panic")
    other = turns("node", "batch", perl=[1.0] * 3, lua=[1.0] * 3, gcc=[1.0] * 3)
    text = shown(program_rows(loaded(NATIVE, part, more, other)))
    assert "of 2:" in text
