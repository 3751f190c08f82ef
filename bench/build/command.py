"""Run a step's commands: output to a log, failures as one line, no orphans."""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from bench.base.errors import SetupError, disk_full

TICK = 0.2
_TAIL = 16384
_ERROR_LINE = re.compile(r"\b(error|fatal|FAILED|cannot|E:)\b", re.IGNORECASE)
_FULL = "No space left on device"


@functools.cache
def _containment() -> tuple[str, ...]:
    """A prefix by which a command and its children die when this process dies."""
    prefix: tuple[str, ...] = ()
    if shutil.which("setpriv"):
        prefix = ("setpriv", "--pdeathsig", "KILL")
    space = ("unshare", "--pid", "--fork", "--kill-child")
    if os.geteuid() == 0 and shutil.which("unshare"):
        # Many containers refuse this, even to root.
        probe = subprocess.run([*space, "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            prefix += space
    return prefix


def last_lines(path: Path, limit: int = _TAIL) -> list[str]:
    """The last lines of a text file that are not empty."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            data = file.read()
    except FileNotFoundError:
        return []
    text = data.decode("utf-8", "replace").replace("\r", "\n")
    return [line for line in text.splitlines() if line.strip()]


class Runner:
    """Runs the commands of one step; `tick` is called while one runs."""

    def __init__(
        self,
        title: str,
        log: Path,
        cache: Path,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self.title = title
        self.log = log
        self._cache = cache
        self.tick = tick

    def last_line(self) -> str:
        """The last line that the running command printed."""
        lines = last_lines(self.log, 1024)
        return lines[-1].strip() if lines else ""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        log: bool = True,
    ) -> None:
        """Run `argv`; with `log` false its output is dropped."""
        self.tick()
        with self.log.open("a", encoding="utf-8") as output:
            output.write(f"+ {shlex.join(argv)}\n")
            output.flush()
            sink = output if log else subprocess.DEVNULL
            status = self._wait(argv, cwd, env, sink)
        if status != 0:
            raise self._failure(argv, status)

    def _wait(
        self,
        argv: Sequence[str],
        cwd: Path | None,
        env: Mapping[str, str] | None,
        sink: int | IO[str],
    ) -> int:
        try:
            process = subprocess.Popen(
                [*_containment(), *argv],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError as error:
            raise SetupError(
                f"{self.title} failed", f"{error.filename}: not found"
            ) from error
        try:
            while True:
                try:
                    return process.wait(TICK)
                except subprocess.TimeoutExpired:
                    self.tick()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _failure(self, argv: Sequence[str], status: int) -> SetupError:
        lines = last_lines(self.log)
        if any(_FULL in line for line in lines):
            return disk_full(self.title, self._cache)
        telling = [line for line in lines if _ERROR_LINE.search(line)]
        why = (telling or lines or [""])[-1].strip()
        return SetupError(
            f"{self.title} failed",
            f"`{Path(argv[0]).name}` ended with status {status}: {why[:200]}",
            f"see {self.log}",
        )
