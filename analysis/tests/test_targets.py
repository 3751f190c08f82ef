"""Targets: which rows they are about, and how they are held against them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis.load import run_from_json
from analysis.summary import Row, summarise
from analysis.table import verdict_text
from analysis.targets import IDLE_SHARE, WORST, Target, verdicts
from analysis.tests.samples import result

BOOT = Target("boot", "boot_ms", 4000.0, unit="ms")


def rows(*results: dict[str, Any]) -> list[Row]:
    return summarise(run_from_json(r) for r in results)


ROWS = rows(
    result("native", "-", 1000.0),
    result("node", "threshold:n=50", 3000.0),
    result("node", "batch:shape=regions", 5000.0),
    result("node", "region", 6000.0, workload="sha256:mib=8"),
)


@pytest.mark.parametrize(
    ("patterns", "selected"),
    [
        ({}, [1000, 3000, 5000, 6000]),
        # An engine without tiers is never what a pattern of tiers means.
        ({"tiers": ("*",)}, [3000, 5000, 6000]),
        ({"tiers": ("threshold", "batch")}, [3000, 5000]),
        ({"tiers": ("region", "*shape=regions*")}, [5000, 6000]),
        ({"tiers": ("*",), "except_tiers": ("batch",)}, [3000, 6000]),
        ({"engines": ("native",)}, [1000]),
        ({"workloads": ("sha256",)}, [6000]),
        ({"workloads": ("none",)}, [1000, 3000, 5000]),
        ({"guests": ("riscv64-tiny",)}, []),
    ],
)
def test_patterns_select_rows(
    patterns: dict[str, tuple[str, ...]], selected: list[float]
) -> None:
    target = replace(BOOT, **patterns)  # type: ignore[arg-type]
    found = [row["boot_ms"] for row in ROWS if target.selects(row)]
    assert sorted(found) == selected


@pytest.mark.parametrize(
    ("change", "value", "met"),
    [
        ({}, 1000.0, True),
        ({"row": WORST}, 6000.0, False),
        ({"at_least": True}, 6000.0, True),
        ({"at_least": True, "row": WORST}, 1000.0, False),
        # Either limit is met by the value that it names.
        ({"limit": 1000.0}, 1000.0, True),
        ({"limit": 6000.0, "at_least": True}, 6000.0, True),
    ],
)
def test_the_best_or_the_worst_row_counts(
    change: dict[str, Any], value: float, met: bool
) -> None:
    (verdict,) = verdicts([replace(BOOT, **change)], ROWS)
    assert (verdict.value, verdict.met) == (value, met)


def test_a_verdict_is_one_line() -> None:
    (verdict,) = verdicts([replace(BOOT, row=WORST, engines=("node",))], ROWS)
    assert verdict.line() == (
        "boot <= 4000 ms: 6000 ms, missed (riscv64-debian, region, node)"
    )
    assert verdict_text(verdict).style == "red"


def test_a_target_that_was_not_measured_says_so() -> None:
    failed = rows(result(boot_ms=None, failure="panic"))
    (verdict,) = verdicts([BOOT], failed)
    assert (verdict.value, verdict.met) == (None, None)
    assert verdict.line() == "boot <= 4000 ms: not measured"


def test_the_idle_share_is_of_no_row() -> None:
    idle = Target("idle guest", IDLE_SHARE, 0.15)
    (told,) = verdicts([idle], [], 0.031)
    assert told.met and told.line() == "idle guest <= 0.15: 0.03, met (the idle boot)"
    (untold,) = verdicts([idle], ROWS)
    assert untold.met is None
