"""Reads a guest's console as it arrives: phases, rounds, figures, panics, oopses.

The stream is bytes in arbitrary pieces: lines may be split anywhere, end in
\\n, \\r\\n or a bare \\r, and carry terminal control sequences.  A line's time is
the arrival of its last byte, in milliseconds since the start of the engine's
process.  A prompt has no line end: it counts as a line when nothing follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.guests.guest import Ending, Marker

# The parser hands on a longer line in pieces: no marker is so long.
MAX_LINE = 64 * 1024

_LINE_END = re.compile(rb"[\r\n]")
# CSI, OSC (ended by BEL or ST), and two-byte escapes; then other controls.
_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_TIERLAB = re.compile(
    r"@tierlab (?P<phase>[a-z-]+) guest=(?P<guest>[0-9]+(?:\.[0-9]+)?)"
    r"(?: status=(?P<status>[0-9]+))?"
)
# A phase comes once; rounds of a workload come many times. If several programs take
# turns, a round says of which program it is.
_ROUND = re.compile(
    r"^@tierlab round guest=(?P<guest>[0-9]+\.[0-9]+) n=(?P<n>[0-9]+)"
    r"(?: of=(?P<of>[A-Za-z0-9][A-Za-z0-9._+-]{0,63}))?$"
)
# Figures come as often as the guest measures one. The lengths are limits of the form.
_FIGURE = re.compile(
    r"^@tierlab figure guest=(?P<guest>[0-9]+\.[0-9]+) "
    r"name=(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]{0,63}) "
    r"value=(?P<value>[0-9]{1,18}(?:\.[0-9]{1,18})?) "
    r"unit=(?P<unit>[!-~]{1,32})(?: better=(?P<better>more|less))?$"
)
_PRINTK_TIME = re.compile(r"^\[ *(?P<guest>[0-9]+\.[0-9]+)\]")

PANIC_PATTERNS: tuple[str, ...] = (r"Kernel panic - not syncing",)
# The kernel also prints "Call Trace:" (Arm: "Call trace:") after a mere WARN. A clean
# boot prints neither, and a warning that only one engine provokes is an emulation
# error as well. "[#1]" follows the kernel's fatal errors, whatever their names.
OOPS_PATTERNS: tuple[str, ...] = (
    r"\bOops\b(?: \[#| -|:)",
    r"(?:^|\] )BUG: ",
    r"(?:^|\] )kernel BUG at ",
    r"(?:^|\] )WARNING: CPU: ",
    r"Unable to handle kernel",
    r"(?:^|\] )Internal error: ",
    r"(?:fault|error|opcode|abort|exception).* \[#[0-9]+\]",
    r"Call [Tt]race:",
)


@dataclass(frozen=True)
class Phase:
    """A phase reached: host time since process start, guest's own clock."""

    phase: str
    host_ms: float
    guest_s: float | None = None
    status: int | None = None


@dataclass(frozen=True)
class Round:
    """The end of a workload's n-th round; the 0th ends its preparations."""

    n: int
    host_ms: float
    guest_s: float
    # The program, where several take turns.
    of: str | None = None


@dataclass(frozen=True)
class Figure:
    """A number that the guest measured itself, and whether more of it is better."""

    name: str
    value: float
    unit: str
    better: str
    host_ms: float
    guest_s: float


@dataclass
class ConsoleParser:
    """Takes bytes with their arrival times; keeps the phases and failures found."""

    markers: Sequence[Marker]
    panic_patterns: Iterable[str] = PANIC_PATTERNS
    oops_patterns: Iterable[str] = OOPS_PATTERNS
    # The lines that end the run; the parser ignores what comes after one of them.
    ending: Ending = Ending()
    phases: list[Phase] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    panic: str | None = None
    oops: str | None = None
    last_line: str = ""
    # Whether the run passed, and the line that ended it; None without such a line.
    verdict: tuple[bool, str] | None = None
    # Where that line ends, in bytes from the start of the stream.
    verdict_end: int | None = None

    def __post_init__(self) -> None:
        self._partial = bytearray()
        self._before = 0  # bytes that have left _partial
        self._seen: set[str] = set()
        self._panic = _any_of(self.panic_patterns)
        self._oops = _any_of(self.oops_patterns)

    def feed(self, data: bytes, at_ms: float) -> list[Phase]:
        """Take the next piece of the stream; return the phases reached in it."""
        before = len(self.phases)
        self._partial += data
        start = 0
        for end in _LINE_END.finditer(self._partial):
            if end.start() > start:
                self._line(bytes(self._partial[start : end.start()]), at_ms)
                self._note_end(self._before + end.start())
            start = end.end()
        self._before += start
        del self._partial[:start]
        if len(self._partial) > MAX_LINE:
            self._flush(at_ms)
        return self.phases[before:]

    def pause(self, at_ms: float) -> list[Phase]:
        """Take an unfinished line as a line, because nothing followed for a while.

        `at_ms` is when the last piece came.  Unfinished lines of /init wait for their
        end: they carry numbers, which may be incomplete.
        """
        before = len(self.phases)
        line = clean_line(bytes(self._partial))
        if line.strip() and self.verdict is None and "@tierlab" not in line:
            self._match(line, at_ms)
            self._note_end(self._before + len(self._partial))
        return self.phases[before:]

    def close(self, at_ms: float) -> list[Phase]:
        """The stream ended: an unfinished line counts as a line."""
        before = len(self.phases)
        if self._partial:
            self._flush(at_ms)
        return self.phases[before:]

    def reached(self, phase: str) -> Phase | None:
        """The phase's record, if the guest got there."""
        return next((p for p in self.phases if p.phase == phase), None)

    def _flush(self, at_ms: float) -> None:
        raw = bytes(self._partial)
        self._partial.clear()
        self._before += len(raw)
        self._line(raw, at_ms)
        self._note_end(self._before)

    def _note_end(self, position: int) -> None:
        if self.verdict is not None and self.verdict_end is None:
            self.verdict_end = position

    def _line(self, raw: bytes, at_ms: float) -> None:
        line = clean_line(raw)
        if not line.strip() or self.verdict is not None:
            return
        self.last_line = line.strip()
        if self.panic is None and self._panic and self._panic.search(line):
            self.panic = line.strip()
        if self.oops is None and self._oops and self._oops.search(line):
            self.oops = line.strip()
        done = _ROUND.match(line)
        if done:
            at, guest = round(at_ms, 3), float(done["guest"])
            self.rounds.append(Round(int(done["n"]), at, guest, done["of"]))
        found = _FIGURE.match(line)
        if found:
            self.figures.append(_figure(found, at_ms))
        self._match(line, at_ms)

    def _match(self, line: str, at_ms: float) -> None:
        for marker in self.markers:
            if marker.phase not in self._seen and marker.match.search(line):
                self._seen.add(marker.phase)
                self.phases.append(_phase(marker.phase, line, at_ms))
        self.verdict = _verdict(self.ending, line)


def clean_line(raw: bytes) -> str:
    """Text of one line without terminal control sequences."""
    text = raw.decode("utf-8", errors="replace")
    return _CONTROLS.sub("", _ANSI.sub("", text))


def _verdict(ending: Ending, line: str) -> tuple[bool, str] | None:
    for good, pattern in ((False, ending.failed), (True, ending.passed)):
        if pattern is not None and pattern.search(line):
            return good, line.strip()
    return None


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(f"(?:{p})" for p in patterns)
    return re.compile(joined) if joined else None


def _figure(found: re.Match[str], at_ms: float) -> Figure:
    return Figure(
        found["name"],
        float(found["value"]),
        found["unit"],
        found["better"] or "more",
        round(at_ms, 3),
        float(found["guest"]),
    )


def _phase(name: str, line: str, at_ms: float) -> Phase:
    own = _TIERLAB.search(line)
    if own:
        status = own["status"]
        return Phase(
            name,
            round(at_ms, 3),
            float(own["guest"]),
            int(status) if status is not None else None,
        )
    printk = _PRINTK_TIME.search(line)
    return Phase(name, round(at_ms, 3), float(printk["guest"]) if printk else None)
