"""What the page is told of guests, policies and workloads: data, no code.

The machine is that of every engine (bench.engines.base.qemu_arguments): the page
only puts other values behind -smp, -m, -seed and -append.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from analysis.schema import RUN_SCHEMA
from bench.boot.catalog import SHELL
from bench.boot.console import OOPS_PATTERNS, PANIC_PATTERNS
from bench.boot.errors import USAGE, HarnessError
from bench.boot.suite import MAX_MEMORY, MAX_SMP, MIN_MEMORY
from bench.engines.base import COUNTING, BootRequest, qemu_arguments
from bench.guests.catalogue import WORKLOADS
from bench.guests.guest import Guest

SCHEMA = 1
# Nothing of the host is in the page: what needs a folder or a server of it is not
# offered, and nothing is saved there.
NOT_OFFERED = ("disk", "share", "net", "wait")


@dataclass
class PagePlaces:
    """QEMU in a page has a file system in memory, filled before it starts."""

    # Path in there -> file of the host.
    files: dict[str, Path] = field(default_factory=dict)
    engine = "page"

    def file(self, host: Path, inside: str) -> str:
        """A copy, which the page fetches."""
        self.files[inside] = host
        return inside

    def left(self, host: Path, inside: str) -> str:
        """The page keeps nothing on the host."""
        raise self._refusal(host)

    def live(self, host: Path, inside: str) -> str:
        """The page sees nothing of the host."""
        raise self._refusal(host)

    def secret(self, name: str, value: str) -> None:
        """Whoever has the page would have it, too."""
        raise HarnessError(
            "a page keeps no secrets", next_step="leave that device out", status=USAGE
        )

    def _refusal(self, host: Path) -> HarnessError:
        return HarnessError(
            f"a page cannot work on {host}",
            next_step="leave that device out",
            status=USAGE,
        )


def machine(guest: Guest) -> tuple[list[str], dict[str, Path]]:
    """QEMU's arguments for the guest as it is, and its files by their paths there."""
    places = PagePlaces()
    arguments = qemu_arguments(BootRequest(guest, workload=SHELL), places)
    return arguments, places.files


def describe_guest(guest: Guest, files: list[dict[str, Any]]) -> dict[str, Any]:
    """One guest; `files` say where the page finds its files."""
    arguments, _ = machine(guest)
    oopses = OOPS_PATTERNS if guest.oopses is None else guest.oopses
    return {
        "name": guest.name,
        "title": guest.title,
        "arch": guest.arch,
        "machine": guest.machine,
        "memory_mib": guest.memory_mib,
        "smp": guest.smp,
        "append": guest.append,
        "kernel_version": guest.kernel_version,
        "workloads": guest.workloads,
        "arguments": arguments,
        "markers": [
            {"phase": m.phase, "match": javascript(m.match.pattern)}
            for m in guest.markers
        ],
        "panics": list(map(javascript, PANIC_PATTERNS)),
        "oopses": list(map(javascript, oopses)),
        "status": guest.ending.status,
        "passed": _pattern(guest.ending.passed),
        "failed": _pattern(guest.ending.failed),
        "boot_phase": guest.boot_phase,
        "files": files,
        # For results, as the harness has them.
        "config": guest.as_json(),
        "provenance": guest.provenance(),
    }


def describe(
    guests: Iterable[Mapping[str, Any]],
    programs: Mapping[str, Mapping[str, Any]],
    tiers: Mapping[str, Any],
    provenance: Mapping[str, Any],
    libraries: Mapping[str, str],
) -> dict[str, Any]:
    """All that the page is told."""
    return {
        "schema": SCHEMA,
        "run_schema": RUN_SCHEMA,
        "guests": list(guests),
        "programs": dict(programs),
        "tiers": {**tiers, "policies": list(filter(_usable, tiers["policies"]))},
        "workloads": [
            {
                "name": w.name,
                "title": w.title,
                "interactive": w.interactive,
                "params": [asdict(p) for p in w.params],
            }
            for w in WORKLOADS
            if w.name not in NOT_OFFERED
        ],
        "limits": {
            "smp": [1, MAX_SMP],
            "memory_mib": [MIN_MEMORY, MAX_MEMORY],
            "seed": [0, 2**32 - 1],
            "counts": list(COUNTING),
        },
        "libraries": dict(libraries),
        "provenance": dict(provenance),
    }


def _usable(policy: Mapping[str, Any]) -> bool:
    """A policy that wants a file is none for a page."""
    return all(p.get("type") != "text" for p in policy.get("params", []))


def _pattern(pattern: re.Pattern[str] | None) -> str | None:
    return None if pattern is None else javascript(pattern.pattern)


def javascript(pattern: str) -> str:
    """A regular expression of Python's as JavaScript writes it."""
    return pattern.replace("(?P<", "(?<").replace(r"\Z", "$").replace(r"\A", "^")
