"""Many images under several tiers: which ones pass, fail or differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cli.main import main
from bench.harness.checks.conform import first_difference
from bench.testing.fakes import FakeEngine
from bench.testing.schema import check_form

METAL = """
arch = "riscv64"
machine = "virt"
firmware = "none"
[end]
timeout = 20
"""
GOOD = [{"say": "one\ntwo\n"}]


@pytest.fixture
def suite(tmp_path: Path, products: None) -> Path:
    (tmp_path / "suite.toml").write_text(METAL)
    folder = tmp_path / "isa"
    folder.mkdir()
    for name in ("add", "sub"):
        (folder / name).write_bytes(b"\x7fELF" + name.encode())
    (folder / "add.dump").write_text("no image")
    return tmp_path


def conform(suite: Path, *words: str) -> int:
    return main(["conform", str(suite / "suite.toml"), *words, "--engine", "fake"])


def test_all_pass(
    suite: Path, fake: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.scenarios = {"": GOOD}
    out = suite / "out.json"
    assert conform(suite, str(suite / "isa"), "--json", str(out)) == 0
    said = capfd.readouterr().out
    assert "2 images under never, region: 2 pass, 0 fail" in " ".join(said.split())
    files = [request.guest.file("kernel") for request in fake.requests]
    kernels = sorted(file.path.name for file in files if file is not None)
    assert kernels == ["add", "add", "sub", "sub"]
    check_form(json.loads(out.read_text()), "conform")
    assert [image["good"] for image in json.loads(out.read_text())["images"]] == [
        True
    ] * 2


@pytest.mark.parametrize(
    ("scenario", "line", "counts"),
    [
        (
            [{"say": "one\nthree\n"}],
            "region and never differ in line 2: 'three'",
            "1 diff",
        ),
        ([*GOOD, {"exit": 5}], "region: exit-status: exit status 5", "1 differ"),
        ([{"say": "one\n"}], "differ in line 2: its end and 'two'", "1 differ"),
    ],
)
def test_one_tier_tells_another_story(
    suite: Path,
    fake: FakeEngine,
    capfd: pytest.CaptureFixture[str],
    scenario: list[dict[str, object]],
    line: str,
    counts: str,
) -> None:
    fake.scenarios = {"": GOOD, "region": scenario}
    assert conform(suite, str(suite / "isa/add")) == 1
    said = capfd.readouterr().out
    assert "DIFFERS" in said and line in said and counts in said


def test_what_fails_everywhere_alike(
    suite: Path, fake: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.scenarios = {"": [{"say": "x\n"}, {"exit": 3}]}
    assert conform(suite, str(suite / "isa"), "--tier", "never", "--jobs", "1") == 1
    said = capfd.readouterr().out
    assert said.count("FAILED") == 2 and "2 fail under all alike" in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["@"], "no ELF file is in it"),
        (["@/isa", "--jobs", "0"], "0 is not in the range"),
        (["@/isa", "--tier", "nonsense"], "nonsense"),
        ([], "Missing argument"),
    ],
)
def test_refused(
    suite: Path,
    fake: FakeEngine,
    words: list[str],
    complaint: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert conform(suite, *(w.replace("@", str(suite)) for w in words)) == 2
    assert complaint in " ".join(capfd.readouterr().err.split())


def test_the_first_difference() -> None:
    assert first_difference("a\nb\n", "a\nb\n") is None
    assert first_difference("a", "a\nb") == "line 2: 'b' and its end"
