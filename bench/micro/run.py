"""Runs the two programs of microbenchmarks and collects their rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bench.base.errors import FAILED, TierlabError
from bench.micro.report import CHURN, short_name

# The benchmark CHURN takes ten steps in a row; its repetitions are these steps.
CHURN_STEPS = 10


@dataclass(frozen=True)
class Effort:
    """How long a benchmark runs, and how often."""

    repetitions: int
    min_time_s: float
    quick: bool


FULL = Effort(5, 0.1, False)
QUICK = Effort(3, 0.02, True)

Done = Callable[[str], None]


@dataclass
class Outcome:
    """The rows of all benchmarks, and the programs' facts about themselves."""

    context: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Native:
    """The native program, which uses google-benchmark."""

    product: Path

    @property
    def _program(self) -> str:
        return str(self.product / "bin" / "micro-native")

    def names(self) -> list[str]:
        """The names of all benchmarks that the program has."""
        return _lines([self._program, "--benchmark_list_tests=true"])

    def run(
        self, names: Sequence[str], effort: Effort, done: Done, outcome: Outcome
    ) -> None:
        """Run the named benchmarks in one process, one after the other."""
        choice = "|".join(re.escape(name).replace("\\-", "-") for name in names)
        with tempfile.TemporaryDirectory(prefix="tierlab-") as scratch:
            report = Path(scratch) / "report.json"
            argv = [self._program, f"--benchmark_filter=^({choice})$"]
            argv += [f"--benchmark_out={report}", "--benchmark_out_format=json"]
            argv += [f"--benchmark_repetitions={effort.repetitions}"]
            argv += [f"--benchmark_min_time={effort.min_time_s}s"]
            argv += ["--benchmark_display_aggregates_only=true"]
            log = Path(scratch) / "log"
            # stderr has remarks on the host, which the report has as well.
            with log.open("w") as remarks, _process(argv, remarks) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    name = line.split(" ", 1)[0]
                    if name.endswith("_mean"):
                        done(short_name(name.removesuffix("_mean")))
            _check(argv[0], process.returncode, log.read_text(errors="replace"))
            document = _parse(argv[0], report.read_text(encoding="utf-8"))
        outcome.context.update(document.get("context", {}))
        outcome.rows += document["benchmarks"]


@dataclass(frozen=True)
class InNode:
    """The program for the engine in Node; each benchmark has its own process."""

    product: Path
    node: Path

    @property
    def _argv(self) -> list[str]:
        return [str(self.node / "bin" / "node"), str(self.product / "micro-engine.js")]

    def names(self) -> list[str]:
        """All benchmarks."""
        return _lines([*self._argv, "--list"])

    def run(
        self, names: Sequence[str], effort: Effort, done: Done, outcome: Outcome
    ) -> None:
        """Run the named benchmarks one after another; a crash gives a failed row."""
        for name in names:
            times = CHURN_STEPS if name == CHURN else effort.repetitions
            argv = [*self._argv, "--run", name, "--repetitions", str(times)]
            argv += ["--quick", str(int(effort.quick))]
            with _process(argv) as process:
                text = process.communicate()[0]
            if process.returncode == 0:
                outcome.rows += _parse(name, text)["benchmarks"]
            else:
                why = f"the engine ended with status {process.returncode}"
                outcome.rows.append(failed_row(name, why))
            done(name)


def failed_row(name: str, why: str) -> dict[str, Any]:
    """A failed repetition, in the form of google-benchmark."""
    return {
        "name": name,
        "run_name": name,
        "run_type": "iteration",
        "error_occurred": True,
        "error_message": why,
    }


class _process:
    """A child process that ends when this process does."""

    def __init__(self, argv: Sequence[str], remarks: IO[str] | None = None) -> None:
        try:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=remarks,
                text=True,
                env={**os.environ, "NODE_OPTIONS": ""},
            )
        except OSError as error:
            raise TierlabError(
                f"cannot run {argv[0]}", error.strerror or str(error), "build it again"
            ) from error

    def __enter__(self) -> subprocess.Popen[str]:
        return self._child

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._child.kill()
        self._child.wait()


def _lines(argv: list[str]) -> list[str]:
    with _process(argv) as process:
        text = process.communicate()[0]
    _check(argv[0], process.returncode)
    return text.split()


def _check(program: str, status: int, said: str = "") -> None:
    if status != 0:
        last = said.strip().splitlines()[-1:]
        raise TierlabError(
            "the microbenchmarks ended early",
            ": ".join([f"{Path(program).name} ended with status {status}", *last]),
            "choose others with a FILTER, or report this",
            status=FAILED,
        )


def _parse(source: str, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise TierlabError(
            "a microbenchmark's report cannot be read",
            f"{Path(source).name}: {error}",
            "report this",
            status=FAILED,
        ) from error
    if not isinstance(document, dict) or not isinstance(
        document.get("benchmarks"), list
    ):
        raise TierlabError(
            "a microbenchmark's report cannot be read",
            f"{Path(source).name}: no list of benchmarks",
            "report this",
            status=FAILED,
        )
    return document
