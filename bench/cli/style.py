"""Checks the rules of CONTRIBUTING.md on formatting, linting and types.

Each check is a program and the files that it looks at. Files come from git, so a new
file is checked from the day it is added. New files that are not yet added to git are
checked as well.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.base.places import ROOT, default_cache
from bench.cli.javascript.check import check as check_javascript

C_SUFFIXES = (".c", ".h", ".cpp", ".hpp", ".inc")
MAX_C_COLUMNS = 80
# mypy's cache is outside the checkout, because checks must leave nothing in it.
TYPES = default_cache() / "mypy"
SHELL_SCRIPTS = (
    "tierlab",
    ".ci/run",
    "bench/guests/userland/init",
    "bench/guests/userland/udhcpc",
    *(
        f"bench/guests/userland/programs/{name}/round"
        for name in ("build", "cmake", "gcc", "git", "sqlite")
    ),
    "bench/build/recipes/quick-emcc.sh",
)


@dataclass(frozen=True)
class Finding:
    """The output of one check: empty if the check passed."""

    title: str
    output: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the check passed."""
        return not self.output


@dataclass(frozen=True)
class Check:
    """A program that must exit with status 0, or a function of ours.

    The names of `files` are added to `argv`, unless the program finds its files
    itself. A function is given the names and returns a line for each fault.
    """

    title: str
    files: Callable[[str], bool]
    argv: tuple[str, ...] = ()
    function: Callable[[Path, Sequence[str]], Iterator[str]] | None = None
    finds_files: bool = False


def _ends(*suffixes: str) -> Callable[[str], bool]:
    return lambda name: name.endswith(suffixes)


def too_long(root: Path, names: Sequence[str]) -> Iterator[str]:
    """Lines of C with more than 80 columns; clang-format does not break long words."""
    for name in names:
        text = (root / name).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            columns = len(line.expandtabs(8))
            if columns > MAX_C_COLUMNS:
                yield f"{name}:{number}: {columns} columns, {MAX_C_COLUMNS} at most"


CHECKS = (
    Check(
        "clang-format: C is laid out",
        lambda name: name.endswith(C_SUFFIXES) and not name.endswith(".c.inc"),
        ("clang-format", "--dry-run", "--Werror", "--style=file"),
    ),
    Check(
        "C has at most 80 columns",
        _ends(*C_SUFFIXES, ".def", ".S"),
        function=too_long,
    ),
    Check(
        "black: Python is laid out",
        _ends(".py"),
        (sys.executable, "-m", "black", "--quiet", "--check", "--diff"),
    ),
    Check(
        "isort: Python's imports are in order",
        _ends(".py"),
        (sys.executable, "-m", "isort", "--quiet", "--check", "--diff"),
    ),
    Check(
        "flake8: Python has no obvious faults",
        _ends(".py"),
        (sys.executable, "-m", "flake8"),
    ),
    Check(
        "shellcheck: shell scripts",
        lambda name: name in SHELL_SCRIPTS,
        ("shellcheck", "--external-sources"),
    ),
    Check(
        "mypy: Python's types agree",
        _ends(".py"),
        (sys.executable, "-m", "mypy", "--no-error-summary", f"--cache-dir={TYPES}"),
        finds_files=True,
    ),
)


def javascript(products: Mapping[str, Path]) -> Check:
    """The check of JavaScript, which needs products: types, and ESLint's rules."""

    def findings(_root: Path, _names: Sequence[str]) -> Iterator[str]:
        yield from check_javascript(products)

    return Check(
        "tsc and ESLint: JavaScript has types and no obvious faults",
        _ends(".js", ".mjs"),
        function=findings,
    )


def listed(root: Path = ROOT) -> list[str]:
    """The files of the checkout that git tracks, and those not added to git yet."""
    argv = ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files"]
    argv += ["-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return sorted(n for n in done.stdout.split("\0") if n and (root / n).is_file())


def run_checks(
    environment: Mapping[str, str],
    root: Path = ROOT,
    checks: Iterable[Check] = CHECKS,
) -> Iterator[Finding]:
    """Run the checks one after another, and give the finding of each."""
    names = listed(root)
    for check in checks:
        chosen = [name for name in names if check.files(name)]
        started = time.monotonic()
        if not chosen:
            output = "there is no file to check"
        elif check.function is not None:
            output = "\n".join(check.function(root, chosen))
        else:
            argv = [*check.argv, *([] if check.finds_files else chosen)]
            output = _output(argv, environment, root)
        yield Finding(check.title, output, time.monotonic() - started)


def _output(argv: Sequence[str], environment: Mapping[str, str], root: Path) -> str:
    """A program's whole output if the program fails; else an empty text."""
    try:
        done = subprocess.run(
            argv,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return f"{argv[0]} is not installed"
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or f"{argv[0]} ended with status {done.returncode}"
