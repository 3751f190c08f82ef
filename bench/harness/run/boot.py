"""Boots one guest once, and makes the result: one JSON object."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

from analysis.schema import NO_TIER, RUN_SCHEMA, failure
from bench.base.errors import USAGE, TierlabError
from bench.base.interrupt import Deferred
from bench.base.settings import DEFAULT_TIMEOUT, SETTINGS, SWITCHES
from bench.engines.base import (
    BootRequest,
    Command,
    Engine,
    same_policy,
    with_budgets,
)
from bench.guests.devices.base import Device, Served
from bench.guests.guest import Guest, Marker
from bench.harness.process.console import ConsoleParser, Phase, clean_line
from bench.harness.process.engine_report import EngineReport, read_report
from bench.harness.process.process import Ended, EngineProcess, Limits
from bench.harness.process.sampler import Sample, Sampler
from bench.harness.process.timeline import last_line, read_timeline
from bench.harness.run.provenance import run_provenance
from bench.harness.run.tb_rows import pack_tbs, read_stats
from bench.harness.snapshots.migration import Restore, Save
from bench.harness.snapshots.save_resume import SaveResume

# A panicked kernel may never stop; give it time to print its trace.
PANIC_GRACE_MS = 2000.0
# A result keeps at most so many bytes of the console and of stderr.
CONSOLE_KEPT = 1024 * 1024
STDERR_KEPT = 16 * 1024
# A limit for names, because file systems take 255 bytes and the spec of a policy with
# all its parameters may be longer.
NAME_MAX = 200


@dataclass(frozen=True)
class Terminal:
    """Where a boot's input and output go, and who is told of its progress."""

    output: Callable[[bytes], None] | None = None
    errors: Callable[[bytes], None] | None = None
    input_fd: int | None = None
    # Hold input back until the guest shows its prompt; for input that is no terminal.
    hold_input: bool = False
    signals: Deferred | None = None
    # Called when the process has started, and when the guest shows its prompt.
    started: Callable[[int], None] | None = None
    prompt: Callable[[], None] | None = None
    # Called with each sample of the process and the runtime's last timeline entry.
    sampled: Callable[[Sample, Mapping[str, Any]], None] | None = None


@dataclass(frozen=True)
class Boot:
    """One boot to do: engine, request, products, limits."""

    engine: Engine
    request: BootRequest
    products: Mapping[str, Path]
    timeout_s: float | None
    policy: Mapping[str, Any] | None = None
    repetition: int = 1
    keep_tbs: bool = True
    save: Save | None = None
    restore: Restore | None = None


def timeout_of(guest: Guest, asked: float | None) -> float:
    """A boot's time limit in seconds: the user's, else the guest's, else a default."""
    return asked or guest.ending.timeout_s or DEFAULT_TIMEOUT


class _Watcher:
    """Follows both streams of a running engine."""

    def __init__(
        self,
        parser: ConsoleParser,
        limits: Limits,
        terminal: Terminal,
        save_resume: SaveResume,
    ) -> None:
        self.parser = parser
        self._save_resume = save_resume
        self.console = _Kept(CONSOLE_KEPT)
        self.errors = _Kept(STDERR_KEPT)
        self.process: EngineProcess | None = None
        self._limits = limits
        self._terminal = terminal
        self._had_verdict = False

    def output(self, data: bytes, at_ms: float) -> None:
        """Take a piece of the guest's console."""
        reached = self.parser.feed(data, at_ms)
        data = self._before_verdict(data)
        self.console.add(data)
        self._follow(reached, at_ms)
        if self._terminal.output is not None:
            self._terminal.output(data)

    def quiet(self, at_ms: float) -> None:
        """Take note that nothing came since `at_ms`."""
        self._follow(self.parser.pause(at_ms), at_ms)

    def _follow(self, reached: list[Phase], at_ms: float) -> None:
        if self.parser.verdict is not None and not self._had_verdict:
            self._had_verdict = True
            self._limits.asked = ("verdict", at_ms)
        if self.parser.panic is not None and self._limits.asked is None:
            self._limits.asked = ("panic", at_ms + PANIC_GRACE_MS)
        if (
            any(p.phase == "prompt" for p in reached)
            and not self._save_resume.will_type
        ):
            self._at_prompt()
        self._save_resume.reached(reached)

    def _before_verdict(self, data: bytes) -> bytes:
        """The part of `data` up to the line that ends the run.

        The engine prints more until it obeys the signal; that is not the run's output.
        """
        end = self.parser.verdict_end
        return data if end is None else data[: max(0, end - self.console.total)]

    def _at_prompt(self) -> None:
        if self.process is not None:
            self.process.release_input()
        if self._terminal.prompt is not None:
            self._terminal.prompt()

    def error(self, data: bytes, at_ms: float) -> None:
        """Take a piece of the engine's own output on stderr."""
        self.errors.add(data)
        if self._terminal.errors is not None:
            self._terminal.errors(data)


class _Kept:
    """Bytes of a stream: all of it, or its first and last halves."""

    def __init__(self, limit: int) -> None:
        self.total = 0
        self._sha = hashlib.sha256()
        self._head = bytearray()
        self._tail = bytearray()
        self._half = limit // 2

    def add(self, data: bytes) -> None:
        """Append a piece."""
        self.total += len(data)
        self._sha.update(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        if len(self._tail) > self._half:
            del self._tail[: len(self._tail) - self._half]

    def text(self) -> str:
        """The kept text, with a mark in the place of cut bytes."""
        lost = self.total - len(self._head) - len(self._tail)
        cut = f"\n[... {lost} bytes cut ...]\n".encode() if lost else b""
        return bytes(self._head + cut + self._tail).decode("utf-8", errors="replace")

    def as_json(self) -> dict[str, Any]:
        """The kept text, with the size and the digest of the whole stream."""
        return {
            "bytes": self.total,
            "sha256": self._sha.hexdigest(),
            "text": self.text(),
        }


def run_boot(
    boot: Boot, shared: Mapping[str, Any], terminal: Terminal | None = None
) -> dict[str, Any]:
    """Boot once.  `shared` is the provenance that all runs have in common.

    A guest that fails is a result like any other; only an engine that cannot
    be started at all raises.
    """
    terminal = terminal or Terminal()
    guest = boot.request.guest
    started = datetime.now(UTC)
    with ExitStack() as stack:
        scratch = Path(
            stack.enter_context(
                # A killed process may still write into this directory.
                tempfile.TemporaryDirectory(
                    prefix="tierlab-", ignore_cleanup_errors=True
                )
            )
        )
        stats_path = scratch / "stats.json"
        timeline_path = scratch / "timeline.jsonl"
        save_resume = SaveResume(boot.save, boot.restore, scratch)
        request = replace(
            boot.request,
            tier=_tier(boot),
            devices=_served(boot, scratch, stack),
            stats=stats_path,
            timeline=timeline_path,
        )
        request = save_resume.request(request)
        require(boot.engine, request, boot.products)
        sampler = _sampler(terminal, timeline_path)
        command = boot.engine.command(request, boot.products)
        limits = Limits(boot.timeout_s)
        parser = _parser(guest, save_resume.markers(guest))
        watcher = _Watcher(parser, limits, terminal, save_resume)
        provenance = {
            **shared,
            **run_provenance(boot.engine, guest, boot.products),
        }
        ended = _run(command, watcher, limits, terminal, sampler, save_resume)
        parser.close(ended.wall_ms)
        save_resume.ended(
            request,
            boot.engine.name,
            provenance["engine"]["qemu"],
            parser.phases,
            watcher.console.as_json(),
        )
        stats, no_stats = (
            read_stats(stats_path) if boot.engine.has_tiers else (None, "")
        )
        timeline = read_timeline(timeline_path)
        report = read_report(command.report, ended.spawn_epoch_ms)
    cause = find_failure(boot, parser, ended, watcher.errors.text(), save_resume)
    cause = cause or _other_policy(boot, stats) or _no_times(report)
    return {
        "schema": RUN_SCHEMA,
        "started": started.isoformat(timespec="milliseconds"),
        "config": _config(boot),
        "command": list(command.argv),
        "ok": cause is None,
        "failure": cause,
        "exit": {
            "status": ended.status,
            "signal": ended.signal,
            "killed": ended.killed,
        },
        "engine_start": report.as_json(),
        "phases": report.phases(parser.phases),
        "rounds": report.rounds(parser.rounds),
        "figures": report.figures(parser.figures),
        "resources": {
            **report.resources(ended),
            "peak_mappings": sampler.peak_mappings(),
        },
        "samples": report.samples(sampler.as_json()),
        "timeline": timeline,
        "stats": _stats_json(
            stats,
            no_stats,
            lambda epoch_ms: report.since_epoch(epoch_ms, ended.spawn_epoch_ms),
            boot.keep_tbs,
        ),
        "snapshot": save_resume.report or None,
        "console": watcher.console.as_json(),
        "stderr": watcher.errors.as_json(),
        "provenance": provenance,
    }


def _tier(boot: Boot) -> str | None:
    """The spec of the policy with the budgets of the boot's engine."""
    asked = boot.request.tier
    return None if asked is None else with_budgets(asked, boot.engine.budgets)


def _parser(guest: Guest, markers: Sequence[Marker]) -> ConsoleParser:
    if guest.oopses is None:
        return ConsoleParser(markers, ending=guest.ending)
    return ConsoleParser(markers, (), guest.oopses, guest.ending)


def _served(boot: Boot, scratch: Path, stack: ExitStack) -> tuple[Device, ...]:
    """The devices; programs that serve them run until `stack` closes."""
    return tuple(
        (
            stack.enter_context(device.served(boot.products, scratch))
            if isinstance(device, Served)
            else device
        )
        for device in boot.request.devices
    )


def find_failure(
    boot: Boot,
    parser: ConsoleParser,
    ended: Ended,
    errors: str,
    save_resume: SaveResume | None = None,
) -> dict[str, str] | None:
    """The cause if the boot failed; the guest's own messages take precedence."""
    if parser.panic is not None:
        return failure("panic", parser.panic)
    if parser.oops is not None:
        return failure("oops", parser.oops)
    if save_resume is not None and save_resume.failure is not None:
        said = _last_line(errors)
        return failure("snapshot", save_resume.failure + (f" ({said})" if said else ""))
    if parser.verdict is not None and not parser.verdict[0]:
        return failure("said-failed", parser.verdict[1])
    if ended.killed == "timeout":
        last = parser.phases[-1].phase if parser.phases else "nothing"
        return failure(
            "timeout",
            f"did not end within {boot.timeout_s:g} s; reached {last}; "
            f"last line: {parser.last_line or 'none'}",
        )
    before = save_resume.reached_before() if save_resume is not None else ()
    if parser.verdict is not None:
        return _unreached(boot, parser, before)
    if ended.signal is not None:
        return failure(
            "engine-error", _last_line(errors) or f"killed by signal {ended.signal}"
        )
    end = parser.reached("workload-end")
    if end is not None and end.status:
        return failure("workload", f"workload ended with status {end.status}")
    if save_resume is not None and save_resume.saved and not ended.status:
        return None
    guest = boot.request.guest
    if ended.status != guest.ending.status:
        said = _last_line(errors)
        wanted = f", not {guest.ending.status}" if guest.ending.status else ""
        status = f"exit status {ended.status}{wanted}"
        if not parser.phases and (said or guest.workloads):
            return failure("engine-error", said or status)
        return failure("exit-status", status + (f": {said}" if said else ""))
    if guest.ending.passed is not None:
        wanted = guest.ending.passed.pattern
        return failure("marker-missing", f"it ended without a line like {wanted}")
    return _unreached(boot, parser, before)


def _unreached(
    boot: Boot, parser: ConsoleParser, before: Iterable[str]
) -> dict[str, str] | None:
    guest, workload = boot.request.guest, boot.request.workload
    for phase in _expected_phases(workload) if guest.workloads else guest.expects:
        if phase not in before and parser.reached(phase) is None:
            return failure("marker-missing", f"the guest never reached {phase}")
    return None


def _other_policy(boot: Boot, stats: dict[str, Any] | None) -> dict[str, str] | None:
    """A failure if the engine ran another policy than the one asked for."""
    policy = (stats or {}).get("policy")
    ran = policy.get("spec") if isinstance(policy, dict) else None
    asked = _tier(boot)
    if ran is None or (asked is not None and same_policy(ran, asked)):
        return None
    return failure("engine-error", f"the engine ran policy {ran}, not {asked}")


def _no_times(report: EngineReport) -> dict[str, str] | None:
    """A failure if the start of the boot is unknown, so that the run has no times."""
    if report.problem is None:
        return None
    return failure("engine-error", f"the run has no times: {report.problem}")


def _expected_phases(workload: str) -> tuple[str, ...]:
    if workload.partition(":")[0] in ("none", "shell", "wait", "terminal"):
        return ("init",)
    return ("init", "workload-start", "workload-end")


def _sampler(terminal: Terminal, timeline: Path) -> Sampler:
    def each(sample: Sample) -> None:
        if terminal.sampled is not None:
            terminal.sampled(sample, last_line(timeline))

    return Sampler(each)


def _run(
    command: Command,
    watcher: _Watcher,
    limits: Limits,
    terminal: Terminal,
    sampler: Sampler,
    save_resume: SaveResume,
) -> Ended:
    process = EngineProcess(
        command.argv,
        command.env,
        on_output=watcher.output,
        on_error=watcher.error,
        on_quiet=watcher.quiet,
        limits=limits,
        input_fd=terminal.input_fd,
        hold_input=terminal.hold_input,
        types=save_resume.will_type,
        signals=terminal.signals,
        sampler=sampler,
    )
    watcher.process = process
    save_resume.started(command, process, limits)
    if terminal.started is not None:
        terminal.started(process.pid)
    return process.run()


def require(engine: Engine, request: BootRequest, products: Mapping[str, Path]) -> None:
    """Raise an error unless the engine is there and can do such a boot."""
    refusal = engine.refuses(request)
    if refusal is not None:
        raise TierlabError(
            f"engine '{engine.name}' cannot do this boot of '{request.guest.name}'",
            refusal,
            "choose another engine, guest or setting",
            status=USAGE,
        )
    missing = engine.available(request.guest.arch, products)
    if missing is not None:
        raise TierlabError(
            f"engine '{engine.name}' is not installed",
            missing.why,
            missing.next_step,
        )


def _config(boot: Boot) -> dict[str, Any]:
    request = boot.request
    settings = {
        one.result: _plain(attrgetter(one.boot)(boot)) for one in SETTINGS if one.result
    }
    return {
        **settings,
        "tier": request.tier if request.tier is not None else NO_TIER,
        "policy": dict(boot.policy) if boot.policy is not None else None,
        "machine": request.guest.as_json(),
        "boot_phase": request.guest.boot_phase,
        "devices": [device.as_json() for device in request.devices],
        "profile_sha256": _digest(request.profile),
        "engine_budgets": dict(boot.engine.budgets),
        "repetition": boot.repetition,
        "resumed": boot.restore.snapshot.as_json() if boot.restore else None,
    }


def _plain(value: Any) -> Any:
    """The value as JSON holds it: a list in place of a tuple."""
    return list(value) if isinstance(value, tuple) else value


def _digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def _stats_json(
    stats: dict[str, Any] | None,
    why: str,
    since_start: Callable[[float], float | None],
    keep_tbs: bool,
) -> dict[str, Any]:
    if stats is None:
        return {"present": False, "note": why}
    counters = stats.get("counters")
    counters = counters if isinstance(counters, dict) else {}
    return {
        "present": True,
        "policy": stats.get("policy"),
        "counters": counters,
        "first_insn_ms": _first_insn(counters, since_start),
        "wait_ms_median": _median_wait(stats.get("tbs")),
        "tbs": pack_tbs(stats.get("tbs")) if keep_tbs else None,
    }


def _median_wait(tbs: Any) -> float | None:
    """The median time in ms from a TB's first hot event to its compiled code."""
    if not isinstance(tbs, dict) or "wait_ns" not in tbs.get("columns", ()):
        return None
    column = tbs["columns"].index("wait_ns")
    waits = [row[column] for row in tbs["rows"] if row[column]]
    return round(statistics.median(waits) / 1e6, 4) if waits else None


def _first_insn(
    counters: Mapping[str, Any], since_start: Callable[[float], float | None]
) -> float | None:
    epoch = counters.get("first_insn_epoch_ms")
    if not isinstance(epoch, (int, float)) or epoch <= 0:
        return None
    return since_start(float(epoch))


def _last_line(text: str) -> str:
    """The engine's last line that is no warning: a warning is no cause of a failure."""
    lines = [clean_line(line.encode()).strip() for line in text.splitlines()]
    causes = (line for line in reversed(lines) if line and "warning: " not in line)
    return next(causes, "")


def result_name(result: Mapping[str, Any], number: int) -> str:
    """File name of a result: the run's number, then its configuration."""
    config = result["config"]
    tier = "" if config["tier"] == NO_TIER else f"-{config['tier']}"
    stem = f"{config['guest']}-{config['engine']}{tier}"
    for switch in SWITCHES:
        stem += f"-{config[switch.result]}" if config[switch.result] else ""
    stem = safe_name(f"{stem}-{config['workload']}")[:NAME_MAX]
    return f"{number:04d}-{stem}-r{config['repetition']}.json"


def safe_name(text: str) -> str:
    """The text with `_` in place of characters that do not suit a file's name."""
    return "".join(c if c.isalnum() or c in "-._=" else "_" for c in text)


def utc_stamp() -> str:
    """The present time in the form of directory names."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
