"""What the page is told of guests, policies and workloads: data, no code.

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
from bench.guests.catalogue import WORKLOADS
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
# What a workload needs to be plugged in; nothing is saved in the page.
NEEDS = {"disk": "disk", "share": "share", "net": "net"}
NOT_OFFERED = ("wait",)
# The relay's WebSocket, beside the page.
NETWORK = "network"
# In arguments, for what the page puts there.
TAG = "@TAG@"


def machine(guest: Guest) -> tuple[list[str], dict[str, Path]]:
    """QEMU's arguments for the guest as it is, and its files by their paths there."""
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
    """What the kernel is told besides its guest's and workload's words."""
    if "-append" not in arguments:
        return ""
    words = command_line(BootRequest(guest, workload=SHELL))
    return arguments[arguments.index("-append") + 1].removeprefix(words).strip()


def _card(guest: Guest) -> list[str] | None:
    """The same for a network card."""
    try:
        return Network().card(guest.machine)
    except TierlabError:
        return None


def describe_guest(guest: Guest, files: list[dict[str, Any]]) -> dict[str, Any]:
    """One guest; `files` say where the page finds its files."""
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
        # Behind what the page puts there.
        "append_after": _after(guest, arguments),
        "kernel_version": guest.kernel_version,
        "workloads": guest.workloads,
        "arguments": arguments,
        # Where those of devices go, as in qemu_arguments().
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
        # For results, as the harness has them.
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
    """All that the page is told."""
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
        # Added where QEMU's threads work on files.
        "few_threads": FEW_THREADS,
        # Of a saved machine's clock.
        "icount_arguments": icount_arguments("@SHIFT@"),
        # The channel by which machines are resumed and saved.
        "control_arguments": CONTROL_ARGUMENTS,
        "tiers": {**tiers, "policies": list(filter(_usable, tiers["policies"]))},
        "budgets": {e.name: dict(e.budgets) for e in ENGINES.values() if e.budgets},
        "workloads": [
            {
                "name": w.name,
                "title": w.title,
                "interactive": w.interactive,
                "needs": NEEDS.get(w.name),
                "params": [asdict(p) for p in w.params],
            }
            for w in WORKLOADS
            if w.name not in NOT_OFFERED
        ],
        "settings": [_setting(one) for one in SETTINGS if one.page],
        # Of a result: every setting, for those that the page has no control for.
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
        # null: what the guest has under the key.
        "default": one.page.default,
        "variable": one.variable,
        **one.values.as_json(),
    }


def _unchosen(one: Setting) -> list[str] | None:
    return [] if one.listed else None


def _usable(policy: Mapping[str, Any]) -> bool:
    """Of what wants a text, the page knows one: the profile of an earlier boot."""
    texts = [p["name"] for p in policy.get("params", []) if p.get("type") == "text"]
    return not texts or (policy["name"], texts) == (PROFILE, ["from"])


def _pattern(pattern: re.Pattern[str] | None) -> str | None:
    return None if pattern is None else javascript(pattern.pattern)


def javascript(pattern: str) -> str:
    """A regular expression of Python's as JavaScript writes it."""
    return pattern.replace("(?P<", "(?<").replace(r"\Z", "$").replace(r"\A", "^")
