"""Debian's own QEMU, compiled to machine code: the physical reference."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench.engines import x86_clock as tsc
from bench.engines.base import (
    BootRequest,
    Command,
    Missing,
    first_line,
    qemu_arguments,
    streams,
)


@dataclass
class HostPlaces:
    """QEMU is a process of the host, so it sees the host's paths."""

    variables: dict[str, str] = field(default_factory=dict)
    engine = "native"

    def file(self, host: Path, inside: str) -> str:
        """The file itself."""
        return str(host)

    def left(self, host: Path, inside: str) -> str:
        """The file itself."""
        return str(host)

    def live(
        self, host: Path, inside: str, *, writable: bool = True, kept: bool = True
    ) -> str:
        """The file or folder itself."""
        return str(host)

    def secret(self, name: str, value: str) -> None:
        """Sets an environment variable of QEMU's process."""
        self.variables[name] = value


class NativeEngine:
    """qemu-system-ARCH of the reference environment, without our tiers."""

    name = "native"
    meaning = "Debian's qemu-system of the same version, the reference"
    has_tiers = False
    budgets: Mapping[str, int] = {}

    def products(self, arch: str) -> tuple[str, ...]:
        """Nothing: QEMU comes from a package."""
        return ()

    def refuses(self, request: BootRequest) -> str | None:
        """Refuse a saved x86 machine whose time would run at another speed here."""
        saved = None if request.icount is not None else request.tsc_khz
        own = tsc.native_khz() if saved else None
        if saved is None or own is None or tsc.alike(saved, own):
            return None
        return (
            f"its time stamp counter runs at {saved / 1000:.0f} MHz, "
            f"this processor's at {own / 1000:.0f}, and QEMU cannot scale that"
        )

    def available(self, arch: str, products: Mapping[str, Path]) -> Missing | None:
        """Look for the program in PATH."""
        if shutil.which(_program(arch)):
            return None
        return Missing(
            f"{_program(arch)} is not in PATH",
            "run through ./tierlab, or install Debian's qemu-system packages",
        )

    def version(self, arch: str, products: Mapping[str, Path]) -> dict[str, str]:
        """Engine and QEMU are the same program here."""
        line = _version_line(_program(arch))
        found = re.search(r"version (\S+)", line)
        return {"engine": line, "qemu": found[1] if found else line}

    def command(self, request: BootRequest, products: Mapping[str, Path]) -> Command:
        """QEMU with the guest's files as they are; flags go to QEMU."""
        guest = request.guest
        places = HostPlaces()
        arguments = qemu_arguments(request, places)
        if request.control is not None:
            arguments += ["-qmp", f"unix:{request.control},server=on,wait=off"]
        argv = (_program(guest.arch), *arguments, *request.engine_flags)
        return Command(argv, places.variables, streams(request, places))


def _program(arch: str) -> str:
    return f"qemu-system-{arch}"


@cache
def _version_line(program: str) -> str:
    return first_line([program, "--version"])
