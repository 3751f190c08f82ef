"""Rows and tables of a comparison."""

from __future__ import annotations

import pytest
from rich.console import Console

from analysis.load import run_from_json
from analysis.summary import NUMBERS, Row, summarise, summary_document
from analysis.table import comparison_tables, failure_lines, idle_text
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


def test_steady_state_is_the_last_half_of_the_rounds() -> None:
    (row,) = summarise([run_from_json(result(rounds=[5000, 5000, 900, 1100]))])
    assert row["steady_ms"] == 1000.0


def test_a_target_may_name_every_number_of_a_row() -> None:
    row = rows()["node", "never"]
    numbers = {key for key, v in row.items() if v is None or isinstance(v, float)}
    numbers -= {key for key in numbers if key.endswith("_ci")}
    assert numbers <= set(NUMBERS) <= set(row)


def test_a_peer_has_a_column_only_where_it_ran(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = [
        result("v86", "-", 9000.0, guest="i386-debian", workload="sha256"),
        result("node", "region", 8100.0, guest="i386-debian", workload="sha256"),
    ]
    text = shown(summarise(run_from_json(r) for r in results), 80, capsys)
    assert "/ v86" in text and "…" not in text
    alone = shown(summarise([run_from_json(results[1])]), 80, capsys)
    assert "/ v86" not in alone


def test_switches_are_other_configurations() -> None:
    results = [
        result("native", "-", 1000.0),
        result("node", "never", 4000.0),
        result("node", "never", 5000.0, switches={"chain": "tail", "counts": "exact"}),
        result("node", "batch", 2500.0, switches={"chain": "tail", "counts": "exact"}),
    ]
    found = {
        (r["tier"], r["switches"]): r
        for r in summarise(run_from_json(r) for r in results)
    }
    assert len(found) == 4
    row = found["batch", "chain=tail counts=exact"]
    # Native QEMU has no such switches; `never` is the one with the same.
    assert (row["ratio_native"], row["ratio_never"]) == (2.5, 0.5)


def test_mappings_are_those_above_never() -> None:
    compiled = {"tbs_compiled": 100, "modules_installed": 50}
    results = [
        result("node", "never", mappings=400),
        result("node", "always", mappings=600, counters=compiled),
    ]
    found = summarise(run_from_json(r) for r in results)
    assert [r["mappings_per_tb"] for r in found] == [None, 2.0]


def test_parameters_are_ordered_as_numbers() -> None:
    tiers = ["threshold:n=1500", "threshold:n=50", "never", "threshold:n=250"]
    found = summarise(run_from_json(result("node", t)) for t in tiers)
    assert [r["tier"] for r in found] == [
        "never",
        "threshold:n=50",
        "threshold:n=250",
        "threshold:n=1500",
    ]


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


def test_an_empty_comparison_is_a_document() -> None:  # written before the first run
    document = summary_document([], {"git": None}, {"runs": 3})
    assert document["rows"] == [] and document["schema"] == 1
    assert document["idle"] is None and document["idle_share"] is None


def test_the_idle_guest_is_in_the_document_and_failed_or_not_in_the_output() -> None:
    idle = {"guest": "g", "engine": "node", "tier": "never", "switches": ""}
    good = {**idle, "share": 0.031, "failure": None}
    assert summary_document([], {}, {}, good)["idle_share"] == 0.031
    assert idle_text(good).plain == "Idle guest g node never: 3.1 % of one core"
    bad = {**idle, "share": None, "failure": {"kind": "panic", "message": "why"}}
    document = summary_document([], {}, {}, bad)
    assert document["idle_share"] is None and document["idle"] == bad
    assert idle_text(bad).plain == "FAILED  idle guest g node never: panic: why"
