"""The generated tables of docs/ are up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.schema import FAILURE_KINDS, SCHEMA_FILE
from bench.base.places import ROOT
from bench.cli.docs import COMMAND, TABLES, put, schema_with_settings


@pytest.mark.parametrize(("path", "name", "make"), TABLES, ids=[t[1] for t in TABLES])
def test_a_table_is_up_to_date(path: Path, name: str, make: Callable[[], str]) -> None:
    text = path.read_text()
    assert put(text, name, make()) == text, f"run `{COMMAND}`"


def test_the_schema_has_the_table_of_settings() -> None:
    text = SCHEMA_FILE.read_text()
    assert schema_with_settings(text) == text, f"run `{COMMAND}`"


def test_every_kind_of_failure_is_told_of() -> None:
    text = (ROOT / "docs" / "results.md").read_text()
    for kind in FAILURE_KINDS:
        assert f"`failure.kind`: `{kind}`" in text


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table settings"):
        put("# Settings\n", "settings", "| a |")
