"""The guests' program `terminal`, built for this machine, on a pseudo-terminal."""

from __future__ import annotations

import os
import platform
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.guests import programs
from bench.guests.sources import ARCHITECTURES

ROOT = Path(__file__).resolve().parents[3]
ASKS = b"\x1b[?2048h"
PATIENCE_S = 20

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="built for x86_64 here"
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled as for a guest."""
    out = tmp_path_factory.mktemp("program") / "terminal"
    source = str(ROOT / programs.SOURCES)
    command = programs.command(ARCHITECTURES["x86_64"], "terminal", source, str(out))
    # This machine's own compiler may have no prefix.
    subprocess.run(["gcc", *command[1:]], check=True)
    return out


class Console:
    """The other end of the line."""

    def __init__(self, argv: list[str]) -> None:
        self.process, self.fd = pty.fork()
        if self.process == 0:
            os.execve(argv[0], argv, {"PS1": "$ ", "PATH": os.environ["PATH"]})
        self.seen = b""

    def until(self, wanted: bytes) -> bytes:
        """Read until `wanted` comes; gives all output before it."""
        end = time.monotonic() + PATIENCE_S
        while wanted not in self.seen:
            left = end - time.monotonic()
            assert left > 0, f"{wanted!r} never came, but {self.seen!r}"
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 4096)
        before, _, self.seen = self.seen.partition(wanted)
        return before

    def type(self, data: bytes) -> None:
        """Type bytes, as from a keyboard."""
        os.write(self.fd, data)

    def status(self) -> int:
        """Wait for the program's end; gives its exit status."""
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


@pytest.fixture
def shell(program: Path) -> Iterator[Console]:
    """A shell under `terminal`, on a pseudo-terminal of the test."""
    console = Console([str(program), "/bin/sh"])
    console.until(ASKS)
    yield console
    os.close(console.fd)


def test_size_is_what_the_report_says(shell: Console) -> None:
    shell.type(b"\x1b[48;37;123;740;984t")
    shell.type(b"stty size\r")
    shell.until(b"37 123\r\n")


def test_report_may_come_in_pieces(shell: Console) -> None:
    for piece in (b"\x1b", b"[48;3", b"1;99;0;0", b"t"):
        shell.type(piece)
    shell.type(b"stty size\r")
    shell.until(b"31 99\r\n")


def test_report_may_come_late(shell: Console) -> None:
    shell.type(b"\x1b[48;33;9")
    time.sleep(0.3)
    shell.type(b"7;0;0t")
    shell.type(b"stty size\r")
    shell.until(b"33 97\r\n")


def test_program_is_told_of_a_change(shell: Console) -> None:
    shell.type(b"trap 'echo chan''ged' WINCH; echo rea''dy\r")
    shell.until(b"ready")
    shell.type(b"\x1b[48;50;150;0;0t\r")
    shell.until(b"changed")


@pytest.mark.parametrize(
    "keys",
    [
        b"\x1b[A",
        b"\x1b[48;1x",
        b"\x1b\x1b[B",
        b"\x1b[4",
        b"\x1b",
        b"\x1b[48;1;2;3;4;5t",
    ],
)
def test_other_sequences_are_passed_on(shell: Console, keys: bytes) -> None:
    shell.type(b"stty raw -echo; head -c %d | od -An -tx1\r" % len(keys))
    shell.until(b"od -An -tx1\r\n")
    time.sleep(0.3)  # until stty has run
    shell.type(keys)
    shell.until(" ".join(f"{byte:02x}" for byte in keys).encode())


def test_status_is_that_of_the_program(program: Path) -> None:
    console = Console([str(program), "/bin/sh", "-c", "exit 7"])
    assert console.status() == 7
    console = Console([str(program), "/nowhere"])
    assert console.status() == 127


def test_line_is_left_as_it_was(program: Path) -> None:
    console = Console(
        ["/bin/sh", "-c", f"stty -g; {program} /bin/true; echo; stty -g; echo over"]
    )
    before = console.until(b"\r\n")
    console.until(b"2048l")
    console.until(b"\r\n")
    assert console.until(b"\r\nover").strip() == before.strip()
