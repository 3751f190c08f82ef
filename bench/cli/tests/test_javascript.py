"""All JavaScript passes the check of types and ESLint's rules."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.base.places import ROOT
from bench.build.recipes import browsers as driver
from bench.build.recipes import linters
from bench.build.recipes.page import LIBRARIES
from bench.cli.javascript.check import PRODUCTS, SCRIPT, check
from bench.harness.products import obtain


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    return obtain(PRODUCTS, Console(stderr=True))


def packages(folder: str) -> dict[str, Any]:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    found: dict[str, Any] = lock["packages"]
    return found


def test_nothing_is_found(products: dict[str, Path]) -> None:
    assert check(products) == []


def test_faults_are_found(products: dict[str, Path], tmp_path: Path) -> None:
    """The check of a small checkout finds one fault of each kind.

    The faults: a wrong type, a promise that nobody awaits, a file outside all
    environments.
    """
    here = tmp_path / SCRIPT.parent.relative_to(ROOT)
    shutil.copytree(SCRIPT.parent, here, ignore=shutil.ignore_patterns("*.py"))
    wrong = tmp_path / "bench" / "wrong.mjs"
    wrong.write_text(
        "/** @param {number} n */\n"
        "export const twice = (n) => 2 * n;\n"
        "twice('x');\n"
        "Promise.resolve(1);\n"
    )
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "alone.mjs").write_text("export {};\n")
    found = "\n".join(check(products, here / SCRIPT.name))
    assert re.search(r"^bench/wrong.mjs:3:7: TS2345: ", found, re.MULTILINE)
    assert "bench/wrong.mjs:4:1: @typescript-eslint/no-floating-promises" in found
    assert "tools/alone.mjs: no tsconfig.*.json names this file" in found


def test_types_are_those_of_what_runs() -> None:
    checked = packages(linters.HERE)
    for library in LIBRARIES:
        assert checked[f"node_modules/{library.package}"]["version"] == library.version
    ws = packages(driver.HERE)["node_modules/ws"]["version"]
    types = checked["node_modules/@types/ws"]["version"]
    assert types.split(".")[0] == ws.split(".")[0]


def test_lock_names_no_registry() -> None:
    for folder in (linters.HERE, driver.HERE):
        assert not any("resolved" in entry for entry in packages(folder).values())
