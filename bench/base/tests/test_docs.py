"""The documents name only files, links, commands and options that exist.

Read are README.md, CONTRIBUTING.md and docs/*.md. Of docs/decisions.md only the index
and the links are: what its entries name was so when they were written.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from bench.base.places import ROOT
from bench.cli.main import cli

DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
DECISIONS = DOCS / "decisions.md"
README = ROOT / "README.md"

DOCUMENTS = sorted([README, ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")])

# A reader of CONTRIBUTING.md writes these.
TO_BE_WRITTEN = {
    "tiers/policies/mine.c",
    "tiers/evictions/mine.c",
    "tiers/buffers/mine.c",
}

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TOP = "|".join(
    sorted(p.name for p in ROOT.iterdir() if p.is_dir() and p.name != ".git")
)
_PATH = re.compile(
    rf"(?<![\w./-])((?:{re.escape(_TOP).replace(r'\|', '|')})/[\w./*-]*)"
)
_PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b(?!\.md)")
_CODE = re.compile(r"`([^`\n]+)`")
_CALL = re.compile(r"^(?:\./)?tierlab (\S.*)$")
_TASKS = "| I want to | command |"
_DECISION = re.compile(r"^## (\d+)\. (.*) \(\d{4}-\d\d-\d\d\)$", re.M)
_ROW = re.compile(r"^\| \[(\d+)\]\(#([^)]*)\) \| (.*) \| (.*) \|$", re.M)


def title(document: Path) -> str:
    """A document's name, for pytest."""
    return document.relative_to(ROOT).as_posix()


@cache
def anchors(document: Path) -> frozenset[str]:
    """What links into a document may name, as GitHub makes it of the headings."""
    text = re.sub(r"(?ms)^```.*?^```", "", document.read_text(encoding="utf-8"))
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)|`", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return frozenset(found)


def broken_links(text: str, directory: Path, own: Path) -> list[str]:
    """The relative links in `text` that lead nowhere."""
    broken = []
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (directory / place).resolve() if place else own
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def missing_paths(text: str) -> list[str]:
    """The paths of the repository that `text` names and that match no file."""
    missing = []
    for found in _PATH.findall(text):
        path = found.rstrip(".")
        pattern = _PLACEHOLDER.sub("*", path).rstrip("/")
        if path not in TO_BE_WRITTEN and not any(ROOT.glob(pattern)):
            missing.append(path)
    return missing


def commands(text: str) -> Iterator[list[str]]:
    """The words behind `tierlab` in code, and those of the table of tasks."""
    for line in text.replace("\\\n", " ").splitlines():
        inline = _CODE.findall(line)
        for code in [line.strip()] if line.startswith("    ") else inline:
            # Settings of the environment may stand before it, remarks behind it.
            code = re.sub(r"^(?:[A-Z_]+=\S* )+", "", code.partition(" #")[0].strip())
            call = _CALL.match(code)
            if call:
                yield shlex.split(call[1])
    tasks = text.partition(_TASKS)[2].partition("\n\n")[0]
    for cell in re.findall(r"^\| [^|]* \| ([^|]*) \|", tasks, re.M):
        for code in _CODE.findall(cell):
            if not code.startswith("-"):
                yield shlex.split(code)


def unknown_words(words: list[str]) -> list[str]:
    """A command or options that the command line does not have."""
    if words[0].startswith("-") or words[0].isupper():
        return []
    command = cli.commands.get(words[0])
    if command is None:
        return [words[0]]
    known = {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
    known |= {"-h", "--help"}
    given = [w.partition("=")[0] for w in words[1:] if re.match(r"-+[a-z]", w)]
    return [f"{words[0]} {option}" for option in given if option not in known]


@pytest.mark.parametrize("document", DOCUMENTS, ids=title)
def test_links_lead_somewhere(document: Path) -> None:
    """A relative link names a file, and a heading in it that is there."""
    text = document.read_text(encoding="utf-8")
    assert broken_links(text, document.parent, document) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=title)
def test_paths_exist(document: Path) -> None:
    """A path that a document names is in the repository."""
    if document != DECISIONS:
        assert missing_paths(document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=title)
def test_commands_exist(document: Path) -> None:
    """A command line that a document shows has a command and options that exist."""
    if document != DECISIONS:
        text = document.read_text(encoding="utf-8")
        assert [w for words in commands(text) for w in unknown_words(words)] == []


def test_readme_shows_every_command() -> None:
    """README's table of tasks has a task for each command."""
    shown = {words[0] for words in commands(README.read_text(encoding="utf-8"))}
    assert set(cli.commands) <= shown


def test_index_is_complete() -> None:
    """docs/README.md has a line for each document."""
    listed = {link for link in _LINK.findall(INDEX.read_text(encoding="utf-8"))}
    others = {path.name for path in DOCS.glob("*.md")} - {INDEX.name}
    assert others <= listed


def test_tree_of_readme() -> None:
    """The folders under "Where things are" are there, and no room is left out."""
    text = README.read_text(encoding="utf-8").split("## Where things are")[1]
    tree = text.split("\n\n")[1]
    top = re.findall(r"^    ([\w.-]+)/ ", tree, re.M)
    rooms = re.findall(r"^      ([\w.-]+)/ ", tree, re.M)
    assert [name for name in top if not (ROOT / name).is_dir()] == []
    there = {p.parent.name for p in (ROOT / "bench").glob("*/__init__.py")}
    assert set(rooms) == there - {"testing"}


def test_index_of_decisions() -> None:
    """Each decision is in the index once, by its title, the newest first."""
    text = DECISIONS.read_text(encoding="utf-8")
    rows = _ROW.findall(text)
    assert [(n, sentence) for n, _, sentence, _ in rows] == _DECISION.findall(text)
    numbers = [int(n) for n, *_ in rows]
    assert numbers == list(range(len(rows), 0, -1))


def test_superseded_decisions() -> None:
    """The index and the first line of an entry agree on what superseded it."""
    text = DECISIONS.read_text(encoding="utf-8")
    entries = re.split(r"(?m)^## (?=\d+\. )", text)[1:]
    said = {}
    for entry in entries:
        mark = re.search(r"^\*((?:Partly s|S)uperseded by) decision (\d+)", entry, re.M)
        state = f"{mark[1].lower()} {mark[2]}" if mark else "holds"
        said[entry.partition(".")[0]] = state
    assert {n: state for n, _, _, state in _ROW.findall(text)} == said


def test_faults_are_found() -> None:
    """The checks above see what is wrong, so that they can fail."""
    text = (
        "[a](nowhere.md) [b](README.md#no-such-heading) [c](README.md#limits)\n"
        "`bench/nowhere.py`, bench/base/errors.py, `bench/engines/NAME.py`,\n"
        "`tiers/nowhere/NAME.c`. `tierlab boost`\n\n"
        "    ./tierlab compare --tear never --runs 1 \\\n        --wrong=1   # why\n"
    )
    assert broken_links(text, ROOT, README) == [
        "nowhere.md",
        "README.md#no-such-heading",
    ]
    assert missing_paths(text) == ["bench/nowhere.py", "tiers/nowhere/NAME.c"]
    found = [w for words in commands(text) for w in unknown_words(words)]
    assert found == ["boost", "compare --tear", "compare --wrong"]
