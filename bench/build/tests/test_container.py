"""The Dockerfile: its steps were done in a fresh root, and made what they should."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from bench.base.places import ROOT
from bench.build import SetupError
from bench.build.recipes.container import (
    DOCKERFILE,
    PRODUCT,
    REPORT,
    Instruction,
    parse,
    suite_of,
)
from bench.harness.products import obtain


def test_continued_lines_and_comments() -> None:
    text = "# what it is\nFROM debian:trixie-slim\nRUN one \\\n && two\nENV A=1 B=2\n"
    assert parse(text) == [
        Instruction("FROM", "debian:trixie-slim"),
        Instruction("RUN", "one   && two"),
        Instruction("ENV", "A=1 B=2"),
    ]


@pytest.mark.parametrize("text", ["", "RUN true\n", "FROM alpine\n"])
def test_only_a_slim_debian_is_made(text: str) -> None:
    with pytest.raises(SetupError, match="begin with FROM"):
        suite_of(parse(text))


def test_its_steps_install_all_packages() -> None:
    product = obtain([PRODUCT], Console(stderr=True))[PRODUCT]
    report = json.loads((product / REPORT).read_text())
    lines = (ROOT / "packages.txt").read_text(encoding="utf-8").splitlines()
    wanted = {word for line in lines for word in line.partition("#")[0].split()}
    assert wanted and wanted <= set(report["packages"])
    stated = parse((ROOT / DOCKERFILE).read_text(encoding="utf-8"))
    assert f"FROM debian:{report['suite']}-slim" in [
        f"{step.name} {step.value}" for step in stated
    ]
    assert report["environment"]["TIERLAB_CACHE"] == "/cache"
    assert report["folder"] == "/tierlab"
