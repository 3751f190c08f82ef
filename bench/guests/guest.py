"""A guest as the harness boots it: files and data, and nothing of how they were made.

The project's own guests come from their products (manifest.py), a user's own
from a description file.  Whatever differs between machines is data here, and
bench.engines.base.qemu_arguments() turns it into a command line.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.guests.catalogue import GuestError
from bench.guests.devices.base import Device

INIT, EXIT = "init", "exit"

# A file's role says by which option QEMU gets it: -kernel, -initrd, -dtb, -bios,
# -device loader.
ROLES = ("kernel", "initrd", "dtb", "bios", "loader")


@dataclass(frozen=True)
class Marker:
    """The console line that begins a phase."""

    phase: str
    match: re.Pattern[str]


@dataclass(frozen=True)
class GuestFile:
    """A file that QEMU loads, with its digest when the guest was read."""

    role: str
    path: Path
    sha256: str
    size: int
    # Options of -device loader beside the file (addr=0x80000000).
    options: str = ""

    def as_json(self) -> dict[str, Any]:
        """For a result's provenance."""
        options = {"options": self.options} if self.options else {}
        facts = {"name": self.path.name, "sha256": self.sha256, "bytes": self.size}
        return {"role": self.role, **facts, **options}


@dataclass(frozen=True)
class Ending:
    """How a good run ends, if no workload says how it ended."""

    # QEMU's exit status after a power-off, or as a test device or semihosting sets it.
    status: int = 0
    # Console lines that end a run: a good one, a failed one.
    passed: re.Pattern[str] | None = None
    failed: re.Pattern[str] | None = None
    # The longest time of a run, unless a boot says otherwise.
    timeout_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """For a result's config."""
        return {
            "status": self.status,
            "passed": self.passed.pattern if self.passed else None,
            "failed": self.failed.pattern if self.failed else None,
        }


@dataclass(frozen=True)
class GivenRoot:
    """The root file system that a user gave a guest: see bench.guests.images."""

    disk: Device
    # The option and the file or folder, without the folders above it.
    option: str
    file: str
    # Of an image's config, or of a folder's contents.
    digest: str
    command: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For a result's config."""
        return {
            "option": self.option,
            "file": self.file,
            "digest": self.digest,
            "command": list(self.command),
        }


@dataclass(frozen=True)
class Guest:
    """A guest that can be booted."""

    name: str
    title: str
    arch: str  # as in qemu-system-ARCH
    machine: str  # QEMU's -M, with its options
    memory_mib: int
    files: tuple[GuestFile, ...]
    markers: tuple[Marker, ...] = ()
    append: str = ""  # kernel command line without the workload's words
    kernel_version: str = ""
    cpu: str | None = None  # QEMU's -cpu; None is the machine's own
    smp: int = 1
    # QEMU's -bios: a name that QEMU knows, or "none"; None is the machine's own
    # firmware. A file with the role `bios` replaces it.
    firmware: str | None = None
    # More arguments for QEMU, unchanged.
    arguments: tuple[str, ...] = ()
    # Whether the guest has our /init, which runs workloads and says how they ended.
    workloads: bool = True
    ending: Ending = Ending()
    # The phases that a good run must reach, of a guest without workloads.
    expects: tuple[str, ...] = ()
    # Devices that are plugged in beside those that a boot asks for.
    devices: tuple[Device, ...] = ()
    # What `--image` or `--root` gave it.
    root: GivenRoot | None = None
    # Console lines that make a run a failure; None: those of a Linux kernel.
    oopses: tuple[str, ...] | None = None

    def file(self, role: str) -> GuestFile | None:
        """The first file of that role."""
        return next((f for f in self.files if f.role == role), None)

    def sha256(self, role: str) -> str | None:
        """The digest of the first file of that role."""
        found = self.file(role)
        return found.sha256 if found else None

    def qemu_status(self, status: int) -> int:
        """QEMU's exit status if the guest's is `status`; isa-debug-exit adds a bit."""
        device = any(word.startswith("isa-debug-exit") for word in self.arguments)
        return 2 * status + 1 if device and status else status

    @property
    def boot_phase(self) -> str:
        """The phase at which the boot is over: `init`, or the end of the run."""
        return INIT if any(m.phase == INIT for m in self.markers) else EXIT

    @property
    def digest(self) -> str:
        """One digest of all files that are booted."""
        text = " ".join(f"{f.role}={f.sha256}{f.options}" for f in self.files)
        return hashlib.sha256(text.encode()).hexdigest()

    def verify(self) -> None:
        """Raise GuestError if a file changed since the guest was read."""
        for file in self.files:
            if file_sha256(file.path) != file.sha256:
                raise broken(file.path.parent, f"{file.path.name} was changed")

    def as_json(self) -> dict[str, Any]:
        """The machine, for a result's config: the facts that a boot does not choose."""
        return {
            "arch": self.arch,
            "machine": self.machine,
            "cpu": self.cpu,
            "firmware": self.firmware,
            "append": self.append,
            "arguments": list(self.arguments),
            "ending": self.ending.as_json(),
            "expects": list(self.expects),
            "root": self.root.as_json() if self.root else None,
        }

    def provenance(self) -> dict[str, Any]:
        """Digests and versions of what is booted, for a result."""
        return {
            "name": self.name,
            "kernel_version": self.kernel_version,
            "kernel_sha256": self.sha256("kernel"),
            "initrd_sha256": self.sha256("initrd"),
            "files": [file.as_json() for file in self.files],
        }


def broken(directory: Path, why: str) -> GuestError:
    """The error about a product that differs from what its recipe made."""
    return GuestError(
        f"the guest in {directory} is broken: {why}; "
        "remove that directory and run again"
    )


def file_sha256(path: Path) -> str:
    """The digest of a file's contents."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
