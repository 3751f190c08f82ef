"""Rows, figures and tables of a comparison."""

from __future__ import annotations

import pytest
from rich.console import Console

from analysis.figures import verdicts
from analysis.load import run_from_json
from analysis.summary import Row, summarise, summary_document
from analysis.table import comparison_tables, failure_lines
from analysis.tests.samples import result

COUNTERS = {"translate_ns": 30_000_000, "tbs_translated": 1000, "modules_installed": 4}


def rows() -> dict[tuple[str, str], Row]:
    results = [
        *(result("native", "-", ms) for ms in (900.0, 1000.0, 1100.0)),
        *(result("node", "never", ms, counters=COUNTERS) for ms in (4900.0, 5000.0)),
        result("node", "threshold:n=10", 3000.0, rss=2000.0),
        result("node", "threshold:n=10", 3000.0, failure="timeout"),
        result("node", "threshold:n=10", None, failure="panic"),
        result("node", "always", None, failure="panic"),
    ]
    found = summarise(run_from_json(r) for r in results)
    return {(row["engine"], row["tier"]): row for row in found}


def test_rows_hold_medians_and_ratios() -> None:
    native, never = rows()["native", "-"], rows()["node", "never"]
    assert native["boot_ms"] == 1000.0 and native["boot_ms_ci"] == [900.0, 1100.0]
    assert native["ratio_native"] == 1.0 and native["ratio_never"] is None
    assert never["boot_ms"] == 4950.0
    assert never["ratio_native"] == 4.95 and never["ratio_never"] == 1.0
    assert never["translate_us_mean"] == 30.0
    assert never["start_to_first_insn_ms"] == 700.0
    assert never["modules"] == 4
    assert never["workload_ms"] is None


def test_failed_runs_are_counted_and_give_no_times() -> None:
    row = rows()["node", "threshold:n=10"]
    assert (row["runs"], row["failed"]) == (3, 2)
    # One good run: its time, and no interval.
    assert row["boot_ms"] == 3000.0 and row["boot_ms_ci"] is None
    assert [f["kind"] for f in row["failures"]] == ["timeout", "panic"]
    dead = rows()["node", "always"]
    assert (dead["failed"], dead["boot_ms"], dead["ratio_native"]) == (1, None, None)


def test_a_reference_against_itself_is_no_estimate() -> None:
    assert rows()["native", "-"]["ratio_native_ci"] is None
    assert rows()["node", "never"]["ratio_never_ci"] is None
    assert rows()["node", "never"]["ratio_native_ci"] is not None


def test_rows_that_are_compared_stand_together() -> None:
    keys = [("node", "b"), ("node", "never"), ("native", "-"), ("node", "a")]
    found = summarise(
        run_from_json(result(engine, tier, guest=guest))
        for engine, tier in keys
        for guest in ("g2", "g1")
    )
    order = [(r["guest"], r["engine"], r["tier"]) for r in found]
    assert order[:4] == [
        ("g1", "native", "-"),
        ("g1", "node", "never"),
        ("g1", "node", "a"),
        ("g1", "node", "b"),
    ]


def test_guests_are_not_mixed() -> None:
    mixed = [
        result("native", "-", 100.0, guest="riscv64-tiny"),
        result("node", "never", 900.0, guest="riscv64-debian"),
    ]
    found = summarise(run_from_json(r) for r in mixed)
    assert [r["engine"] for r in found] == ["node", "native"]
    assert found[0]["ratio_native"] is None


def test_figures_are_met_or_missed() -> None:
    found = [v.met for v in verdicts(rows().values())]
    # threshold 3.0 of 3.5; never 4.95 of 6; 30 us of 15; 700 ms; 2000 MiB.
    assert found == [True, True, False, True, False, None]
    idle = verdicts([], idle_share=0.031)[-1]
    assert idle.met
    assert idle.line().startswith("idle guest, of one core <= 15 %: 3.10 %")
    lines = [v.line() for v in verdicts(rows().values())]
    assert lines[2] == (
        "translation per TB <= 15 us: 30.00 us, missed (riscv64-debian, never, node)"
    )


def test_figures_that_were_not_measured_say_so() -> None:
    found = verdicts(summarise([run_from_json(result("native", "-"))]))
    assert {v.met for v in found} == {None}
    assert all(v.line().endswith("not measured here") for v in found)


def shown(found: list[Row], width: int, capture: pytest.CaptureFixture[str]) -> str:
    for table in comparison_tables(found):
        Console(width=width, markup=False).print(table)
    return capture.readouterr().out


@pytest.mark.parametrize("width", [80, 140])
def test_tables_fit_the_terminal_and_cut_nothing(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    results = [
        *(result("native", "-", ms) for ms in (10900.0, 11000.0, 11100.0)),
        *(
            result("node", "threshold:n=1000", ms, counters=COUNTERS, rss=2000.0)
            for ms in (99100.0, 99200.0, 99300.0)
        ),
    ]
    text = shown(summarise(run_from_json(r) for r in results), width, capsys)
    for words in ("riscv64-debian", "threshold:n=1000", "99.20", "99.10..99.30"):
        assert words in text
    assert "8.93..9.11" in text and "2000" in text and "…" not in text
    # Nobody ran a workload: no table for it.
    assert "Workload" not in text


def test_workloads_have_a_table_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = [result(workload="sh", work_ms=ms) for ms in (400.0, 500.0, 600.0)]
    text = shown(summarise(run_from_json(r) for r in results), 80, capsys)
    assert "riscv64-debian, sh" in text and "0.40..0.60" in text


def test_failed_runs_stay_in_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(list(rows().values()), 80, capsys)
    assert "node always" in text and "node threshold:n=10" in text


def test_equal_failures_are_shown_once() -> None:
    failed = [run_from_json(result(failure="panic")) for _ in range(3)]
    assert failure_lines(summarise(failed)) == [
        "riscv64-debian node never none: 3 x panic: why"
    ]


def test_an_empty_comparison_is_a_document(  # written before the first run
) -> None:
    document = summary_document([], {"git": None}, {"runs": 3})
    assert document["rows"] == [] and document["schema"] == 1
