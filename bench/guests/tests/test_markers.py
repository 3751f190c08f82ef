"""The markers of guest.json match consoles of real boots (native QEMU)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.guests import catalogue, manifest

SAMPLES = Path(__file__).parent / "samples"
MARKERS = {
    marker["phase"]: re.compile(marker["match"])
    for marker in manifest.markers_of(catalogue.find_guest("riscv64-tiny"))
}
IN_ORDER = ["firmware", "kernel", "init", "workload-start", "workload-end"]


def phases(name: str) -> list[tuple[str, re.Match[str]]]:
    text = (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    return [
        (phase, found)
        for line in text.splitlines()
        for phase, regex in MARKERS.items()
        if (found := regex.search(line))
    ]


@pytest.mark.parametrize("name", ["riscv64-tiny", "riscv64-debian"])
def test_each_phase_once_and_in_order(name: str) -> None:
    assert [phase for phase, _ in phases(name)] == IN_ORDER


@pytest.mark.parametrize("name", ["riscv64-tiny", "riscv64-debian"])
def test_guest_clock_and_status(name: str) -> None:
    found = dict(phases(name))
    clock = [float(found[phase]["guest"]) for phase in IN_ORDER[2:]]
    assert clock == sorted(clock)
    assert clock[0] > 0
    assert found["workload-end"]["status"] == "0"


@pytest.mark.parametrize(
    ("phase", "line", "matches"),
    [
        ("prompt", "@tierlab prompt guest=1.50", True),
        ("prompt", "# @tierlab prompt guest=1.50", False),
        ("workload-end", "@tierlab workload-end guest=9.00 status=137", True),
        ("workload-end", "@tierlab workload-end guest=9.00", False),
        ("workload-start", "@tierlab workload-start guest=x", False),
        ("init", "@tierlab init guest=0.00", True),
        ("init", "@tierlab init guest=0.00 status=0", False),
        ("kernel", "[    0.000000] Linux version 6.12.1 (a@b)", True),
        ("kernel", "Linux version 6.12.1 (a@b)", True),
        ("kernel", "Booting from ROM..Linux version 6.12.1 (a@b)", True),
        ("kernel", "Kernel command line: x=Linux version 6", False),
        ("firmware", "OpenSBI v1.6", True),
        ("firmware", "fw: OpenSBI v1.6", False),
    ],
)
def test_line(phase: str, line: str, matches: bool) -> None:
    assert bool(MARKERS[phase].search(line)) is matches


def test_every_known_phase_has_a_marker() -> None:
    assert tuple(MARKERS) == manifest.PHASES
