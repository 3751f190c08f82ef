"""The program `mechanisms` and what the project says of it."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.guests.catalogue import PATTERNS
from bench.guests.programs import SOURCES, command
from bench.guests.sources import ARCHITECTURES
from bench.harness.process.console import ConsoleParser

PROGRAM = ROOT / SOURCES / "mechanisms.c"
PAGE = ROOT / "docs" / "mechanisms.md"

needs_x86_64 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="runs the program for x86-64"
)


def test_the_catalogue_has_the_patterns_of_the_program() -> None:
    own = re.findall(r'^ {4}\{ "([\w-]+)", ', PROGRAM.read_text(), re.MULTILINE)
    assert tuple(own) == PATTERNS


def test_every_pattern_is_explained() -> None:
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \|", PAGE.read_text(), re.MULTILINE)
    explained = [name for row in rows for name in re.findall(r"`([\w-]+)`", row)]
    assert tuple(explained) == PATTERNS


def built(sources: Path, program: Path) -> str:
    """The program for this machine."""
    argv = command(ARCHITECTURES["x86_64"], "mechanisms", str(sources), str(program))
    subprocess.run(argv, check=True)
    return str(program)


def run(*argv: str) -> tuple[int, str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@needs_x86_64
def test_the_program_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    program = built(ROOT / SOURCES, tmp_path / "program")
    status, said = run(program, "all", "1", "2")
    parser = ConsoleParser([])
    parser.feed(said.encode(), 0.0)
    assert (status, tuple(f.name for f in parser.figures)) == (0, PATTERNS)
    status, said = run(program, "call-16", "1", "1")
    assert (status, len(said.splitlines())) == (0, 1)
    unknown = "mechanisms: no pattern is called nonsense\n"
    assert run(program, "nonsense", "1", "1") == (2, unknown)
    for bad in ((), ("all",), ("all", "0", "1"), ("all", "1", "x")):
        assert run(program, *bad) == (2, "usage: mechanisms PATTERN MS WARM\n")


@needs_x86_64
@pytest.mark.parametrize(
    ("file", "right", "fault", "said"),
    [
        ("code-x86.c", "operand(code, k);", "operand(code, k ^ (k == 7));", "sum"),
        ("patterns-code.c", "blocks, i + 1,", "blocks, i + 1 + (i == 9),", "sum"),
        ("code-x86.c", "*(uint32_t *)(step + 3) = k;", "(void)step, (void)k;", "sum"),
        ("code-x86.c", "0x89, 0x46, 0x0c", "0x89, 0x4e, 0x0c", "stored"),
    ],
    ids=["other work", "a block left out", "a write not seen", "another store"],
)
def test_a_wrong_execution_ends_the_program(
    tmp_path: Path, file: str, right: str, fault: str, said: str
) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(ROOT / SOURCES, sources)
    text = (sources / file).read_text()
    assert text.count(right) == 1
    (sources / file).write_text(text.replace(right, fault))
    status, output = run(built(sources, tmp_path / "program"), "all", "1", "1")
    assert status == 1
    assert re.match(
        rf"mechanisms [\w-]+: {said} \d+, not \d+$", output.splitlines()[-1]
    )
