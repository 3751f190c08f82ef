"""A user's own guest: a TOML file that describes it (docs/guests.md).

This module checks types, ranges, files and contradictions, so that a boot fails
because of the guest and not because of a typing error.  QEMU checks what only QEMU
knows: the names of machines and CPUs.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.base.errors import TierlabError
from bench.base.settings import span
from bench.guests.catalogue import GuestError
from bench.guests.devices.disk import Disk, make_disk
from bench.guests.devices.images import FORMATS
from bench.guests.fields import Fields
from bench.guests.guest import Ending, Guest, GuestFile, Marker, file_sha256

SUFFIX = ".toml"
ARCHES = ("riscv64", "aarch64", "x86_64")
ENDS = ("power-off", "test-device", "semihosting", "marker")
# A guest without a kernel may be content with less memory than a boot can ask for.
MIN_MEMORY, MAX_MEMORY = 1, span("memory")[1]
MIN_SMP, MAX_SMP = span("smp")
DEFAULT_MEMORY = 128
MAX_STATUS = 255
SEMIHOSTING = "semihosting"
_CONSOLES = ("serial0", "serial1", "serial2", "serial3", SEMIHOSTING)
# The port at which kvm-unit-tests and most other tests expect the device.
_DEBUG_EXIT = "isa-debug-exit,iobase=0xf4,iosize=0x4"
# Nobody looks at a display; a machine without one is the same in every engine.
_DISPLAY = {"x86_64": ("-vga", "none")}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def describe(path: Path, kernel: Path | None = None) -> Guest:
    """The guest that the file describes, with another kernel if one is given."""
    fields = Fields(_read(path), str(path))
    guest = _guest(fields, path, kernel)
    fields.finish()
    return guest


def with_kernel(guest: Guest, kernel: Path, where: str) -> Guest:
    """The guest with another kernel, which its name then tells."""
    if guest.file("kernel") is None and any(f.role == "bios" for f in guest.files):
        raise GuestError(f"{where}: guest '{guest.name}' starts from its firmware")
    others = [f for f in guest.files if f.role != "kernel"]
    files = (_file("kernel", kernel, where), *others)
    name = f"{guest.name}+{kernel.stem}"
    return replace(guest, name=name, files=files, kernel_version="")


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise GuestError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GuestError(f"{path} is not TOML: {error}") from error


def _guest(fields: Fields, path: Path, kernel: Path | None) -> Guest:
    arch = fields.choice("arch", ARCHES)
    machine = fields.text("machine")
    firmware, files = _files(fields, path.parent, kernel)
    console = fields.choice("console", _CONSOLES, "serial0")
    end = _end(fields.table("end"), arch, machine)
    markers, expects = _markers(fields)
    name = _name(fields, path)
    if kernel is not None:
        name = f"{name}+{kernel.stem}"
    semihosting = end.semihosting or console == SEMIHOSTING
    if semihosting and arch == "x86_64":
        raise fields.error("console", "x86_64 has no semihosting")
    return Guest(
        name=name,
        title=fields.text("title", f"described by {path.name}"),
        arch=arch,
        machine=machine,
        memory_mib=fields.number("memory_mib", MIN_MEMORY, MAX_MEMORY, DEFAULT_MEMORY),
        files=files,
        markers=markers,
        append=_append(fields, files),
        cpu=fields.text("cpu", None),
        smp=fields.number("smp", MIN_SMP, MAX_SMP, 1),
        firmware=firmware,
        arguments=(
            *_DISPLAY.get(arch, ()),
            *_console_arguments(console, semihosting),
            *end.arguments,
            *fields.texts("arguments"),
        ),
        workloads=False,
        ending=end.ending,
        expects=expects,
        devices=tuple(_disk(d, path.parent) for d in fields.tables("disk")),
        oopses=fields.regexes("oopses", None),
    )


def _name(fields: Fields, path: Path) -> str:
    name = str(fields.text("name", path.stem))
    if not _NAME.fullmatch(name):
        raise fields.wrong("name", name, "letters, digits and any of . _ + -")
    return name


def _append(fields: Fields, files: tuple[GuestFile, ...]) -> str:
    append = str(fields.text("append", ""))
    if append and not any(f.role == "kernel" for f in files):
        raise fields.error("append", "a command line needs a kernel")
    return append


def _files(
    fields: Fields, base: Path, kernel: Path | None
) -> tuple[str | None, tuple[GuestFile, ...]]:
    """The firmware's name for -bios, and all files."""
    files = []
    given = {role: fields.text(role, None) for role in ("kernel", "initrd", "dtb")}
    if kernel is not None:
        files.append(_file("kernel", kernel, "--kernel"))
        del given["kernel"]
    for role, name in given.items():
        if name is not None:
            files.append(_described(fields, role, role, base / name))
    firmware = fields.text("firmware", "default")
    if firmware not in ("default", "none"):
        files.append(_described(fields, "firmware", "bios", base / firmware))
    for load in fields.tables("load"):
        files.append(_loaded(load, base))
    roles = {file.role for file in files}
    if "initrd" in roles and "kernel" not in roles:
        raise fields.error("initrd", "an initrd needs a kernel")
    if not roles & {"kernel", "bios", "loader"}:
        raise fields.error(
            "kernel", "nothing to run; give kernel, firmware or [[load]]"
        )
    return ("none" if firmware == "none" else None), tuple(files)


def _loaded(load: Fields, base: Path) -> GuestFile:
    """A file for -device loader: an ELF image, or bytes for `addr`."""
    file = _described(load, "file", "loader", base / load.text("file"))
    addr = load.number("addr", 0, 2**64 - 1, None)
    cpu = load.number("cpu", 0, MAX_SMP - 1, None)
    load.finish()
    options = [] if addr is None else [f"addr={addr:#x}", "force-raw=on"]
    options += [] if cpu is None else [f"cpu-num={cpu}"]
    return replace(file, options=",".join(options))


def _disk(fields: Fields, base: Path) -> Disk:
    """A disk: an image, with the same settings as --disk."""
    path = base / fields.text("file")
    form = fields.choice("format", FORMATS, None)
    readonly, snapshot = fields.flag("readonly"), fields.flag("snapshot")
    fields.finish()
    try:
        return make_disk(path, form, readonly=readonly, snapshot=snapshot, option="")
    except TierlabError as error:
        why = "; ".join(filter(None, [error.why, error.next_step]))
        raise fields.error("file", why) from error


def _described(fields: Fields, key: str, role: str, path: Path) -> GuestFile:
    try:
        return _file(role, path, "")
    except GuestError as error:
        raise fields.error(key, str(error)) from error


def _file(role: str, path: Path, where: str) -> GuestFile:
    prefix = f"{where}: " if where else ""
    if not path.is_file():
        why = "is no file" if path.exists() else "does not exist"
        raise GuestError(f"{prefix}{path} {why}")
    try:
        size = path.stat().st_size
        digest = file_sha256(path)
    except OSError as error:
        raise GuestError(f"{prefix}cannot read {path}: {error.strerror}") from error
    if not size:
        raise GuestError(f"{prefix}{path} is empty")
    return GuestFile(role, path.resolve(), digest, size)


def _markers(fields: Fields) -> tuple[tuple[Marker, ...], tuple[str, ...]]:
    """The markers of the console, and the phases that a good run reaches.

    A good run reaches all phases, unless `expects` names some.
    """
    patterns = fields.table("markers").patterns()
    expects = fields.texts("expects", None)
    for name in expects or ():
        if name not in patterns:
            raise fields.error("expects", f"there is no marker '{name}'")
    markers = tuple(Marker(name, match) for name, match in patterns.items())
    return markers, tuple(patterns) if expects is None else expects


@dataclass(frozen=True)
class _End:
    """How a run ends, and QEMU's arguments for that."""

    ending: Ending
    arguments: tuple[str, ...] = ()
    semihosting: bool = False


def _end(fields: Fields, arch: str, machine: str) -> _End:
    by = fields.choice("by", ENDS, "power-off")
    device = by == "test-device" and arch == "x86_64"
    # isa-debug-exit turns a written n into the status 2n + 1, which is never 0.
    status = fields.number("status", 0, MAX_STATUS, 1 if device else 0)
    passed, failed = fields.regex("pass"), fields.regex("fail")
    timeout = fields.seconds("timeout", None)
    fields.finish()
    if (by == "marker") != (passed is not None):
        raise fields.error("pass", 'belongs to by = "marker", which needs it')
    if by == "test-device" and not _has_test_device(arch, machine):
        raise fields.error(
            "by",
            f"machine {machine} of {arch} has no test device; "
            "choose power-off, semihosting or marker",
        )
    return _End(
        Ending(status, passed, failed, timeout),
        ("-device", _DEBUG_EXIT) if device else (),
        by == SEMIHOSTING,
    )


def _has_test_device(arch: str, machine: str) -> bool:
    """Whether there is a test device.

    x86_64 gets one on its ISA bus; some riscv64 machines have one built in.
    """
    built_in = ("virt", "spike")
    return arch == "x86_64" or (
        arch == "riscv64" and machine.partition(",")[0] in built_in
    )


def _console_arguments(console: str, semihosting: bool) -> tuple[str, ...]:
    """QEMU's arguments for the console, by default the first serial port."""
    port = "serial0" if console == SEMIHOSTING else console
    others = int(port.removeprefix("serial"))
    arguments = ("-serial", "null") * others
    if others:
        arguments += ("-serial", "mon:stdio")
    if semihosting:
        config = f"enable=on,target=native,chardev={port}"
        arguments += ("-semihosting-config", config)
    return arguments
