"""guest.json: what a built guest says about itself, written and read here.

Schema 1, all fields required:

    schema          1
    name, title, arch, machine, memory_mib, append    as in the catalogue
    kernel_version  of the kernel's own "Linux version" line
    kernel_sha256, initrd_sha256, kernel_bytes, initrd_bytes    the files
    markers         [{"phase": ..., "match": regex}, ...] in boot order; the
                    regex is searched in a console line without its line end,
                    groups `guest` (seconds) and `status` where there are any
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.guests.catalogue import GuestError, GuestSpec

SCHEMA = 1
FILE_NAME = "guest.json"

PHASES = (
    "firmware",
    "kernel",
    "init",
    "workload-start",
    "prompt",
    "workload-end",
)

_OWN = r"^@tierlab {phase} guest=(?P<guest>[0-9]+\.[0-9]+)"
_REGEX_BY_ARCH_PHASE = {
    ("riscv64", "firmware"): r"^OpenSBI v[0-9]",
}
_REGEX_BY_PHASE = {
    "kernel": r"^(?:\[ *[0-9]+\.[0-9]+\] )?Linux version [0-9]",
    "init": _OWN.format(phase="init") + "$",
    "workload-start": _OWN.format(phase="workload-start") + "$",
    "prompt": _OWN.format(phase="prompt") + "$",
    "workload-end": _OWN.format(phase="workload-end")
    + r" status=(?P<status>[0-9]+)$",
}


@dataclass(frozen=True)
class Marker:
    """The console line that begins a phase."""

    phase: str
    match: re.Pattern[str]


@dataclass(frozen=True)
class Guest:
    """A guest that is built."""

    directory: Path
    name: str
    title: str
    arch: str
    machine: str
    memory_mib: int
    append: str
    kernel_version: str
    kernel_sha256: str
    initrd_sha256: str
    kernel_bytes: int
    initrd_bytes: int
    markers: tuple[Marker, ...]

    @property
    def kernel(self) -> Path:
        return self.directory / "kernel"

    @property
    def initrd(self) -> Path:
        return self.directory / "initrd"

    def verify(self) -> None:
        """Raise GuestError unless the files are the ones that were built."""
        for path, digest in (
            (self.kernel, self.kernel_sha256),
            (self.initrd, self.initrd_sha256),
        ):
            if file_sha256(path) != digest:
                raise broken(self.directory, f"{path.name} was changed")


def broken(directory: Path, why: str) -> GuestError:
    """The error about a product that is not what the recipe left."""
    return GuestError(
        f"the guest in {directory} is broken: {why}; "
        "remove that directory and run again"
    )


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def markers_of(arch: str) -> list[dict[str, str]]:
    """The markers of a guest, in boot order, as guest.json has them."""
    markers = []
    for phase in PHASES:
        regex = _REGEX_BY_ARCH_PHASE.get((arch, phase))
        regex = regex or _REGEX_BY_PHASE.get(phase)
        if regex is not None:
            markers.append({"phase": phase, "match": regex})
    return markers


def write(spec: GuestSpec, directory: Path, kernel_version: str) -> None:
    """Write guest.json beside the kernel and initrd in `directory`."""
    kernel, initrd = directory / "kernel", directory / "initrd"
    manifest = {
        "schema": SCHEMA,
        "name": spec.name,
        "title": spec.title,
        "arch": spec.arch,
        "machine": spec.machine,
        "memory_mib": spec.memory_mib,
        "append": spec.append,
        "kernel_version": kernel_version,
        "kernel_sha256": file_sha256(kernel),
        "initrd_sha256": file_sha256(initrd),
        "kernel_bytes": kernel.stat().st_size,
        "initrd_bytes": initrd.stat().st_size,
        "markers": markers_of(spec.arch),
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (directory / FILE_NAME).write_text(text, encoding="utf-8")


def load(directory: Path) -> Guest:
    """The guest in `directory`, checked field by field.

    The contents of kernel and initrd are not read, only their sizes:
    Guest.verify does that.
    """
    path = directory / FILE_NAME
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise broken(
            directory, f"{FILE_NAME} cannot be read ({error.strerror})"
        ) from error
    except ValueError as error:
        raise broken(directory, f"{FILE_NAME} is not JSON") from error
    if not isinstance(raw, dict):
        raise broken(directory, f"{FILE_NAME} is not an object")
    fields = _Fields(directory, raw)
    if fields.number("schema") != SCHEMA:
        raise broken(
            directory, f"{FILE_NAME} has schema {raw['schema']}, not {SCHEMA}"
        )
    guest = Guest(
        directory=directory,
        name=fields.text("name"),
        title=fields.text("title"),
        arch=fields.text("arch"),
        machine=fields.text("machine"),
        memory_mib=fields.number("memory_mib"),
        append=fields.text("append"),
        kernel_version=fields.text("kernel_version"),
        kernel_sha256=fields.digest("kernel_sha256"),
        initrd_sha256=fields.digest("initrd_sha256"),
        kernel_bytes=fields.number("kernel_bytes"),
        initrd_bytes=fields.number("initrd_bytes"),
        markers=fields.markers("markers"),
    )
    for file, size in (
        (guest.kernel, guest.kernel_bytes),
        (guest.initrd, guest.initrd_bytes),
    ):
        if not file.is_file():
            raise broken(directory, f"{file.name} is missing")
        if file.stat().st_size != size:
            raise broken(
                directory,
                f"{file.name} has {file.stat().st_size} bytes, not {size}",
            )
    return guest


@dataclass(frozen=True)
class _Fields:
    """Typed access to a decoded object; what does not fit is GuestError."""

    directory: Path
    raw: dict[str, Any]

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        if not isinstance(value, str) or not value:
            raise self._wrong(key, "a text")
        return value

    def number(self, key: str) -> int:
        value = self.raw.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._wrong(key, "a positive whole number")
        return value

    def digest(self, key: str) -> str:
        value = self.text(key)
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise self._wrong(key, "a SHA-256 digest")
        return value

    def markers(self, key: str) -> tuple[Marker, ...]:
        value = self.raw.get(key)
        if not isinstance(value, list) or not value:
            raise self._wrong(key, "a list of markers")
        markers = []
        for item in value:
            if not isinstance(item, dict) or item.get("phase") not in PHASES:
                raise self._wrong(key, "a list of markers of known phases")
            match = item.get("match")
            if not isinstance(match, str):
                raise self._wrong(key, "a list of valid regexes")
            try:
                markers.append(Marker(item["phase"], re.compile(match)))
            except re.error as error:
                raise self._wrong(key, "a list of valid regexes") from error
        return tuple(markers)

    def _wrong(self, key: str, wanted: str) -> GuestError:
        return broken(self.directory, f"{FILE_NAME}: {key} is not {wanted}")
