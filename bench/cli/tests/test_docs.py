"""The generated tables of docs/ are those that would be written now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cli.docs import COMMAND, TABLES, put


@pytest.mark.parametrize(("path", "name", "make"), TABLES, ids=[t[1] for t in TABLES])
def test_a_table_is_up_to_date(path: Path, name: str, make: Callable[[], str]) -> None:
    text = path.read_text()
    assert put(text, name, make()) == text, f"run `{COMMAND}`"


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table settings"):
        put("# Settings\n", "settings", "| a |")
