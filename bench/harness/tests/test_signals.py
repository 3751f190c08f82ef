"""Ctrl-C, other signals and the terminal, on real processes."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.harness.products import TIERS, product_variable
from bench.testing import fakes
from bench.testing.fakes import GUEST, Scenario

FAKE_CLI = ROOT / "bench" / "testing" / "fake_cli.py"
# A time limit, so that a failing test does not hang.
PATIENCE_S = 60.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    guest = fakes.make_guest(tmp_path / "guest-product")
    tiers = fakes.make_tiers(tmp_path / "tiers-product")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
        ),
        product_variable(f"guest-{GUEST}"): str(guest),
        product_variable(TIERS): str(tiers),
    }


def argv(tmp_path: Path, scenario: Scenario, *arguments: str) -> list[str]:
    table = {"fake": {"": scenario}}
    (tmp_path / "scenarios.json").write_text(json.dumps(table))
    return [sys.executable, str(FAKE_CLI), str(tmp_path), *arguments]


def wait_until_absent(pid: int) -> bool:
    """Whether a process that is not our child ends."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_a_comparison_and_keeps_its_runs(
    tmp_path: Path, environment: dict[str, str], number: int, status: int
) -> None:
    scenario = fakes.boots_in(0.3)
    arguments = ["compare", "--guest", GUEST, "--engine", "fake", "--tier", "never"]
    arguments += ["--runs", "1000", "--out", str(tmp_path / "out")]
    child = subprocess.Popen(
        argv(tmp_path, scenario, *arguments),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    runs = tmp_path / "out" / "runs"
    end = time.monotonic() + PATIENCE_S
    while len(list(runs.glob("0*.json"))) < 2 and time.monotonic() < end:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(number)
    out, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == status, err
    assert f"Results: {tmp_path / 'out'}" in out
    assert "interrupted after" in err and "Traceback" not in err
    done = len(list(runs.glob("*.json")))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert done >= 2 and summary["rows"][0]["runs"] == done


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_engine_outlives_the_harness(
    tmp_path: Path, environment: dict[str, str], number: int
) -> None:
    scenario: Scenario = [{"say": fakes.KERNEL}, {"hang": True}]
    child = subprocess.Popen(
        argv(tmp_path, scenario, "boot", GUEST, "--engine", "fake"),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    assert b"Linux version" in child.stdout.readline()
    engines = children(child.pid)
    assert len(engines) == 1
    child.send_signal(number)
    child.wait(timeout=PATIENCE_S)
    child.stdout.close()
    assert wait_until_absent(engines[0])


def test_a_reader_that_leaves_ends_the_boot_quietly(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    scenario: Scenario = [{"say": "line\n"}, {"sleep": 0.2}, {"say": "x"}, {"hang": 1}]
    child = subprocess.Popen(
        argv(tmp_path, scenario, "boot", GUEST, "--engine", "fake"),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None and child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=PATIENCE_S) == 141
    assert child.stderr.read() == b""
    child.stderr.close()


class TerminalSession:
    """The command line on a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.shown = b""
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.child = subprocess.Popen(
            command,
            env=environment,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
        )

    def read_until(self, text: bytes) -> None:
        end = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            ready, _, _ = select.select([self.master], [], [], end - time.monotonic())
            assert ready, f"{text!r} not in {self.shown!r}"
            self.shown += os.read(self.master, 4096)
            assert b"Traceback" not in self.shown, self.shown.decode()

    def is_raw(self) -> bool:
        local = termios.tcgetattr(self.slave)[3]
        return not local & (termios.ICANON | termios.ECHO | termios.ISIG)

    def is_restored(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self.master)
        os.close(self.slave)


PROMPT: Scenario = [
    {"say": fakes.INIT},
    {"say": "@tierlab prompt guest=1.5\r\n# "},
    {"echo": 1},
]


@pytest.fixture
def session(
    tmp_path: Path, environment: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[TerminalSession]:
    arguments = ["boot", GUEST, "--engine", "fake", "--interactive"]
    session = TerminalSession(argv(tmp_path, request.param, *arguments), environment)
    yield session
    session.close()


@pytest.mark.parametrize(
    "session", [[*PROMPT, {"say": fakes.END}, {"exit": 0}]], indirect=True
)
def test_the_terminal_is_the_guests_and_comes_back(session: TerminalSession) -> None:
    session.read_until(b"# ")
    assert session.is_raw()
    # The guest gets Ctrl-C and Ctrl-A as bytes.
    os.write(session.master, b"a\x03\x01b\n")
    session.read_until(b"got a\x03\x01b")
    session.read_until(b"CPU ")
    assert session.child.wait(timeout=PATIENCE_S) == 0
    assert session.is_restored()


@pytest.mark.parametrize("session", [[*PROMPT, {"exit": 5}]], indirect=True)
def test_the_terminal_comes_back_when_the_guest_fails(
    session: TerminalSession,
) -> None:
    session.read_until(b"# ")
    os.write(session.master, b"\n")
    session.read_until(b"FAILED")
    assert session.child.wait(timeout=PATIENCE_S) == 1
    assert session.is_restored()


@pytest.mark.parametrize("session", [[*PROMPT, {"hang": True}]], indirect=True)
def test_the_terminal_comes_back_after_a_signal(session: TerminalSession) -> None:
    session.read_until(b"# ")
    assert session.is_raw()
    session.child.terminate()
    session.read_until(b"ended by SIGTERM")
    assert session.child.wait(timeout=PATIENCE_S) == 143
    assert session.is_restored()
