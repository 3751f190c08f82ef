"""Checks of one guest: its kernel's warnings, its clock, and how its run ends.

These checks find faults of an emulator that crash nothing: a warning that the same
kernel does not print on native QEMU, a clock that runs too fast or too slow, an exit
status that is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.guests.guest import Guest
from bench.harness.process.console import clean_line
from bench.harness.run.boot import Boot, run_boot

# The kernel prints only messages that are worse than a notice.
WARNINGS_ONLY = "loglevel=5"
CLOCK_TOLERANCE = 0.02
MIN_ROUNDS = 4
# A workload that /init does not know, and the status with which /init refuses it.
UNKNOWN_WORKLOAD = "unknown"
UNKNOWN_STATUS = 2
# Lines that are no warnings: those of /init, and the kernel's command line, which
# differs between engines.
_OTHERS_LINES = ("@tierlab ", "Command line: ", "Kernel command line: ")
# Warnings of a slow or busy host: they are no fault of the guest or the emulator.
_SLOW_HOST = re.compile(
    r"hrtimer: interrupt took|clocksource: |TSC calibration|APIC (?:calibration|delta)|"
    r"perf: interrupt took too long|sched_clock: |rcu: INFO: .* stall"
)
_NUMBER = re.compile(r"0x[0-9a-f]+|[0-9a-f]*[0-9][0-9a-f]*(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check: what it found, and whether that is right."""

    name: str
    right: bool
    found: str


def only_warnings(guest: Guest) -> Guest:
    """The guest with a kernel that prints only warnings and worse."""
    return replace(guest, append=f"{guest.append} {WARNINGS_ONLY}")


def check_warnings(boot: Boot, reference: Boot) -> Verdict:
    """Check that `reference` also shows each warning of the kernel in `boot`."""
    results = [run_boot(_quiet(each), {}) for each in (boot, reference)]
    for each, result in zip((boot, reference), results, strict=True):
        if not result["ok"]:
            found = f"{each.engine.name}: {result['failure']['message']}"
            return Verdict("warnings", False, found)
    ours, theirs = (result["console"]["text"] for result in results)
    new = new_warnings(ours, theirs)
    return Verdict("warnings", not new, "; ".join(new) or "none that native has not")


def new_warnings(ours: str, theirs: str) -> list[str]:
    """Lines of `ours` that `theirs` does not have, if numbers are not compared."""
    known = {_shape(line) for line in _lines(theirs)}
    return [line for line in _lines(ours) if _shape(line) not in known]


def _quiet(boot: Boot) -> Boot:
    guest = only_warnings(boot.request.guest)
    return replace(boot, request=replace(boot.request, guest=guest, workload="none"))


def _lines(text: str) -> list[str]:
    lines = (clean_line(line.encode()).strip() for line in text.splitlines())
    return [
        line
        for line in lines
        if line and not line.startswith(_OTHERS_LINES) and not _SLOW_HOST.search(line)
    ]


def _shape(line: str) -> str:
    return _NUMBER.sub("#", line)


def check_clock(boot: Boot, seconds: int, busy: bool) -> Verdict:
    """Compare the guest's clock with the host's for `seconds` seconds."""
    workload = f"clock:rounds={seconds},busy={int(busy)}"
    request = replace(boot.request, workload=workload)
    result = run_boot(replace(boot, request=request), {})
    name = f"clock, {'busy' if busy else 'idle'}"
    if not result["ok"]:
        return Verdict(name, False, result["failure"]["message"])
    if len(result["rounds"]) < MIN_ROUNDS:
        return Verdict(name, False, "the guest did not say its time")
    rate = clock_rate(result["rounds"])
    right = abs(rate - 1) <= CLOCK_TOLERANCE
    return Verdict(name, right, f"{100 * (rate - 1):+.2f} % over {seconds} s")


def clock_rate(rounds: Sequence[Mapping[str, Any]]) -> float:
    """Guest seconds per host second: the slope of a line through all rounds.

    The first round is left out, because it ends the workload's preparations.
    """
    host = [r["host_ms"] / 1000 for r in rounds[1:]]
    guest = [r["guest_s"] for r in rounds[1:]]
    mean_host, mean_guest = sum(host) / len(host), sum(guest) / len(guest)
    both = sum(
        (h - mean_host) * (g - mean_guest) for h, g in zip(host, guest, strict=True)
    )
    return float(both / sum((h - mean_host) ** 2 for h in host))


def check_status(boot: Boot) -> Verdict:
    """Check that QEMU's exit status tells of a failure in the guest."""
    request = replace(boot.request, workload=UNKNOWN_WORKLOAD)
    result = run_boot(replace(boot, request=request), {})
    wanted = request.guest.qemu_status(UNKNOWN_STATUS)
    status, killed = result["exit"]["status"], result["exit"]["killed"]
    right = status == wanted and not killed and not result["ok"]
    found = f"exit status {status} for the guest's {UNKNOWN_STATUS}"
    return Verdict("status", right, f"killed: {killed}" if killed else found)


def check_power_off(boot: Boot) -> Verdict:
    """Check that QEMU ends when the guest powers the machine off."""
    result = run_boot(replace(boot, request=replace(boot.request, workload="none")), {})
    killed = result["exit"]["killed"]
    if not result["ok"]:
        return Verdict("power-off", False, result["failure"]["message"])
    # The harness also ends runs that are ok: if the guest's description names a line
    # that says that the run passed, the harness ends the run at that line.
    found = f"by the harness: {killed}" if killed else "by the guest"
    return Verdict("power-off", not killed, found)
