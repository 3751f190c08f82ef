"""`tierlab test` itself: it counts tests right, and reports each failure."""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.base.errors import TierlabError
from bench.base.places import ROOT
from bench.build import Step
from bench.build.groups import read_groups
from bench.build.times import recorded
from bench.cli import stages
from bench.cli import test as command
from bench.guests.names import EVERY_MACHINE
from bench.harness.products import BUILDING, obtain, product_variable

PASSED = '<testcase name="a"/>'


def junit(counts: str) -> str:
    return f"<testsuites><testsuite {counts}>{PASSED}</testsuite></testsuites>"


def run(tmp_path: Path, report: str, status: int = 0) -> command.Outcome:
    """A stage whose program writes this report and ends with this status."""
    program = tmp_path / "program.py"
    program.write_text(
        "import pathlib, sys\n"
        f"text = {report!r}\n"
        "if text: pathlib.Path(sys.argv[1]).write_text(text)\n"
        f"sys.exit({status})\n"
    )
    return command._counted("stage", [sys.executable, str(program)], {})


def test_a_stage_that_passes(tmp_path: Path) -> None:
    outcome = run(tmp_path, junit('tests="7" failures="0" errors="0" skipped="2"'))
    assert outcome.ok
    assert (outcome.passed, outcome.failed, outcome.skipped) == (5, 0, 2)


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (junit('tests="7" failures="1" errors="1" skipped="0"'), 1),
        # The program failed at its end, wrote no valid report, or ran no test.
        (junit('tests="7" failures="0" errors="0" skipped="0"'), 3),
        ("", 0),
        ("<broken", 0),
        (junit('tests="0" failures="0"'), 5),
        (junit('tests="2" failures="0" skipped="2"'), 0),
    ],
)
def test_a_stage_that_does_not(tmp_path: Path, report: str, status: int) -> None:
    assert not run(tmp_path, report, status).ok


def test_a_program_that_is_missing() -> None:
    outcome = command._counted("stage", ["/nowhere/at/all"], {})
    assert not outcome.ok and "127" in outcome.error


@pytest.mark.parametrize("failing", [None, 0, 1, 2, 3])
def test_one_stage_that_fails_fails_all_and_stops_none(
    failing: int | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    titles: list[str] = []

    def stage(console: object, environment: object, title: str, *_: object) -> object:
        titles.append(title)
        bad = len(titles) - 1 == failing
        return command.Outcome(title, passed=3, failed=int(bad))

    monkeypatch.setattr(command, "to_build", lambda *_: [])
    monkeypatch.setattr(command, "install", lambda *_: None)
    monkeypatch.setattr(command, "obtain", lambda *_: {"node": tmp_path})
    monkeypatch.setenv("TIERLAB_CACHE", str(tmp_path))
    styled = command.Outcome(stages.STYLE, passed=1)
    monkeypatch.setattr(command, "_style", lambda *_: styled)
    monkeypatch.setattr(command, "_cmake", stage)
    monkeypatch.setattr(command, "_pytest", stage)
    callback = command.test.callback
    assert callback is not None
    assert callback(quick=False, full=False) == (0 if failing is None else 1)
    assert len(titles) == 4
    shown = capsys.readouterr().out
    assert ("All tests passed." in shown) == (failing is None)
    # The plan names all stages before the first one runs. Afterwards the cache knows
    # the time of each stage that passed.
    plan = shown[: shown.index("Summary")]
    assert all(title in plan for title in titles)
    known = {name.removeprefix("stage: ") for name in recorded(tmp_path)}
    good = {title for n, title in enumerate(titles) if n != failing}
    assert known == good | {stages.STYLE}


def test_the_plan_adds_up(tmp_path: Path) -> None:
    said = StringIO()
    steps = [
        Step("a", "the library", (), (), (), lambda _: None, 4.0),
        Step("b", "the program", (), (), ("a",), lambda _: None, 6.0),
        Step("c", "a download", (), (), (), lambda _: None, 0.4),
    ]
    stages.keep_time(tmp_path, stages.PYTHON, 90 * 60)
    stages.show_plan(
        Console(file=said, width=100),
        steps,
        [stages.SANITIZED, stages.PYTHON],
        recorded(tmp_path),
    )
    rows = dict(re.findall(r"^ +(\S.*?) +([\d.]+) *$", said.getvalue(), re.MULTILINE))
    assert rows == {
        "build the library": "4",
        "build the program": "6",
        "build a download": "0.4",
        "3 products, side by side": "10",
        stages.SANITIZED: f"{stages.MINUTES[stages.SANITIZED]:.0f}",
        stages.PYTHON: "90",
        "in all": f"{10 + stages.MINUTES[stages.SANITIZED] + 90:.0f}",
    }


@pytest.mark.usefixtures("nothing_built")
def test_tests_build_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(BUILDING, "off")
    with pytest.raises(TierlabError, match="would have to be built.*forbids"):
        obtain(["relay"], Console(file=StringIO()))
    assert not (tmp_path / "products").exists()
    # A product whose variable names a directory needs no building.
    monkeypatch.setenv(product_variable("relay"), str(tmp_path))
    assert obtain(["relay"], Console(file=StringIO())) == {"relay": tmp_path}


def test_products_of_tests() -> None:
    quick, usual, full = (
        set(stages.wanted_products(q, f))
        for q, f in ((True, False), (False, False), (False, True))
    )
    assert quick < usual < full
    assert {f"guest-{name}" for name in EVERY_MACHINE} < usual
    assert "v86" in full - usual


def test_quick_and_full_exclude_each_other() -> None:
    callback = command.test.callback
    assert callback is not None
    with pytest.raises(TierlabError, match="exclude each other"):
        callback(quick=True, full=True)


def test_packages_of_tests_are_groups() -> None:
    assert set(stages.PACKAGES) <= set(read_groups(ROOT))
