"""Runs check.mjs: types and faults in all JavaScript of the checkout."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.build.recipes.linters import PRODUCT
from bench.engines.browser import DRIVER

PRODUCTS = ("node", PRODUCT, DRIVER)
SCRIPT = Path(__file__).with_name("check.mjs")
_FOUND = 1


def check(products: Mapping[str, Path], script: Path = SCRIPT) -> list[str]:
    """The findings, one line each; `products` are the directories of PRODUCTS."""
    node, linters, driver = (products[name] for name in PRODUCTS)
    argv = [node / "bin" / "node", script, linters, driver]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    findings = done.stdout.splitlines()
    if done.returncode != (_FOUND if findings else 0) or done.stderr:
        raise RuntimeError(f"{script.name} failed: {done.stderr or done.stdout}")
    return findings
