"""Which upstream source is accepted: the statements of an UPSTREAM file.

    ["qemu"]                   # name of the Debian source package
    at_least = "10.0"
    below = "10.1"
    [qemu.sha256]              # of tarballs that were built and tested
    "10.0.13+ds" = "6a08..."

A version in the range that has no sum here is accepted if Debian's signed index has
it; a version with a sum must have that sum.
"""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from bench.base.errors import SetupError


@dataclass(frozen=True)
class Upstream:
    """One source package and what is accepted of it."""

    package: str
    at_least: str
    below: str
    sha256: dict[str, str]
    prefer: str = ""
    """Take this upstream version if the index still has it."""

    def accepts(self, version: str) -> bool:
        """Is an upstream version in the range?"""
        return compare(version, "ge", self.at_least) and compare(
            version, "lt", self.below
        )

    def identity(self) -> str:
        """The source's part of the key of a product that is made of it."""
        sums = " ".join(f"{v}={s}" for v, s in sorted(self.sha256.items()))
        return f"{self.package} {self.at_least} {self.below} {self.prefer} {sums}"


def read(path: Path) -> dict[str, Upstream]:
    """The statements of an UPSTREAM file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            name: Upstream(
                name, entry["at_least"], entry["below"], dict(entry["sha256"])
            )
            for name, entry in content.items()
        }
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SetupError(
            f"{path.name} cannot be used", str(error), f"correct {path}"
        ) from error


def compare(left: str, operator: str, right: str) -> bool:
    """Debian's order of versions."""
    command = ["dpkg", "--compare-versions", left, operator, right]
    return subprocess.run(command, check=False).returncode == 0


def upstream_version(version: str) -> str:
    """`1:10.0.13+ds-0+deb13u1` is Debian's name of `10.0.13+ds`."""
    without_epoch = version.rpartition(":")[2]
    return without_epoch.rpartition("-")[0] or without_epoch


def installed(*packages: str) -> str:
    """Versions of installed packages, as a value for a product's key."""
    command = ["dpkg-query", "-W", "-f", "${Package} ${Version} ", *packages]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    return shown.stdout.strip()
