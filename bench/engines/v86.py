"""v86, a peer: another emulator as WebAssembly, in the same Node as ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.build.recipes.v86 import LIBRARY, PRODUCT, VERSIONS
from bench.engines.base import BootRequest, Command, Missing, command_line
from bench.engines.node import RUNNER as NODE_RUNNER
from bench.engines.node import node_program, node_versions
from bench.guests.guest import Guest

RUNNER = Path(__file__).resolve().parent / "peers" / "v86" / "run.mjs"
ARCH, MACHINE = "x86_64", "pc"

# QEMU's device arguments that v86 need not refuse: it has the device, or the
# argument takes one away that v86 does not have.
_EXIT_DEVICE = re.compile(r"isa-debug-exit,iobase=(0x[0-9a-f]+|[0-9]+)(,iosize=.*)?")
_NO_DISPLAY = ("-vga", "none")

# v86 puts the initrd at this address.
_INITRD_MIB = 64

# Fields of a bzImage (Documentation/arch/x86/boot.rst): the magic; flags, the first
# of which says that the kernel can be entered in 64-bit mode.
_MAGIC_AT, _MAGIC = 0x202, b"HdrS"
_FLAGS_AT, _HEADER_END = 0x236, 0x238


class V86Engine:
    """The npm package v86, driven by a runner of ours."""

    name = "v86"
    meaning = "v86 in Node, a peer: for guests with a 32-bit x86 kernel"
    has_tiers = False
    budgets: Mapping[str, int] = {}

    def products(self, arch: str) -> tuple[str, ...]:
        """Node and v86 itself, for guests that v86 can boot."""
        return ("node", PRODUCT) if arch == ARCH else ()

    def refuses(self, request: BootRequest) -> str | None:
        """Refuse all but a 32-bit PC whose devices v86 has as well."""
        return next(_obstacles(request), None)

    def available(self, arch: str, products: Mapping[str, Path]) -> Missing | None:
        """Look for the files that the command line will name."""
        v86 = products.get(PRODUCT)
        for what, path in (
            ("node", node_program(products)),
            ("v86", v86 / LIBRARY if v86 else None),
            ("v86's runner", RUNNER),
            ("the Node runner", NODE_RUNNER),
        ):
            if path is None or not path.is_file():
                return Missing(f"{what} is missing", "run `tierlab build`")
        return None

    def version(self, arch: str, products: Mapping[str, Path]) -> dict[str, str]:
        """Versions of v86, its firmware, and Node; there is no QEMU."""
        node = node_program(products)
        facts = {"engine": "", "qemu": "", **_versions(products.get(PRODUCT))}
        if node is not None:
            versions = node_versions(str(node))
            facts |= {"node": versions["engine"], "v8": versions["v8"]}
        facts["engine"] = f"v86 {facts.get('v86', '')}"
        return facts

    def command(self, request: BootRequest, products: Mapping[str, Path]) -> Command:
        """Node with its flags, the runner, and the guest to boot."""
        guest = request.guest
        argv = [str(node_program(products)), *request.engine_flags, str(RUNNER)]
        argv += ["--v86", str(products[PRODUCT])]
        for role in ("kernel", "initrd"):
            file = guest.file(role)
            argv += [f"--{role}", str(file.path)] if file else []
        argv += [f"--append={command_line(request)}"]
        argv += ["--memory", str(request.memory), "--seed", str(request.seed)]
        for port in _exit_ports(guest):
            argv += ["--exit-port", port]
        return Command(tuple(argv))


def _obstacles(request: BootRequest) -> Iterator[str]:
    """The reasons why v86 cannot do this boot."""
    guest = request.guest
    if (guest.arch, guest.machine) != (ARCH, MACHINE):
        yield f"v86 is a 32-bit PC, not {guest.arch} {guest.machine}"
    kernel, initrd = guest.file("kernel"), guest.file("initrd")
    if kernel is None or not _is_32_bit(kernel.path):
        yield "v86 is a 32-bit PC, and the guest's kernel is no 32-bit bzImage"
    if {file.role for file in guest.files} - {"kernel", "initrd"} or guest.firmware:
        yield "v86 takes a kernel and an initrd, and has firmware of its own"
    if guest.cpu is not None:
        yield f"v86 has a CPU of its own, not '{guest.cpu}'"
    needed = _INITRD_MIB + (initrd.size >> 20 if initrd else 0) + 1
    if request.memory < needed:
        yield f"v86 needs at least {needed} MiB of memory for it"
    if request.cpus > 1:
        yield "v86 has one CPU"
    if request.icount is not None:
        yield "v86 has no clock that counts instructions"
    if request.control or request.stream_in:
        yield "saving and resuming v86's machine is not driven here"
    strange = [a for a in _arguments(guest) if not _EXIT_DEVICE.fullmatch(a)]
    if strange:
        yield f"v86 has nothing like '{strange[0]}'"
    if request.devices:
        kind = request.devices[0].as_json()["kind"]
        yield f"device '{kind}' cannot be plugged into v86 here"


def _is_32_bit(kernel: Path) -> bool:
    with kernel.open("rb") as file:
        header = file.read(_HEADER_END)
    flags = int.from_bytes(header[_FLAGS_AT:], "little")
    return header[_MAGIC_AT:].startswith(_MAGIC) and not flags & 1


def _arguments(guest: Guest) -> Iterator[str]:
    """The guest's own arguments for QEMU: devices, and all others."""
    rest = list(guest.arguments)
    while rest:
        if tuple(rest[:2]) == _NO_DISPLAY:
            del rest[:2]
        elif rest[0] == "-device" and len(rest) > 1:
            del rest[0]
            yield rest.pop(0)
        else:
            yield rest.pop(0)


def _exit_ports(guest: Guest) -> Iterator[str]:
    for argument in _arguments(guest):
        found = _EXIT_DEVICE.fullmatch(argument)
        if found:
            yield found[1]


def _versions(product: Path | None) -> dict[str, str]:
    if product is None:
        return {}
    try:
        raw: Any = json.loads((product / VERSIONS).read_text())
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in raw.items()} if isinstance(raw, dict) else {}
