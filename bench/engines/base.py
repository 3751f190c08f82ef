"""What an engine driver must offer, and what the harness asks of it.

A driver only says how to start its engine, and never starts the engine itself.  The
harness owns the process, its pipes, its time limit and its figures.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.base.settings import SWITCHES, Setting, Shared
from bench.engines import x86_clock as tsc
from bench.guests.catalogue import kernel_words
from bench.guests.devices.base import Announced, Device, Places
from bench.guests.guest import Guest

# The folder of the guest's files in an engine that has its own file system.
GUEST_DIR = "/guest"

# A guest under -icount must not see the host's clock.
ICOUNT_RTC = "base=2025-01-01T00:00:00,clock=vm"


@dataclass(frozen=True)
class Switches:
    """Switches of the tiering runtime; None and "" mean the runtime's default."""

    chain: str | None = None
    counts: str | None = None
    fp: str | None = None
    tlb: str | None = None
    fault: str | None = None

    def words(self) -> list[str]:
        """The switches that were given, as tables show them."""
        return [f"{one.key}={value}" for one, value in self._given()]

    def environment(self) -> dict[str, str]:
        """The switches as environment variables of the runtime."""
        return {one.variable: value for one, value in self._given()}

    def _given(self) -> list[tuple[Setting, str]]:
        named = [(one, getattr(self, one.key)) for one in SWITCHES]
        return [(one, value) for one, value in named if value]


@dataclass(frozen=True)
class BootRequest(Shared):
    """One boot, fully specified."""

    guest: Guest
    workload: str = "none"
    tier: str | None = None
    switches: Switches = Switches()
    # The profile of an earlier boot: the file that the policy names in `from`.
    profile: Path | None = None
    devices: tuple[Device, ...] = ()
    # A Unix socket on which QEMU is to speak QMP.
    control: Path | None = None
    # The frequency of a saved x86 machine's time stamp counter.
    tsc_khz: int | None = None
    # A saved machine's file: to be resumed from, or to be written.
    stream_in: Path | None = None
    stream_out: Path | None = None
    stats: Path | None = None
    timeline: Path | None = None

    @property
    def memory(self) -> int:
        """Guest memory in MiB."""
        return self.memory_mib or self.guest.memory_mib

    @property
    def cpus(self) -> int:
        """Virtual CPUs."""
        return self.smp or self.guest.smp


@dataclass(frozen=True)
class Streams:
    """The paths of a saved machine's files inside the engine."""

    incoming: str = ""
    outgoing: str = ""


@dataclass(frozen=True)
class Command:
    """How to start the engine: arguments, and environment variables to add."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    streams: Streams = Streams()
    # The engine writes here what only the engine knows of the run; read by
    # bench.harness.process.engine_report.
    report: Path | None = None


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
        """Whether the engine runs the tiering runtime, so that a policy applies."""

    @property
    def budgets(self) -> Mapping[str, int]:
        """Defaults of the engine's own for parameters that every policy has."""

    def products(self, arch: str) -> tuple[str, ...]:
        """Products that a boot of this architecture needs."""

    def refuses(self, request: BootRequest) -> str | None:
        """Why the engine can never do this boot; None if it can.

        What is installed does not matter here, see available().
        """

    def available(self, arch: str, products: Mapping[str, Path]) -> Missing | None:
        """None if the engine can be started with the products there are."""

    def version(self, arch: str, products: Mapping[str, Path]) -> dict[str, str]:
        """Version facts for provenance: at least `engine` and `qemu`."""

    def command(self, request: BootRequest, products: Mapping[str, Path]) -> Command:
        """The command line of one boot."""


def with_budgets(spec: str, budgets: Mapping[str, int]) -> str:
    """The spec with the engine's budgets added; the spec's own values win."""
    name, _, rest = spec.partition(":")
    pairs = [pair for pair in rest.split(",") if pair]
    given = {pair.partition("=")[0] for pair in pairs}
    pairs += [f"{k}={v}" for k, v in budgets.items() if k not in given]
    return f"{name}:{','.join(pairs)}" if pairs else name


def same_policy(one: str, other: str) -> bool:
    """Whether two specs are equal but for the order of their parameters."""

    def parts(spec: str) -> tuple[str, list[str]]:
        name, _, rest = spec.partition(":")
        return name, sorted(rest.split(","))

    return parts(one) == parts(other)


def profile_place(tier: str | None) -> str:
    """The path of the policy's profile in the engine's own file system."""
    pairs = (tier or "").partition(":")[2].split(",")
    places = (p.removeprefix("from=") for p in pairs if p.startswith("from="))
    return next(places, "/profiles/unnamed")


def qemu_arguments(request: BootRequest, places: Places) -> list[str]:
    """QEMU's arguments: one machine under every engine, but for paths of files.

    The seed also fixes what the guest gets as randomness, so runs of one
    repetition boot the same kernel layout under every configuration.
    """
    guest = request.guest
    size = f",tb-size={request.tb_size_mib}" if request.tb_size_mib else ""
    arguments = ["-M", guest.machine, "-accel", f"tcg{size}"]
    arguments += ["-cpu", guest.cpu] if guest.cpu else []
    arguments += ["-m", str(request.memory), "-smp", str(request.cpus)]
    arguments += ["-nographic", "-no-reboot", "-nic", "none"]
    arguments += ["-seed", str(request.seed)]
    arguments += _file_arguments(guest, places)
    append = " ".join([command_line(request), *_clock_words(request, places.engine)])
    append = append.strip()
    arguments += ["-append", append] if append else []
    if request.icount is not None:
        arguments += icount_arguments(str(request.icount))
    if request.stream_in is not None:
        # The harness starts the stream by the control channel, and is told of errors.
        arguments += ["-incoming", "defer"]
    for device in request.devices:
        arguments += device.qemu_arguments(guest.arch, guest.machine, places)
    return [*arguments, *guest.arguments]


def icount_arguments(shift: str) -> list[str]:
    """QEMU's arguments for a guest clock that counts instructions."""
    # Without sleep=off an idle guest's clock would follow the host's.
    return ["-icount", f"shift={shift},sleep=off", "-rtc", ICOUNT_RTC]


def command_line(request: BootRequest) -> str:
    """The kernel's command line: words of the guest, the workload and the devices."""
    guest = request.guest
    words = kernel_words(request.workload) if guest.workloads else []
    for device in request.devices if guest.workloads else ():
        if isinstance(device, Announced):
            words += device.kernel_words(request.devices)
    return " ".join(filter(None, [guest.append, *words]))


def tsc_khz(request: BootRequest, engine: str) -> int | None:
    """The frequency of the guest's time stamp counter in kHz.

    None if the guest has no such counter, or if the frequency cannot be known.
    """
    if request.guest.arch != "x86_64":
        return None
    if request.tsc_khz is not None:
        return request.tsc_khz
    native = engine == "native" and request.icount is None
    return tsc.native_khz() if native else tsc.NANOSECONDS_KHZ


def _clock_words(request: BootRequest, engine: str) -> tuple[str, ...]:
    """Kernel words that tell one of our x86 guests about its clock."""
    khz = tsc_khz(request, engine) if request.guest.workloads else None
    return (tsc.word(khz),) if khz else ()


def _file_arguments(guest: Guest, places: Places) -> list[str]:
    """QEMU's arguments for the guest's files, by the role of each."""
    arguments = []
    if guest.firmware is not None and guest.file("bios") is None:
        arguments += ["-bios", guest.firmware]
    for number, file in enumerate(guest.files):
        loader = file.role == "loader"
        inside = f"{GUEST_DIR}/{file.role}{number if loader else ''}"
        path = places.file(file.path, inside)
        if loader:
            # A comma would end the file's name.
            what = f"loader,file={path.replace(',', ',,')}"
            arguments += ["-device", ",".join(filter(None, [what, file.options]))]
        else:
            arguments += [f"-{file.role}", path]
    return arguments


def streams(request: BootRequest, places: Places) -> Streams:
    """The paths at which QEMU reads or writes the machine's state."""
    read, written = request.stream_in, request.stream_out
    return Streams(
        places.file(read, "/tierlab/incoming") if read else "",
        places.left(written, "/tierlab/outgoing") if written else "",
    )


def first_line(argv: list[str]) -> str:
    """The first line that a program prints, or "" if it cannot be run."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else ""
