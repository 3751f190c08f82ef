"""Commands of steps: their log, their failures, their end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.build import SetupError
from bench.build.command import Runner, last_lines


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner("the step", tmp_path / "log", tmp_path / "cache")


def test_output_goes_to_the_log(runner: Runner) -> None:
    runner.run(["sh", "-c", "echo out; echo err >&2"])
    assert runner.log.read_text().splitlines()[1:] == ["out", "err"]
    runner.run(["sh", "-c", "echo secret"], log=False)
    assert "\nsecret" not in runner.log.read_text()


def test_environment_and_directory(runner: Runner, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "GIVEN": "value"}
    runner.run(["sh", "-c", 'echo "$GIVEN"; pwd'], cwd=tmp_path, env=env)
    assert runner.log.read_text().splitlines()[1:] == ["value", str(tmp_path)]


def test_failure_is_one_line_with_the_reason_and_the_log(runner: Runner) -> None:
    script = "echo 'x.c:1: error: bad'; echo 'make: stopping'; exit 2"
    with pytest.raises(SetupError) as caught:
        runner.run(["sh", "-c", script])
    line = str(caught.value)
    assert line == (
        "the step failed: `sh` ended with status 2: x.c:1: error: bad; "
        f"see {runner.log}"
    )


def test_full_disk_of_a_command_is_recognised(runner: Runner) -> None:
    script = "echo 'ld: cannot write: No space left on device'; exit 1"
    with pytest.raises(SetupError, match="no space left on the disk"):
        runner.run(["sh", "-c", script])


def test_missing_program_is_named(runner: Runner) -> None:
    with pytest.raises(SetupError):
        runner.run(["no-such-program"])


def test_last_lines_of_progress_bars(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\n10%\r20%\r\xff30%")
    assert last_lines(log)[-2:] == ["20%", "\ufffd30%"]
    assert last_lines(tmp_path / "absent") == []


def _gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's commands are contained")
def test_nothing_survives_a_killed_run(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # `sleep` is a grandchild; /proc knows it by its number outside.
    script = (
        f"(read -r pid rest </proc/self/stat; echo $pid >>{pids}; exec sleep 600) &"
        " wait"
    )
    program = (
        "from pathlib import Path\n"
        "from bench.build.command import Runner\n"
        f"here = Path({str(tmp_path)!r})\n"
        f"Runner('t', here / 'log', here).run(['sh', '-c', {script!r}])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 30
    while not (pids.exists() and pids.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    survivors = [int(pid) for pid in pids.read_text().split()]
    assert len(survivors) == 1
    while not all(_gone(pid) for pid in survivors):
        assert time.monotonic() < deadline
        time.sleep(0.05)
