"""Result files -> typed rows.  The reader refuses files that it would misread."""

from __future__ import annotations

import base64
import itertools
import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.refusals import engine_said, refusals, warnings
from analysis.schema import RESUMED, RUN_SCHEMA, RUNS_DIR, SWITCHES

Key = tuple[str, str, str, str, str]

# Whose sum is compile_ms.
COMPILE_COUNTERS = ("emit_ns", "instantiate_ns")

# A round that takes this many times a steady round still warms up.
UNSTEADY = 1.1


class LoadError(Exception):
    """A result that cannot be read; the message is one line."""


@dataclass(frozen=True)
class Figure:
    """A number that the guest measured itself."""

    name: str
    value: float
    unit: str
    # Whether more of it is better, as of a rate; else less is, as of a time.
    more: bool = True


@dataclass(frozen=True)
class Run:
    """One boot, reduced to what statistics need."""

    guest: str
    tier: str
    engine: str
    workload: str
    ok: bool
    failure: str | None
    message: str
    phases: Mapping[str, float]
    wall_ms: float
    cpu_ms: float
    peak_rss_mib: float
    counters: Mapping[str, float] = field(default_factory=dict)
    first_insn_ms: float | None = None
    switches: str = ""
    # The tier without the parameters that have the policy's defaults.
    short: str = ""
    boot_phase: str = "init"
    # Of a workload that is one program, or of which no round says its program.
    rounds_ms: tuple[float, ...] = ()
    # The times of each program's rounds, where several programs take turns.
    turns_ms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    peak_mappings: int | None = None
    wait_ms: float | None = None
    # Whether the run resumed a saved machine instead of booting.
    resumed: bool = False
    # What the engine said to the first module that it refused.
    engine_said: str = ""

    @property
    def key(self) -> Key:
        """Runs with equal keys are repetitions of one configuration."""
        return (self.guest, self.engine, self.tier, self.workload, self.switches)

    @property
    def resume_ms(self) -> float | None:
        """Process start to the moment at which the saved machine goes on."""
        return self.phases.get("resume")

    @property
    def answer_ms(self) -> float | None:
        """From the resume to the start of the workload that the guest was told."""
        start, resume = self.phases.get("workload-start"), self.resume_ms
        return None if start is None or resume is None else start - resume

    @property
    def boot_ms(self) -> float | None:
        """Process start to init; of a guest without one, to the end."""
        return self.wall_ms if self.boot_phase == "exit" else self.phases.get("init")

    @property
    def workload_ms(self) -> float | None:
        """Workload start to its end; no figure where there is no workload."""
        if self.workload in ("none", f"none{RESUMED}"):
            return None
        start = self.phases.get("workload-start")
        end = self.phases.get("workload-end")
        return None if start is None or end is None else end - start

    @property
    def steady_ms(self) -> float | None:
        """The median of the last half of the workload's rounds.

        The first half warms up.  A single round has no steady half: None.
        """
        return steady(self.rounds_ms)

    @property
    def settled_ms(self) -> float | None:
        """Time of the rounds up to the last that is not yet steady."""
        if self.steady_ms is None:
            return None
        slow = [ms > self.steady_ms * UNSTEADY for ms in self.rounds_ms]
        last = max((n for n, is_slow in enumerate(slow, start=1) if is_slow), default=0)
        return sum(self.rounds_ms[:last])

    @property
    def lost_ms(self) -> float | None:
        """The time that the rounds took beyond as many steady rounds."""
        if self.steady_ms is None:
            return None
        return sum(self.rounds_ms) - len(self.rounds_ms) * self.steady_ms

    @property
    def programs_ms(self) -> dict[str, tuple[float, ...]]:
        """The times of the rounds of each program, the workload's or several."""
        own = {re.split("[: ]", self.workload)[0]: self.rounds_ms}
        return {**(own if self.rounds_ms else {}), **self.turns_ms}

    def counter(self, name: str, scale: float = 1.0) -> float | None:
        """A counter, scaled; None if the runtime does not have it."""
        value = self.counters.get(name)
        return None if value is None else value * scale

    def per(self, total: str, count: str, scale: float = 1.0) -> float | None:
        """One counter divided by another."""
        if total not in self.counters or not self.counters.get(count):
            return None
        return self.counters[total] / self.counters[count] * scale

    @property
    def compile_ms(self) -> float | None:
        """Time to write modules and to have the engine take them.

        That is emission, and the engine's validation and instantiation, of the
        modules that were installed.  Not in it is what the engine compiles later:
        V8 compiles a function when it is first called, and again in the background
        when it is hot.
        """
        parts = [self.counter(name, 1e-6) for name in COMPILE_COUNTERS]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    @property
    def refusals(self) -> dict[str, int]:
        """TBs that could not be compiled although they should have been."""
        return refusals(self.counters)

    @property
    def warnings(self) -> list[str]:
        """What a reader of the run's times has to know, a line each."""
        return warnings(self.refusals, self.engine_said)

    @property
    def translate_us(self) -> float | None:
        """Mean time to translate a TB from guest code to bytecode."""
        return self.per("translate_ns", "tbs_translated", 1e-3)


def steady(rounds_ms: Sequence[float]) -> float | None:
    """The median of the last half of the rounds; None if there is one or none."""
    if len(rounds_ms) < 2:
        return None
    return float(np.median(rounds_ms[len(rounds_ms) // 2 :]))


def run_from_json(raw: Any, where: str = "result") -> Run:
    """Check a result's schema and take from it what a Run holds."""
    if not isinstance(raw, dict) or "schema" not in raw:
        raise LoadError(f"{where}: not a tierlab result")
    if raw["schema"] != RUN_SCHEMA:
        raise LoadError(
            f"{where}: result schema {raw['schema']!r}, "
            f"but this version reads schema {RUN_SCHEMA}"
        )
    try:
        return _run(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise LoadError(f"{where}: damaged result ({error!r})") from error


def load_run(path: Path) -> Run:
    """Read one result file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise LoadError(f"{path}: not JSON ({error})") from error
    return run_from_json(raw, str(path))


def load_runs(results: Path) -> list[Run]:
    """All runs of a results directory, in the order they were made."""
    directory = results / RUNS_DIR
    if not directory.is_dir():
        raise LoadError(f"{results}: no {RUNS_DIR}/ in it; not a results directory")
    return [load_run(path) for path in sorted(directory.glob("*.json"))]


def unpack_tbs(packed: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The per-TB table of a result, by column."""
    try:
        columns = json.loads(zlib.decompress(base64.b64decode(packed["data"])))
        return dict(zip(packed["columns"], columns, strict=True))
    except (KeyError, ValueError, zlib.error) as error:
        raise LoadError(f"damaged per-TB table ({error!r})") from error


def by_key(runs: Iterable[Run]) -> dict[Key, list[Run]]:
    """Group repetitions, keeping the order of first appearance."""
    groups: dict[Key, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.key, []).append(run)
    return groups


def _run(raw: Mapping[str, Any]) -> Run:
    config, resources, stats = raw["config"], raw["resources"], raw["stats"]
    failure = raw["failure"] or {}
    counters = stats.get("counters") or {}
    first_insn = stats.get("first_insn_ms")
    times = _rounds(raw.get("rounds") or ())
    return Run(
        guest=str(config["guest"]),
        tier=str(config["tier"]),
        short=str((config.get("policy") or {}).get("short", config["tier"])),
        boot_phase=str(config.get("boot_phase", "init")),
        engine=str(config["engine"]),
        workload=str(config["workload"]) + (RESUMED if config.get("resumed") else ""),
        resumed=bool(config.get("resumed")),
        ok=bool(raw["ok"]),
        failure=failure.get("kind"),
        message=str(failure.get("message", "")),
        phases={
            str(p["phase"]): float(p["host_ms"])
            for p in raw["phases"]
            if p["host_ms"] is not None
        },
        wall_ms=_known(resources["wall_ms"]),
        cpu_ms=_known(resources["user_ms"]) + _known(resources["system_ms"]),
        peak_rss_mib=_known(resources["peak_rss_mib"]),
        counters={
            str(k): float(v)
            for k, v in counters.items()
            if isinstance(v, (int, float)) and not isinstance(v, bool)
        },
        first_insn_ms=None if first_insn is None else float(first_insn),
        switches=" ".join(f"{s}={config[s]}" for s in SWITCHES if config.get(s)),
        rounds_ms=times.pop(None, ()),
        turns_ms={name: each for name, each in times.items() if name is not None},
        # Results of earlier versions have no figures.
        figures=tuple(_figure(one) for one in raw.get("figures") or ()),
        peak_mappings=resources.get("peak_mappings"),
        wait_ms=stats.get("wait_ms_median"),
        engine_said=engine_said((raw.get("stderr") or {}).get("text") or ""),
    )


def _known(value: float | None) -> float:
    """A figure, or NaN if the engine cannot tell it: a page knows no processes."""
    return math.nan if value is None else float(value)


def _figure(raw: Mapping[str, Any]) -> Figure:
    return Figure(
        str(raw["name"]),
        float(raw["value"]),
        str(raw["unit"]),
        raw["better"] != "less",
    )


def _rounds(
    rounds: Sequence[Mapping[str, Any]],
) -> dict[str | None, tuple[float, ...]]:
    """The times of each program's rounds; those of one program alone under None.

    The time before the first marker is no round. Results of earlier versions do not
    say whose round it was.
    """
    known = [one for one in rounds if one["host_ms"] is not None]
    times: dict[str | None, tuple[float, ...]] = {}
    for before, one in itertools.pairwise(known):
        name = one.get("of")
        took = float(one["host_ms"]) - float(before["host_ms"])
        times[name] = (*times.get(name, ()), took)
    return times
