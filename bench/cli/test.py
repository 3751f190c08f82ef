"""`tierlab test`: every test there is, and one summary at the end.

Stages: formatting, linting and types; the C tests with sanitizers; the differential
tests (interpreter against emitted Wasm, in the engine itself); the Python tests; and
unless --quick the guest tests, which boot guests.  A stage runs even if an earlier
stage failed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.base.consoles import err_console, out_console
from bench.base.errors import DONE, FAILED, USAGE, TierlabError
from bench.base.places import ROOT, default_cache
from bench.base.progress import duration
from bench.build.times import recorded
from bench.cli import stages
from bench.cli.style import CHECKS, javascript, run_checks
from bench.harness.products import BUILDING, install, obtain, product_variable, to_build


@dataclass(frozen=True)
class Outcome:
    """The counts of one stage; `error` says why a stage could not run at all."""

    title: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether no test failed and at least one passed."""
        return not self.failed and not self.error and self.passed > 0


@click.command()
@click.option("--quick", is_flag=True, help="Leave out the tests that boot guests.")
@click.option(
    "--full",
    is_flag=True,
    help="Boot guests under every policy and eviction on every workload; hours.",
)
def test(quick: bool, full: bool) -> int:
    """Run all tests; exit status 1 if one failed."""
    if quick and full:
        raise TierlabError(
            "--quick and --full exclude each other",
            next_step="leave out one of them",
            status=USAGE,
        )
    console = out_console()
    guests = stages.ALL_GUESTS if full else stages.GUESTS
    titles = [stages.STYLE, stages.SANITIZED, stages.DIFFERENTIAL, stages.PYTHON]
    titles += [] if quick else [guests]
    wanted = stages.wanted_products(quick, full)
    missing = to_build(wanted, err_console())
    stages.show_plan(console, missing, titles, recorded(default_cache()))
    started = time.monotonic()
    install(stages.PACKAGES, err_console())
    products = obtain(wanted, err_console())
    building = time.monotonic() - started
    environment = _environment(products)
    node = f"-DTIERLAB_NODE={products['node'] / 'bin' / 'node'}"
    outcomes = [
        _style(console, environment, products),
        _cmake(console, environment, stages.SANITIZED, "asan", [], []),
        _cmake(
            console,
            environment,
            stages.DIFFERENTIAL,
            "native",
            [node],
            ["--tests-regex", "differential"],
        ),
        _pytest(console, environment, stages.PYTHON, "not guest"),
    ]
    if not quick:
        chosen = "guest" if full else "guest and not full"
        # One boot leaves two cores partly idle, so boot several guests side by side.
        # The tests of one file run in one process, because they share fixtures.
        jobs = ["-n", str(_jobs()), "--dist", "loadfile"]
        outcomes.append(_pytest(console, environment, guests, chosen, jobs))
    for outcome in outcomes:
        if outcome.ok:
            stages.keep_time(default_cache(), outcome.title, outcome.seconds)
    _summary(console, outcomes, quick, len(missing), building)
    return DONE if all(outcome.ok for outcome in outcomes) else FAILED


def _jobs() -> int:
    """How many guests boot side by side; each boot has two busy threads."""
    cores = os.cpu_count() or 1
    return max(min(cores, 2), cores // 2)


def _environment(products: Mapping[str, Path]) -> dict[str, str]:
    """The tests' environment: variables name all products, and building is off."""
    named = {product_variable(name): str(path) for name, path in products.items()}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    own = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", BUILDING: "off"}
    return {**os.environ, **named, **own}


def _style(
    console: Console, environment: Mapping[str, str], products: Mapping[str, Path]
) -> Outcome:
    title = stages.STYLE
    console.rule(title)
    started = time.monotonic()
    passed = failed = 0
    checks = (*CHECKS, javascript(products))
    for finding in run_checks(environment, checks=checks):
        passed += finding.ok
        failed += not finding.ok
        verdict = "ok" if finding.ok else "FAILED"
        console.print(f"{verdict:6} {finding.seconds:5.1f} s  {finding.title}")
        if not finding.ok:
            console.print(finding.output, soft_wrap=True)
    return Outcome(title, passed, failed, seconds=time.monotonic() - started)


def _cmake(
    console: Console,
    environment: Mapping[str, str],
    title: str,
    preset: str,
    settings: list[str],
    choice: list[str],
) -> Outcome:
    console.rule(title)
    # Build outside the checkout; each checkout has its own directory in the cache.
    key = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    build = default_cache() / "build" / f"{preset}-{key}"
    started = time.monotonic()
    for step in (
        ["cmake", "--preset", preset, "-B", str(build), *settings],
        ["cmake", "--build", str(build), "--parallel"],
    ):
        status = _call(step, environment)
        if status != 0:
            what = " ".join(step[:2])
            error = f"`{what}` failed with status {status}"
            return Outcome(title, error=error, seconds=time.monotonic() - started)
    argv = ["ctest", "--test-dir", str(build), "--output-on-failure"]
    argv += ["--no-tests=error", *choice, "--output-junit"]
    return _counted(title, argv, environment)


def _pytest(
    console: Console,
    environment: Mapping[str, str],
    title: str,
    marker: str,
    more: Sequence[str] = (),
) -> Outcome:
    console.rule(title)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
    argv += ["--durations=10", "--durations-min=10", "-m", marker, "--junitxml"]
    return _counted(title, argv, environment)


def _counted(title: str, argv: list[str], environment: Mapping[str, str]) -> Outcome:
    """Run a test program whose last option takes a JUnit file."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tierlab-") as scratch:
        report = Path(scratch) / "report.xml"
        status = _call([*argv, str(report)], environment)
        seconds = time.monotonic() - started
        try:
            suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
        except (OSError, ElementTree.ParseError):
            error = f"`{Path(argv[0]).name}` ended with status {status}, no report"
            return Outcome(title, error=error, seconds=seconds)
    total = sum(_count(suite, "tests") for suite in suites)
    failed = sum(_count(s, "failures") + _count(s, "errors") for s in suites)
    skipped = sum(_count(s, "skipped") + _count(s, "disabled") for s in suites)
    error = "" if status == 0 or failed else f"ended with status {status}"
    return Outcome(title, total - failed - skipped, failed, skipped, seconds, error)


def _count(suite: ElementTree.Element, name: str) -> int:
    return int(suite.get(name, "0"))


def _call(argv: list[str], environment: Mapping[str, str]) -> int:
    sys.stdout.flush()
    try:
        return subprocess.run(argv, cwd=ROOT, env=environment, check=False).returncode
    except FileNotFoundError:
        print(f"{argv[0]}: not found", file=sys.stderr)
        return 127


def _summary(
    console: Console,
    outcomes: list[Outcome],
    quick: bool,
    built: int,
    building: float,
) -> None:
    console.rule("Summary")
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("tests", "passed", "failed", "skipped", "seconds", ""):
        table.add_column(name, justify="left" if name in ("tests", "") else "right")
    for o in outcomes:
        verdict = Text("ok", style="green")
        if not o.ok:
            verdict = Text("FAILED", style="bold red")
        if not o.ok and (o.error or not o.passed):
            verdict.append(f": {o.error or 'no test ran'}")
        counts = [str(o.passed), str(o.failed), str(o.skipped), f"{o.seconds:.0f}"]
        table.add_row(o.title, *counts, verdict)
    console.print(table)
    if built:
        console.print(f"{built} products were built before, in {duration(building)}.")
    if quick:
        console.print("Guest tests were left out (--quick).")
    good = all(o.ok for o in outcomes)
    style = "bold green" if good else "bold red"
    console.print("All tests passed." if good else "Some tests failed.", style=style)
