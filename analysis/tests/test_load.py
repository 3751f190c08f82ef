"""Reading results: typed rows; files that are no results are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.load import LoadError, load_run, load_runs, run_from_json, unpack_tbs
from analysis.tests.samples import result


def test_a_result_becomes_a_row() -> None:
    counters = {"translate_ns": 9_000_000, "tbs_translated": 1000, "time_ns": None}
    run = run_from_json(
        result(boot_ms=1234.5, workload="sh", work_ms=50.0, counters=counters)
    )
    assert run.key == ("riscv64-debian", "node", "never", "sh", "")
    assert run.boot_ms == 1234.5
    assert run.workload_ms == pytest.approx(50.0)
    assert run.translate_us == pytest.approx(9.0)
    assert run.cpu_ms == 1000.0
    # A figure that the runtime did not measure is absent, not zero.
    assert "time_ns" not in run.counters


def test_no_workload_has_no_time() -> None:
    assert run_from_json(result(workload="none")).workload_ms is None


def test_a_run_that_never_reached_init() -> None:
    run = run_from_json(result(boot_ms=None, failure="timeout"))
    assert run.boot_ms is None and run.failure == "timeout" and run.message == "why"


def test_no_translations_have_no_mean() -> None:
    counters = {"translate_ns": 0, "tbs_translated": 0}
    assert run_from_json(result(counters=counters)).translate_us is None


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_is_refused(schema: Any) -> None:
    with pytest.raises(LoadError, match="reads schema 1"):
        run_from_json({**result(), "schema": schema})


@pytest.mark.parametrize("raw", [[], "x", {}, None])
def test_what_is_no_result_is_refused(raw: Any) -> None:
    with pytest.raises(LoadError, match="not a tierlab result"):
        run_from_json(raw)


def test_a_damaged_result_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(result())[:-20])
    with pytest.raises(LoadError, match="r.json: not JSON"):
        load_run(path)
    short = result()
    del short["resources"]
    path.write_text(json.dumps(short))
    with pytest.raises(LoadError, match="r.json: damaged"):
        load_run(path)


def test_runs_come_in_the_order_they_were_made(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    for number, tier in ((2, "always"), (10, "threshold"), (1, "never")):
        path = tmp_path / "runs" / f"{number:04d}-x.json"
        path.write_text(json.dumps(result(tier=tier)))
    assert [r.tier for r in load_runs(tmp_path)] == ["never", "always", "threshold"]


def test_a_directory_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="not a results directory"):
        load_runs(tmp_path)


def test_a_damaged_table_of_tbs_is_refused() -> None:
    with pytest.raises(LoadError, match="per-TB table"):
        unpack_tbs({"columns": ["pc"], "data": "AAAA"})
