"""Refused TBs: which are counted as wrong, and where they are said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rich.console import Console

from analysis.load import COMPILE_COUNTERS, Run, run_from_json
from analysis.refusals import ALARMING
from analysis.summary import summarise
from analysis.table import comparison_tables, warning_lines
from analysis.tests.samples import result

TIERS = Path(__file__).resolve().parents[2] / "tiers"
SAID = "tierlab: the engine refused a module: RangeError: Start offset -2013 is out\n"


def run(counters: dict[str, Any], stderr: str = "", **more: Any) -> Run:
    raw = result(counters=counters, **more)
    return run_from_json({**raw, "stderr": {"text": stderr}})


def test_the_counters_are_the_runtimes() -> None:
    reasons = (TIERS / "refusals.def").read_text()
    keys = re.findall(r'COMPILE_REFUSAL\(\w+, "([a-z-]+)"', reasons)
    assert set(ALARMING) <= {f"refused_{key.replace('-', '_')}" for key in keys}
    counters = re.findall(r"^X\((\w+),", (TIERS / "counters.def").read_text(), re.M)
    assert set(COMPILE_COUNTERS) <= set(counters)


def test_a_run_warns_of_what_the_engine_refused() -> None:
    one = run({"refused_engine_refused": 90_000}, f"qemu: x\n{SAID}{SAID}bye\n")
    assert one.ok and one.warnings == [
        "90,000 TBs were not compiled: the engine refused their modules "
        "(RangeError: Start offset -2013 is out)"
    ]


def test_the_engines_words_are_of_its_refusals_only() -> None:
    found = run({"refused_no_memory": 2, "refused_engine_refused": 1}, SAID).warnings
    assert len(found) == 2
    assert ["RangeError" in line for line in found] == [
        "the engine refused" in line for line in found
    ]


def test_limits_that_a_policy_sets_are_no_warning() -> None:
    counters = {"refused_full_modules": 9, "refused_wait": 9, "refused_stale": 9}
    assert run({**counters, "refused_engine_refused": 0}).warnings == []
    # A run of an engine without tiers has no counters at all.
    assert run({}).warnings == []


def shown(runs: list[Run]) -> str:
    console = Console(width=80, markup=False, record=True)
    for table in comparison_tables(summarise(runs)):
        console.print(table)
    return console.export_text()


def test_the_tables_say_what_was_refused() -> None:
    runs = [
        run({"refused_engine_refused": 70_000}, SAID, tier="region"),
        run({"refused_engine_refused": 90_123, "tbs_compiled": 35}, tier="region"),
        run({"refused_engine_refused": 5}, tier="region", failure="timeout"),
    ]
    (row,) = summarise(runs)
    assert row["refusals"] == {"refused_engine_refused": 90_123}
    assert warning_lines([row]) == [
        "riscv64-debian node region none: 90,123 TBs were not compiled: the engine "
        "refused their modules (RangeError: Start offset -2013 is out)"
    ]
    text = shown(runs)
    assert "fused" in text and "90123" in text and "…" not in text
    assert "fused" not in shown([run({"tbs_compiled": 35})])
    assert warning_lines(summarise([run({"tbs_compiled": 35})])) == []


def test_compile_ms_is_the_sum_of_two_counters() -> None:
    counters = {"emit_ns": 3_000_000, "instantiate_ns": 40_000_000}
    # Others do not count, whatever their names: they are times of other work.
    more = {"optimise_ns": 10**9, "first_call_ns": 10**9, "decisions_ns": 10**9}
    assert run({**counters, **more}).compile_ms == 43.0
    # A part of the sum would be a wrong figure.
    assert run({"emit_ns": 3_000_000}).compile_ms is None
    assert "emit +" in shown([run(counters)])
