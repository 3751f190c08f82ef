"""Saved machines (docs/snapshots.md) as a page offers them.

The page fetches the packed stream as it is. The description for the page has the
machine's facts, and QEMU's arguments to make the machine anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.base.errors import FAILED, USAGE, TierlabError
from bench.engines.base import BootRequest, qemu_arguments, streams
from bench.guests.devices.base import Device
from bench.guests.devices.network import Network
from bench.guests.guest import Guest
from bench.harness.snapshots.file import Snapshot, check_machine, read_snapshot
from bench.harness.snapshots.roots import option_of
from bench.harness.snapshots.save_resume import machine_facts
from bench.page.places import PagePlaces

OPTION = "--snapshot"
# At most so many characters of a saved machine's console go to the page's terminal.
SHOWN = 1500


@dataclass(frozen=True)
class Offered:
    """A saved machine's file, and its name in the page."""

    name: str
    snapshot: Snapshot


def offered(paths: Sequence[Path]) -> list[Offered]:
    """The files that the user named, each with its own name."""
    found = [Offered(path.stem, read_snapshot(path)) for path in paths]
    names = [one.name for one in found]
    for one in found:
        root = one.snapshot.facts.root
        if root is not None:
            why = f"{one.snapshot.path} holds a machine with {option_of(root)}"
            next_step = "a page cannot resume it: use tierlab boot --restore"
            raise TierlabError(OPTION, why, next_step, status=USAGE)
    for name in names:
        if names.count(name) > 1:
            why = f"two saved machines are called {name}"
            raise TierlabError(OPTION, why, "rename one of the files", status=USAGE)
    return found


def check(
    machines: Iterable[Offered],
    guests: Iterable[Guest],
    qemu: Mapping[str, str],
    network: Network | None,
) -> None:
    """Refuse machines that the page could not resume.

    `qemu` has the versions of the page's QEMU by architecture.
    """
    known = {guest.name: guest for guest in guests}
    for one in machines:
        facts = one.snapshot.facts
        guest = known[facts.guest]
        devices = _devices(one.snapshot, network)
        request = _request(one.snapshot, guest, devices)
        check_machine(one.snapshot, machine_facts(request, qemu[guest.arch]))
        _check_stream(one.snapshot)


def _devices(snapshot: Snapshot, network: Network | None) -> tuple[Device, ...]:
    """The machine's devices; refuses devices that the page does not have."""
    devices: list[Device] = []
    for said in snapshot.facts.devices:
        own = network if said.get("kind") == "net" else None
        if own is None or own.as_json() != said:
            what = {"net": _words(said), "disk": "a disk"}.get(
                str(said.get("kind")), f"a device '{said.get('kind')}'"
            )
            raise TierlabError(
                OPTION,
                f"{snapshot.path} was saved with {what}, which this page has not",
                "add the same --net, or save it without",
                status=USAGE,
            )
        devices.append(own)
    return tuple(devices)


def _words(said: Mapping[str, Any]) -> str:
    net = Network(tuple(said.get("host", ())), bool(said.get("outside")))
    return f"--net {net.words()}"


def _request(
    snapshot: Snapshot, guest: Guest, devices: tuple[Device, ...]
) -> BootRequest:
    """The request that made the machine when it was saved."""
    facts = snapshot.facts
    return BootRequest(
        guest,
        workload=facts.booted_for,
        smp=facts.smp,
        memory_mib=facts.memory_mib,
        icount=facts.icount,
        seed=facts.seed,
        devices=devices,
        stream_in=snapshot.path,
    )


def _check_stream(snapshot: Snapshot) -> None:
    data = packed_stream(snapshot)
    if hashlib.sha256(data).hexdigest() != snapshot.facts.packed_sha256:
        raise TierlabError(
            f"{snapshot.path} is damaged",
            "its digest is not what was written",
            "save it again",
            status=FAILED,
        )


def packed_stream(snapshot: Snapshot) -> bytes:
    """The gzip member that is the rest of the file."""
    with snapshot.path.open("rb") as file:
        file.seek(snapshot.offset)
        return file.read(snapshot.facts.packed_bytes)


def describe(one: Offered, guest: Guest, part: Mapping[str, Any]) -> dict[str, Any]:
    """The description for the page; `part` says where the stream is."""
    facts = one.snapshot.facts
    # The page adds its own devices at their places.
    request = _request(one.snapshot, guest, ())
    places = PagePlaces()
    arguments = qemu_arguments(request, places)
    incoming = streams(request, places).incoming
    return {
        "name": one.name,
        "guest": facts.guest,
        "memory_mib": facts.memory_mib,
        "smp": facts.smp,
        "icount": facts.icount,
        "seed": facts.seed,
        "workload": facts.workload,
        "booted_for": facts.booted_for,
        "net": any(said.get("kind") == "net" for said in facts.devices),
        "phases": facts.phases,
        "console": _last_lines(str(facts.console.get("text", ""))),
        "saved": facts.saved,
        "resumed": one.snapshot.as_json(),
        "arguments": arguments,
        "devices_at": len(arguments) - len(guest.arguments),
        "part": {**part, "path": incoming},
    }


def _last_lines(text: str) -> str:
    """The last lines that a user saw on the console."""
    if len(text) <= SHOWN:
        return text
    return text[-SHOWN:].partition("\n")[2]
