"""The page's description of guests, policies and workloads: data, no code.

The machine is that of every engine (bench.engines.base.qemu_arguments): the page
only puts other values behind -smp, -m, -seed and -append.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.schema import RUN_SCHEMA
from bench.base.errors import TierlabError
from bench.base.settings import SETTINGS, Setting
from bench.engines import ENGINES
from bench.engines.base import (
    BootRequest,
    command_line,
    icount_arguments,
    qemu_arguments,
)
from bench.engines.node import CONTROL_ARGUMENTS, FEW_THREADS
from bench.guests.catalogue import IMAGES, WORKLOADS
from bench.guests.devices.disk import MAX_DISKS
from bench.guests.devices.network import Network
from bench.guests.devices.share import Share
from bench.guests.guest import Guest
from bench.guests.names import SHELL
from bench.harness.process.console import OOPS_PATTERNS, PANIC_PATTERNS
from bench.harness.run.policies import PROFILE
from bench.page import disks
from bench.page.folders import MAX_BYTES, MAX_ENTRIES
from bench.page.places import PagePlaces

SCHEMA = 1
# The device that each workload needs, and the workloads that the page does not offer.
NEEDS = {"disk": "disk", "share": "share", "net": "net"}
NEEDS |= {workload: "root" for workload in IMAGES}
NOT_OFFERED = ("wait",)
# The path of the relay's WebSocket, beside the page.
NETWORK = "network"
# A placeholder in arguments, which the page replaces by a folder's tag.
TAG = "@TAG@"


def machine(guest: Guest) -> tuple[list[str], dict[str, Path]]:
    """QEMU's arguments for the guest, and the guest's files by their paths in QEMU."""
    places = PagePlaces()
    arguments = qemu_arguments(BootRequest(guest, workload=SHELL), places)
    return arguments, places.files


def _share(guest: Guest) -> list[str] | None:
    """QEMU's arguments for a shared folder, if the machine has a place for one."""
    share = Share(Path("/"), TAG)
    try:
        return share.qemu_arguments(guest.arch, guest.machine, PagePlaces())
    except TierlabError:
        return None


def _after(guest: Guest, arguments: list[str]) -> str:
    """The words of the kernel's command line beside the guest's and workload's."""
    if "-append" not in arguments:
        return ""
    words = command_line(BootRequest(guest, workload=SHELL))
    return arguments[arguments.index("-append") + 1].removeprefix(words).strip()


def _card(guest: Guest) -> list[str] | None:
    """QEMU's arguments for a network card, if the machine has a place for one."""
    try:
        return Network().card(guest.machine)
    except TierlabError:
        return None


def describe_guest(
    guest: Guest,
    files: list[dict[str, Any]],
    roots: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The description of one guest; `files` say where the page finds its files.

    `roots` are disks with root file systems, by name, for workloads.
    """
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
        # Words that follow those which the page puts on the kernel's command line.
        "append_after": _after(guest, arguments),
        "kernel_version": guest.kernel_version,
        "workloads": guest.workloads,
        "arguments": arguments,
        # Where the page inserts the devices' arguments, as qemu_arguments() does.
        "devices_at": len(arguments) - len(guest.arguments),
        "disk": disks.template(guest),
        "share": _share(guest),
        "net": _card(guest),
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
        "roots": {name: {**disk, "root": True} for name, disk in (roots or {}).items()},
        # Values that the page copies to results, as the harness does.
        "config": guest.as_json(),
        "provenance": guest.provenance(),
    }


def describe(
    guests: Iterable[Mapping[str, Any]],
    programs: Mapping[str, Mapping[str, Any]],
    tiers: Mapping[str, Any],
    provenance: Mapping[str, Any],
    libraries: Mapping[str, str],
    shares: Iterable[Mapping[str, Any]] = (),
    network: Network | None = None,
    machines: Iterable[Mapping[str, Any]] = (),
    images: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The whole description for the page."""
    return {
        "schema": SCHEMA,
        "run_schema": RUN_SCHEMA,
        "guests": list(guests),
        "programs": dict(programs),
        "disks": list(images),
        "shares": list(shares),
        "machines": list(machines),
        "network": network
        and {**network.as_json(), "words": network.words(), "url": NETWORK},
        # The arguments that the page adds if QEMU's threads work on files.
        "few_threads": FEW_THREADS,
        # The arguments for a saved machine whose clock counts instructions.
        "icount_arguments": icount_arguments("@SHIFT@"),
        # The arguments for the channel by which the page resumes and saves machines.
        "control_arguments": CONTROL_ARGUMENTS,
        "tiers": {**tiers, "policies": list(filter(_usable, tiers["policies"]))},
        "budgets": {e.name: dict(e.budgets) for e in ENGINES.values() if e.budgets},
        "workloads": [
            {
                "name": w.name,
                "title": w.title,
                "interactive": w.interactive,
                "needs": NEEDS.get(w.name),
                "roots": {key: list(names) for key, names in w.roots.items()},
                "memory_mib": w.memory_mib,
                "params": [asdict(p) for p in w.params],
            }
            for w in WORKLOADS
            if w.name not in NOT_OFFERED
        ],
        "settings": [_setting(one) for one in SETTINGS if one.page],
        # A result's config with no setting chosen; the page fills in those that have
        # a control.
        "config": {one.result: _unchosen(one) for one in SETTINGS if one.result},
        "limits": {
            "disk_bytes": disks.MAX_BYTES,
            "disks": MAX_DISKS,
            "share_bytes": MAX_BYTES,
            "share_entries": MAX_ENTRIES,
        },
        "libraries": dict(libraries),
        "provenance": dict(provenance),
    }


def _setting(one: Setting) -> dict[str, Any]:
    """A control of the page, in the form that parameters of policies have."""
    assert one.page is not None
    return {
        "name": one.name,
        "key": one.key,
        "label": one.page.label,
        "unit": one.unit,
        "meaning": one.help,
        # If null, the guest's description has the default under the key.
        "default": one.page.default,
        "variable": one.variable,
        **one.values.as_json(),
    }


def _unchosen(one: Setting) -> list[str] | None:
    return [] if one.listed else None


def _usable(policy: Mapping[str, Any]) -> bool:
    """Whether the page can give the policy's parameters.

    The page has only one text to give: the profile of an earlier boot.
    """
    texts = [p["name"] for p in policy.get("params", []) if p.get("type") == "text"]
    return not texts or (policy["name"], texts) == (PROFILE, ["from"])


def _pattern(pattern: re.Pattern[str] | None) -> str | None:
    return None if pattern is None else javascript(pattern.pattern)


def javascript(pattern: str) -> str:
    """A regular expression of Python's as JavaScript writes it."""
    return pattern.replace("(?P<", "(?<").replace(r"\Z", "$").replace(r"\A", "^")
