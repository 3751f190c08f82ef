"""`tierlab test` itself: it counts right, and nothing that fails looks good."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.base.errors import TierlabError
from bench.cli import test as command

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
        # It fell over at the end, or said nothing, or ran nothing.
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

    monkeypatch.setattr(command, "_products", lambda quick: {"node": tmp_path})
    monkeypatch.setattr(command, "_cmake", stage)
    monkeypatch.setattr(command, "_pytest", stage)
    callback = command.test.callback
    assert callback is not None
    assert callback(quick=False, full=False) == (0 if failing is None else 1)
    assert len(titles) == 4
    shown = capsys.readouterr().out
    assert ("All tests passed." in shown) == (failing is None)


def test_quick_and_full_exclude_each_other() -> None:
    callback = command.test.callback
    assert callback is not None
    with pytest.raises(TierlabError, match="exclude each other"):
        callback(quick=True, full=True)
