"""What an engine driver must offer, and what the harness asks of it.

A driver only says how to start its engine: it never starts one itself.  The
harness owns the process, its pipes, its time limit and its figures.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.guests.catalogue import kernel_words
from bench.guests.manifest import Guest

# Values of the runtime's switches; without one it does what it does by default.
CHAINING = ("dispatch", "tail")
COUNTING = ("off", "sampled", "exact")

# A guest under -icount must not see the host's clock.
ICOUNT_RTC = "base=2025-01-01T00:00:00,clock=vm"


@dataclass(frozen=True)
class Switches:
    """Of our runtime; None and "" leave it its default."""

    chain: str | None = None
    counts: str | None = None
    fault: str | None = None

    def words(self) -> list[str]:
        """As shown: those that were given."""
        named = (("chain", self.chain), ("counts", self.counts), ("fault", self.fault))
        return [f"{name}={value}" for name, value in named if value]

    def environment(self) -> dict[str, str]:
        """As variables of the runtime."""
        named = (
            ("TIERLAB_CHAIN", self.chain),
            ("TIERLAB_COUNTS", self.counts),
            ("TIERLAB_FAULT", self.fault),
        )
        return {name: value for name, value in named if value}


@dataclass(frozen=True)
class BootRequest:
    """One boot, fully specified."""

    guest: Guest
    workload: str = "none"
    tier: str | None = None
    smp: int = 1
    memory_mib: int | None = None
    seed: int = 1
    icount: int | None = None
    engine_flags: tuple[str, ...] = ()
    switches: Switches = Switches()
    # Of the code buffer; QEMU's own default unless asked.
    tb_size_mib: int | None = None
    # What an earlier boot executed: the file that the policy names in `from`.
    profile: Path | None = None
    stats: Path | None = None
    timeline: Path | None = None

    @property
    def memory(self) -> int:
        """Guest memory in MiB, the guest's own default unless asked."""
        return self.memory_mib or self.guest.memory_mib


@dataclass(frozen=True)
class Command:
    """How to start the engine: arguments and variables to add."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """Why an engine cannot be used, and what would change that."""

    why: str
    next_step: str


class Engine(Protocol):
    """A way to run QEMU."""

    @property
    def name(self) -> str:
        """The name users type."""

    @property
    def meaning(self) -> str:
        """One line for `tierlab engines`."""

    @property
    def has_tiers(self) -> bool:
        """Whether a tiering policy applies."""

    def products(self, arch: str) -> tuple[str, ...]:
        """Products that a boot of this architecture needs."""

    def available(self, arch: str, products: Mapping[str, Path]) -> Missing | None:
        """None when it can be started, given the products there are."""

    def version(self, arch: str, products: Mapping[str, Path]) -> dict[str, str]:
        """Version facts for provenance: at least `engine` and `qemu`."""

    def command(self, request: BootRequest, products: Mapping[str, Path]) -> Command:
        """The command line of one boot."""


def profile_place(tier: str | None) -> str:
    """Where the engine's own file system is to hold the policy's profile."""
    pairs = (tier or "").partition(":")[2].split(",")
    places = (p.removeprefix("from=") for p in pairs if p.startswith("from="))
    return next(places, "/profiles/unnamed")


def qemu_arguments(request: BootRequest, kernel: str, initrd: str) -> list[str]:
    """The machine, identical under every engine.

    The seed also fixes what the guest gets as randomness, so runs of one
    repetition boot the same kernel layout under every configuration.
    """
    guest = request.guest
    size = f",tb-size={request.tb_size_mib}" if request.tb_size_mib else ""
    arguments = ["-M", guest.machine, "-accel", f"tcg{size}"]
    arguments += ["-m", str(request.memory), "-smp", str(request.smp)]
    arguments += ["-nographic", "-no-reboot", "-nic", "none"]
    arguments += ["-seed", str(request.seed)]
    arguments += ["-kernel", kernel, "-initrd", initrd]
    words = [guest.append, *kernel_words(request.workload)]
    arguments += ["-append", " ".join(filter(None, words))]
    if request.icount is not None:
        # Without sleep=off an idle guest's clock would follow the host's.
        arguments += ["-icount", f"shift={request.icount},sleep=off"]
        arguments += ["-rtc", ICOUNT_RTC]
    return arguments


def first_line(argv: list[str]) -> str:
    """First line a program prints, or "" when it cannot be run."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else ""
