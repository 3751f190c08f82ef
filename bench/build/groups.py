"""Debian packages that only some products or commands need, installed at first need.

packages.txt lists them behind `# group: NAME`. Without them the reference environment
is there in half of the time.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.base.errors import SetupError
from bench.base.lock import locked
from bench.build.command import Runner

LIST = "packages.txt"
LOCK = "packages"
_HEADING = "# group:"


def read_groups(root: Path) -> dict[str, list[str]]:
    """The packages of each group; those of no group are left out."""
    groups: dict[str, list[str]] = {}
    group: list[str] | None = None
    for line in (root / LIST).read_text(encoding="utf-8").splitlines():
        if line.startswith(_HEADING):
            group = groups.setdefault(line.removeprefix(_HEADING).strip(), [])
        elif group is not None:
            group += line.partition("#")[0].split()
    return groups


def missing_packages(root: Path, names: Iterable[str]) -> list[str]:
    """The packages of these groups that are not installed."""
    names = list(names)
    if not names:
        return []
    groups = read_groups(root)
    wanted = [package for name in names for package in groups[name]]
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n", *wanted]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    there = {
        package
        for status, package in map(str.split, shown.stdout.splitlines())
        if status == "installed"
    }
    return [package for package in wanted if package not in there]


def install_groups(
    root: Path,
    names: Iterable[str],
    cache: Path,
    runner: Runner,
    waiting: Callable[[], None] | None = None,
) -> None:
    """Install what is missing of these groups, with apt."""
    names = list(names)
    if not missing_packages(root, names):
        return
    with locked(cache, LOCK, waiting):
        missing = missing_packages(root, names)
        if not missing:
            return
        words = " ".join(missing)
        if os.geteuid() != 0:
            raise SetupError(
                "packages are missing",
                words,
                "run tierlab as root once, or install them",
            )
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
        try:
            # What an interrupted installation left half done.
            runner.run(["dpkg", "--configure", "-a"], env=environment)
            try:
                runner.run(install, env=environment)
            except SetupError:
                # The lists may be missing, or of last week.
                runner.run(["apt-get", "update"], env=environment)
                runner.run(install, env=environment)
        except SetupError as error:
            raise SetupError(
                f"the packages {words} cannot be installed", error.why, error.next_step
            ) from error
