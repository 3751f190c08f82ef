"""The console parser: pieces, line ends, control sequences, failures."""

from __future__ import annotations

import re

import pytest

from bench.guests.guest import Ending, Marker
from bench.harness.process.console import MAX_LINE, ConsoleParser, Phase

MARKERS = [
    Marker("firmware", re.compile(r"^OpenSBI v")),
    Marker("kernel", re.compile(r"Linux version ")),
    Marker("init", re.compile(r"@tierlab init ")),
    Marker("workload-end", re.compile(r"@tierlab workload-end ")),
]
BOOT = (
    b"\x1b[2J\x1b[H\r\nOpenSBI v1.6\r\n   ____\r\n"
    b"[    0.000000] Linux version 6.12\r\n"
    b"[    1.0] Run /init\n@tierlab init guest=1.25\r\n"
    b"@tierlab workload-end guest=2.50 status=3\r\n"
)


def parse(data: bytes, size: int) -> ConsoleParser:
    """Feed data in pieces of `size` bytes; a piece's time is its offset."""
    parser = ConsoleParser(MARKERS)
    for at in range(0, len(data), size):
        parser.feed(data[at : at + size], float(at))
    parser.close(float(len(data)))
    return parser


def test_rounds_come_again_and_again() -> None:
    parser = ConsoleParser(MARKERS)
    for n, at in enumerate((100.0, 150.0, 210.5)):
        parser.feed(f"@tierlab round guest={n}.50 n={n}\r\n".encode(), at)
    # The shell's echo of a command is no marker.
    parser.feed(b"+ echo @tierlab round guest=3.50 n=3\n", 300.0)
    found = [(r.n, r.host_ms, r.guest_s) for r in parser.rounds]
    assert found == [(0, 100.0, 0.5), (1, 150.0, 1.5), (2, 210.5, 2.5)]
    assert parser.phases == []


def test_rounds_tell_programs_that_take_turns() -> None:
    parser = ConsoleParser(MARKERS)
    parser.feed(b"@tierlab round guest=1.50 n=0\n", 10.0)
    parser.feed(b"@tierlab round guest=2.50 n=1 of=g++-14\n", 20.0)
    parser.feed(b"@tierlab round guest=3.50 n=1 of=a b\n", 30.0)
    assert [(r.n, r.of) for r in parser.rounds] == [(0, None), (1, "g++-14")]


FIGURE = "@tierlab figure guest=2.25 name=loop-1 value=12.5 unit=Minsn/s"


def figures(line: str) -> list[tuple[str, float, str, str]]:
    parser = ConsoleParser(MARKERS)
    parser.feed(f"{line}\r\n".encode(), 100.0)
    assert all((f.host_ms, f.guest_s) == (100.0, 2.25) for f in parser.figures)
    return [(f.name, f.value, f.unit, f.better) for f in parser.figures]


def test_a_guest_reports_figures() -> None:
    assert figures(FIGURE) == [("loop-1", 12.5, "Minsn/s", "more")]
    assert figures(f"{FIGURE} better=less") == [("loop-1", 12.5, "Minsn/s", "less")]
    assert figures(FIGURE.replace("12.5", "7")) == [("loop-1", 7.0, "Minsn/s", "more")]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("@tierlab", "# @tierlab"),
        ("2.25", "now"),
        ("loop-1", ""),
        ("loop-1", "loop 1"),
        ("loop-1", "x" * 65),
        ("12.5", "-12.5"),
        ("12.5", "nan"),
        ("12.5", "9" * 400),
        ("Minsn/s", ""),
        ("Minsn/s", "Minsn/s better=maybe"),
        ("Minsn/s", "Minsn/s and more"),
    ],
)
def test_what_has_not_the_form_of_a_figure_is_none(good: str, bad: str) -> None:
    assert figures(FIGURE.replace(good, bad)) == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_phases_do_not_depend_on_the_pieces(size: int) -> None:
    found = [(p.phase, p.guest_s, p.status) for p in parse(BOOT, size).phases]
    assert found == [
        ("firmware", None, None),
        ("kernel", 0.0, None),
        ("init", 1.25, None),
        ("workload-end", 2.5, 3),
    ]


def test_a_prompt_is_a_line_when_nothing_follows() -> None:
    ending = Ending(passed=re.compile(r"^box login: $"))
    login = Marker("login", re.compile(r"login:"))
    parser = ConsoleParser([*MARKERS, login], ending=ending)
    data = b"\r\nWelcome\r\nbox login: "
    parser.feed(data, 10.0)
    assert parser.phases == [] and parser.verdict is None
    assert parser.pause(10.0) == [Phase("login", 10.0)]
    assert parser.verdict == (True, "box login:")
    assert parser.verdict_end == len(data)
    assert parser.pause(10.0) == []


def test_what_init_says_is_waited_for() -> None:
    parser = ConsoleParser(MARKERS)
    parser.feed(b"@tierlab init guest=1.", 10.0)
    assert parser.pause(10.0) == []
    assert parser.feed(b"25\n", 300.0) == [Phase("init", 300.0, 1.25)]


def test_a_line_has_the_time_of_its_end() -> None:
    parser = ConsoleParser(MARKERS)
    assert parser.feed(b"@tierlab in", 10.0) == []
    assert parser.feed(b"it guest=0.5", 20.0) == []
    assert parser.feed(b"\n", 30.0) == [Phase("init", 30.0, 0.5)]


def test_a_phase_counts_once() -> None:
    parser = ConsoleParser(MARKERS)
    parser.feed(b"@tierlab init guest=1.0\n", 1.0)
    assert parser.feed(b"@tierlab init guest=2.0\n", 2.0) == []
    assert parser.reached("init") == Phase("init", 1.0, 1.0)


def test_the_last_line_needs_no_end() -> None:
    parser = ConsoleParser(MARKERS)
    parser.feed(b"@tierlab init guest=1.0", 1.0)
    assert parser.close(2.0) == [Phase("init", 2.0, 1.0)]


def test_sequences_inside_a_marker_are_dropped() -> None:
    parser = ConsoleParser(MARKERS)
    line = b"\x1b[1;31m@tierlab \x1b]0;title\x07init\x1b[0m guest=1.5\x1b[K\r\n"
    assert parser.feed(line, 1.0) == [Phase("init", 1.0, 1.5)]


def test_a_bare_carriage_return_ends_a_line() -> None:
    parser = ConsoleParser(MARKERS)
    assert parser.feed(b"progress 10%\rOpenSBI v1\r", 1.0)[0].phase == "firmware"


def test_bytes_that_are_no_text_do_no_harm() -> None:
    parser = ConsoleParser(MARKERS)
    found = parser.feed(b"\xff\xfe\x00 Linux version \xc3\n", 1.0)
    assert [p.phase for p in found] == ["kernel"]


def test_an_endless_line_is_not_hoarded() -> None:
    parser = ConsoleParser(MARKERS)
    for _ in range(40):
        parser.feed(b"x" * (MAX_LINE // 16), 1.0)
    assert len(parser._partial) <= MAX_LINE


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[    1.2] Kernel panic - not syncing: no init", "panic"),
        ("[    1.2] Oops [#1]", "oops"),
        ("Oops - illegal instruction [#1]", "oops"),
        ("[    1.2] BUG: kernel NULL pointer dereference", "oops"),
        ("Unable to handle kernel paging request at 00", "oops"),
        ("[    1.2] Call Trace:", "oops"),
        ("Call trace:", "oops"),
        ("Internal error: synchronous external abort: 96000010 [#1] SMP", "oops"),
        ("Internal error: Oops: 0000000096000005 [#1] SMP", "oops"),
        ("Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI", "oops"),
        ("Oops: general protection fault, 0000 [#1] PREEMPT SMP", "oops"),
        ("invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", "oops"),
        ("kernel BUG at mm/slub.c:1!", "oops"),
        ("WARNING: CPU: 1 PID: 1 at kernel/x.c:2 f+0x1/0x2", "oops"),
        ("RAS: Correctable Errors collector initialized.", None),
        ("[    0.0] Kernel command line: oops=panic panic=-1", None),
        ("[    0.0] DEBUG: nothing", None),
        ("whoops", None),
    ],
)
def test_failures_are_told_from_other_lines(line: str, kind: str | None) -> None:
    parser = ConsoleParser(MARKERS)
    parser.feed(line.encode() + b"\r\n", 1.0)
    assert (parser.panic is not None) == (kind == "panic")
    assert (parser.oops is not None) == (kind == "oops")


def test_failure_patterns_can_be_changed() -> None:
    parser = ConsoleParser(MARKERS, panic_patterns=["HALT"], oops_patterns=[])
    parser.feed(b"Call Trace:\nHALT now\n", 1.0)
    assert parser.panic == "HALT now"
    assert parser.oops is None
