"""guest.json: the description of a built guest, which this module writes and reads.

Schema 2, all fields required:

    schema          2
    name, title, arch, machine, memory_mib, append, cpu, smp, firmware, arguments
                    as in the catalogue; cpu and firmware may be null
    kernel_version  of the kernel's own "Linux version" line
    files           {role: {"sha256": ..., "bytes": ...}, ...}: the files beside
                    it, each with its role as its name (bench.guests.guest.ROLES)
    markers         [{"phase": ..., "match": regex}, ...] in boot order; the
                    regex is searched in a console line without its line end,
                    groups `guest` (seconds) and `status` where there are any
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.guests.catalogue import GuestError, GuestSpec
from bench.guests.guest import ROLES, Guest, GuestFile, Marker, broken, file_sha256

SCHEMA = 2
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
_REGEX_BY_PHASE = {
    # SeaBIOS does not end its last line if QEMU enters the kernel by PVH
    "kernel": r"^(?:Booting from ROM\.*)?(?:\[ *[0-9]+\.[0-9]+\] )?Linux version [0-9]",
    "init": _OWN.format(phase="init") + "$",
    "workload-start": _OWN.format(phase="workload-start") + "$",
    "prompt": _OWN.format(phase="prompt") + "$",
    "workload-end": _OWN.format(phase="workload-end") + r" status=(?P<status>[0-9]+)$",
}


def markers_of(spec: GuestSpec) -> list[dict[str, str]]:
    """The markers of a guest, in boot order, as guest.json has them."""
    regexes = {"firmware": spec.firmware_marker, **_REGEX_BY_PHASE}
    return [
        {"phase": phase, "match": regex}
        for phase in PHASES
        if (regex := regexes.get(phase)) is not None
    ]


def write(spec: GuestSpec, directory: Path, kernel_version: str) -> None:
    """Write guest.json beside the files in `directory`."""
    found = {r: directory / r for r in ROLES if (directory / r).is_file()}
    manifest = {
        "schema": SCHEMA,
        "name": spec.name,
        "title": spec.title,
        "arch": spec.arch,
        "machine": spec.machine,
        "memory_mib": spec.memory_mib,
        "append": spec.append,
        "cpu": spec.cpu,
        "smp": spec.smp,
        "firmware": spec.firmware,
        "arguments": list(spec.arguments),
        "kernel_version": kernel_version,
        "files": {
            role: {"sha256": file_sha256(path), "bytes": path.stat().st_size}
            for role, path in found.items()
        },
        "markers": markers_of(spec),
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (directory / FILE_NAME).write_text(text, encoding="utf-8")


def load(directory: Path) -> Guest:
    """The guest in `directory`, checked field by field.

    This reads the sizes of its files; Guest.verify() reads their contents.
    """
    fields = _Fields(directory, _read(directory))
    if fields.number("schema") != SCHEMA:
        schema = fields.number("schema")
        raise broken(directory, f"{FILE_NAME} has schema {schema}, not {SCHEMA}")
    guest = Guest(
        name=fields.text("name"),
        title=fields.text("title"),
        arch=fields.text("arch"),
        machine=fields.text("machine"),
        memory_mib=fields.number("memory_mib"),
        files=fields.files("files"),
        markers=fields.markers("markers"),
        append=fields.text("append"),
        kernel_version=fields.text("kernel_version"),
        cpu=fields.optional("cpu"),
        smp=fields.number("smp"),
        firmware=fields.optional("firmware"),
        arguments=fields.texts("arguments"),
    )
    for file in guest.files:
        name = file.path.name
        if not file.path.is_file():
            raise broken(directory, f"{name} is missing")
        size = file.path.stat().st_size
        if size != file.size:
            raise broken(directory, f"{name} has {size} bytes, not {file.size}")
    return guest


def _read(directory: Path) -> dict[str, Any]:
    try:
        raw = json.loads((directory / FILE_NAME).read_text(encoding="utf-8"))
    except OSError as error:
        raise broken(
            directory, f"{FILE_NAME} cannot be read ({error.strerror})"
        ) from error
    except ValueError as error:
        raise broken(directory, f"{FILE_NAME} is not JSON") from error
    if not isinstance(raw, dict):
        raise broken(directory, f"{FILE_NAME} is not an object")
    return raw


@dataclass(frozen=True)
class _Fields:
    """Typed access to a decoded object; a wrong value raises GuestError."""

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

    def optional(self, key: str) -> str | None:
        return None if self.raw.get(key, "") is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self._wrong(key, "a list of texts")
        return tuple(value)

    def files(self, key: str) -> tuple[GuestFile, ...]:
        value = self.raw.get(key)
        if not isinstance(value, dict) or not value or set(value) - set(ROLES):
            raise self._wrong(key, "an object of files by role")
        return tuple(self._file(key, role, facts) for role, facts in value.items())

    def _file(self, key: str, role: str, facts: Any) -> GuestFile:
        facts = facts if isinstance(facts, dict) else {}
        sha256, size = facts.get("sha256"), facts.get("bytes")
        if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise self._wrong(key, f"right: {role} has not a SHA-256 digest")
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise self._wrong(key, f"right: {role} has no bytes")
        return GuestFile(role, self.directory / role, sha256, size)

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
