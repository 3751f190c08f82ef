"""--save, --save-at and --restore: what they do together, and their refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.harness.snapshots.file import read_snapshot
from bench.harness.tests.test_save_resume import RESUMES, SAVES
from bench.testing.fakes import GUEST, Capture, FakeEngine, error_line

pytestmark = pytest.mark.usefixtures("elsewhere", "products", "fake", "native")

BOOT = ["boot", GUEST, "--engine", "fake"]
COMPARE = ["compare", "--guest", GUEST, "--engine", "fake", "--tier", "never"]


@pytest.fixture
def machine(fake: FakeEngine, capfd: Capture) -> Path:
    """The file of a saved machine that waits at its prompt."""
    fake.scenarios = {"": SAVES}
    assert main([*BOOT, "--save", "m.snap"]) == 0
    assert "Saved m.snap" in capfd.readouterr().err
    return Path("m.snap")


def test_saved_by_one_engine_resumed_by_another(
    machine: Path, native: FakeEngine, tmp_path: Path
) -> None:
    assert read_snapshot(machine).facts.workload == "wait"
    native.scenarios = {"": RESUMES}
    resume = ["boot", GUEST, "--engine", "native", "--restore", "m.snap"]
    assert main([*resume, "--workload", "sha256:rounds=3", "--json", "r.json"]) == 0
    result: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
    assert "got sha256 rounds=3\n" in result["console"]["text"]
    assert result["config"]["workload"] == "sha256:rounds=3"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--save-at", "init"], "add --save FILE"),
        (["--save", "."], "cannot write ."),
        (["--save", "none/m.snap"], "cannot write none/m.snap"),
        (["--save", "x", "--save-at", "promt"], "unknown marker 'promt'; valid: firm"),
        (["--save", "x", "--save-at", "text:"], "unknown marker 'text:'"),
        (["--restore", "none"], "cannot read none"),
        (["--restore", "scenarios"], "is not a saved machine"),
        (["--workload", "wait"], "workload 'wait' waits for input"),
    ],
)
def test_refused_in_one_line(arguments: list[str], words: str, capfd: Capture) -> None:
    Path("scenarios").write_text("[]")
    assert main([*BOOT, *arguments]) == 2
    assert words in error_line(capfd)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--smp", "2"], "other number of CPUs"),
        (["--memory", "128"], "other memory"),
        (["--icount", "3"], "other icount"),
        (["--workload", "nonsense"], "unknown workload"),
        (["--workload", "shell"], "add --interactive"),
    ],
)
def test_another_machine_is_not_resumed(
    machine: Path, arguments: list[str], words: str, capfd: Capture
) -> None:
    assert main([*BOOT, "--restore", str(machine), *arguments]) == 2
    assert words in error_line(capfd)


def test_another_guest_is_not_resumed(machine: Path, capfd: Capture) -> None:
    assert main(["boot", "riscv64-tiny", "--restore", str(machine)]) == 2
    assert f"holds guest {GUEST}, not riscv64-tiny" in error_line(capfd)


def test_a_workload_under_way_is_not_exchanged(
    fake: FakeEngine, capfd: Capture
) -> None:
    fake.scenarios = {"": SAVES}
    assert main([*BOOT, "--workload", "sh", "--save", "m.snap"]) == 0
    capfd.readouterr()
    assert main([*BOOT, "--restore", "m.snap", "--workload", "gzip"]) == 2
    assert "was saved with the workload 'sh' under way" in error_line(capfd)
    assert main(["compare", "--restore", "m.snap"]) == 2
    assert "was saved with the workload 'sh' under way" in error_line(capfd)


def summary(directory: Path) -> dict[str, Any]:
    document = json.loads((directory / "summary.json").read_text())
    row: dict[str, Any] = document["rows"][0]
    return row


def test_compare_saves_once_and_resumes(fake: FakeEngine, capfd: Capture) -> None:
    # The fake chooses scenarios by tier and workload, which are the same in all boots
    # here: so play one scenario after another.
    played = iter([SAVES, RESUMES, RESUMES])

    class Next(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            return True

        def __getitem__(self, key: str) -> Any:
            return next(played)

    fake.scenarios = Next()
    arguments = [*COMPARE, "--resume", "--workload", "sh", "--runs", "2"]
    assert main([*arguments, "--out", "out"]) == 0
    assert next(played, None) is None
    row = summary(Path("out"))
    assert (row["workload"], row["runs"], row["failed"]) == ("sh resumed", 2, 0)
    assert row["boot_ms"] is None and 0 < row["resume_ms"]
    assert row["answer_ms"] > 0
    out, err = capfd.readouterr()
    assert "Resume: process start" in out
    assert err.count("resumed after") == 2 and "FAILED" not in err
    assert Path("out/snapshots").is_dir()


def test_compare_resumes_a_file(machine: Path, fake: FakeEngine) -> None:
    fake.scenarios = {"": RESUMES}
    arguments = ["compare", "--engine", "fake", "--tier", "never", "--runs", "1"]
    arguments += ["--workload", "sh", "--restore", str(machine), "--out", "out"]
    assert main(arguments) == 0
    assert summary(Path("out"))["workload"] == "sh resumed"
