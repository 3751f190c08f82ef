"""The table of runs whose code buffer was full."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console

from analysis.load import Run, run_from_json
from analysis.summary import summarise
from analysis.table import comparison_tables
from analysis.tests.samples import result

TITLE = "Code buffer that was full"
COUNTERS = {
    "tbs_translated": 9_000,
    "translate_ns": 2_500_000_000,
    "tbs_retranslated": 4_321,
    "retranslate_ns": 1_250_000_000,
    "sections_evicted": 77,
    "tb_flushes": 0,
    "evict_ns": 340_000_000,
    "code_buffer_size_bytes": 8 << 20,
}


def shown(counters: dict[str, Any]) -> str:
    runs: list[Run] = [run_from_json(result(counters=counters, tier="region"))]
    console = Console(width=80, markup=False, record=True)
    for table in comparison_tables(summarise(runs)):
        console.print(table)
    return console.export_text()


def test_translations_again_and_their_time_are_shown() -> None:
    text = shown(COUNTERS)
    part = text[text.index(TITLE) :]
    assert re.search(r"9000 +2\.50 +4321 +1\.25 +77 +0 +0\.34 +8", part), part
    assert "…" not in part


def test_a_buffer_with_room_has_no_table() -> None:
    assert TITLE not in shown({**COUNTERS, "sections_evicted": 0})
    assert TITLE in shown({**COUNTERS, "sections_evicted": 0, "tb_flushes": 1})
