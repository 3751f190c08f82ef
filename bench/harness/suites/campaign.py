"""A comparison: many boots, interleaved, each result on disk at once.

The campaign makes one run at a time, in one block of rounds for each guest.  Every
round runs each configuration of the guest once, in an order shuffled by the seed, so
that slow drift of the host affects all configurations alike.  All runs of one round
share a seed.  Each guest has its own block, because nothing is compared across guests:
the results of one guest are complete before the products of the next one are built.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from analysis.load import Run, run_from_json
from analysis.schema import (
    IDLE_FILE,
    NO_TIER,
    PROFILES_DIR,
    RUNS_DIR,
    SNAPSHOTS_DIR,
    SUMMARY_FILE,
)
from analysis.summary import summary_document
from bench.base.files import make_directory, write_json
from bench.base.interrupt import Deferred
from bench.engines.base import BootRequest, Engine, Switches
from bench.guests.devices.base import Device
from bench.guests.guest import Guest
from bench.guests.names import WAIT
from bench.harness.checks.idle import idle_share
from bench.harness.run.boot import (
    Boot,
    Terminal,
    result_name,
    run_boot,
    timeout_of,
    utc_stamp,
)
from bench.harness.run.equip import equipped
from bench.harness.run.policies import Policy
from bench.harness.run.profile import SEED_TIER, seed
from bench.harness.snapshots.file import Snapshot
from bench.harness.suites.saved_machines import given_machine, made_machine, resumed
from bench.harness.suites.suite import Suite, combined, shared_settings

DEFAULT_OUT = "results"


@dataclass(frozen=True)
class Configuration:
    """One of the things compared; `tier` is None for an engine without tiers."""

    guest: str
    engine: str
    tier: str | None
    workload: str
    switches: Switches = Switches()

    def label(self) -> str:
        """The configuration as the progress line shows it."""
        words = [self.guest, self.engine, self.tier or NO_TIER, self.workload]
        return " ".join([*words, *self.switches.words()])


@dataclass(frozen=True)
class Idle:
    """The boot of an idle guest: its part of a core, or why the boot failed."""

    configuration: Configuration
    share: float | None
    failure: Mapping[str, str] | None

    def as_json(self) -> dict[str, Any]:
        """The measurement in the form of summary.json."""
        where = self.configuration
        return {
            "guest": where.guest,
            "engine": where.engine,
            "tier": where.tier or NO_TIER,
            "switches": " ".join(where.switches.words()),
            "share": self.share,
            "failure": None if self.failure is None else dict(self.failure),
        }


@dataclass
class Campaign:
    """A comparison under way, and what it has found so far."""

    suite: Suite
    guests: Mapping[str, Guest]
    engines: Mapping[str, Engine]
    policies: Sequence[Policy]
    products: Mapping[str, Path]
    provenance: Mapping[str, Any]
    directory: Path
    devices: tuple[Device, ...] = ()
    runs: list[Run] = field(default_factory=list)
    # The measurement of an idle guest; None if there was none.
    idle: Idle | None = None
    _saved: dict[str, Snapshot] = field(default_factory=dict)
    _profiles: dict[tuple[str, str], Path] = field(default_factory=dict)

    def configurations(self) -> list[Configuration]:
        """All configurations; tiers do not multiply those of engines without tiers."""
        found = []
        for guest, workload, engine in product(
            self.suite.guests, self.suite.workloads, self.suite.engines
        ):
            if not self.engines[engine].has_tiers:
                found.append(Configuration(guest, engine, None, workload))
                continue
            found += [
                Configuration(guest, engine, policy.spec, workload, switches)
                for policy in self.policies
                for switches in combined(self.suite)
            ]
        return found

    def schedule(self) -> list[tuple[int, Configuration]]:
        """(repetition, configuration) in the order in which they will run."""
        return [entry for guest in self.suite.guests for entry in self.block(guest)]

    def block(self, guest: str) -> list[tuple[int, Configuration]]:
        """The part of the schedule that boots this guest."""
        order = []
        for repetition in range(1, self.suite.runs + 1):
            once = [c for c in self.configurations() if c.guest == guest]
            random.Random(f"{self.suite.seed}:{repetition}").shuffle(once)
            order += [(repetition, configuration) for configuration in once]
        return order

    def run(
        self,
        before: Callable[[int, int, Configuration], None],
        after: Callable[[Run], None],
        signals: Deferred | None = None,
        seeding: Callable[[Configuration], None] = lambda _: None,
    ) -> None:
        """Make every run: the block of each guest."""
        for guest in self.suite.guests:
            self.run_block(guest, before, after, signals, seeding)

    def run_block(
        self,
        guest: str,
        before: Callable[[int, int, Configuration], None],
        after: Callable[[Run], None],
        signals: Deferred | None = None,
        seeding: Callable[[Configuration], None] = lambda _: None,
    ) -> None:
        """Make all runs of one guest, and write the summary after each.

        Before the runs come the boots that save a machine to resume, and those that
        make profiles for policies.
        """
        terminal = Terminal(signals=signals)
        make_directory(self.directory / RUNS_DIR)
        self.write_summary()
        self._save(guest, terminal, seeding)
        self._seed(guest, terminal, seeding)
        planned = len(self.schedule())
        for repetition, configuration in self.block(guest):
            number = len(self.runs) + 1
            before(number, planned, configuration)
            boot = self._boot(repetition, configuration)
            result = run_boot(boot, self.provenance, terminal)
            name = result_name(result, number)
            write_json(self.directory / RUNS_DIR / name, result)
            run = run_from_json(result, name)
            self.runs.append(run)
            self.write_summary()
            after(run)
            if signals is not None:
                signals.check()

    def idle_configuration(self) -> Configuration | None:
        """The configuration for the measurement of an idle guest, if the suite asks.

        That is the first guest on the first engine with tiers, if there is one, under
        the last tier.
        """
        if not self.suite.idle:
            return None
        first = [c for c in self.configurations() if c.guest == self.suite.guests[0]]
        tiered = [c for c in first if c.tier is not None] or first
        return [c for c in tiered if c.engine == tiered[0].engine][-1]

    def measure_idle(self, signals: Deferred | None = None) -> Idle | None:
        """Boot once more, to a prompt, and measure the CPU time of an idle guest.

        None if the suite does not ask for this measurement.
        """
        where = self.idle_configuration()
        if where is None:
            return None
        result = idle_share(self._boot(1, where), self.provenance, signals)
        write_json(self.directory / IDLE_FILE, result)
        self.idle = Idle(where, result["idle_share"], result["failure"])
        self.write_summary()
        return self.idle

    @property
    def failed(self) -> bool:
        """Whether a run failed, or the boot of an idle guest."""
        idle_failed = self.idle is not None and self.idle.failure is not None
        return idle_failed or any(not run.ok for run in self.runs)

    def document(self) -> dict[str, Any]:
        """The present contents of summary.json."""
        settings = {
            **asdict(self.suite),
            "tiers": [p.spec for p in self.policies],
            "planned": len(self.schedule()),
            "done": len(self.runs),
        }
        idle = None if self.idle is None else self.idle.as_json()
        return summary_document(self.runs, self.provenance, settings, idle)

    def write_summary(self) -> None:
        """Write the summary of the finished runs to disk."""
        write_json(self.directory / SUMMARY_FILE, self.document())

    def _boot(self, repetition: int, configuration: Configuration) -> Boot:
        policy = self._policy(configuration)
        profile = policy.profile if policy else None
        if policy is not None and policy.wants_seed:
            profile = self._profiles.get((configuration.guest, configuration.workload))
        request = replace(
            suite_request(self.suite, self.guests[configuration.guest]),
            workload=configuration.workload,
            tier=configuration.tier,
            switches=configuration.switches,
            engine_flags=self.suite.engine_flags if policy else (),
            profile=profile,
            devices=(*self.guests[configuration.guest].devices, *self.devices),
            seed=(self.suite.seed + repetition - 1) % 2**32,
        )
        # A saved machine has the disks of all workloads that it may be told to run.
        workloads = self.suite.workloads if self._resumes else [configuration.workload]
        request = equipped(request, self.products, workloads)
        boot = Boot(
            engine=self.engines[configuration.engine],
            request=request,
            products=self.products,
            timeout_s=timeout_of(request.guest, self.suite.timeout),
            policy=policy.facts if policy else None,
            repetition=repetition,
        )
        saved = self._saved.get(configuration.guest)
        return resumed(boot, saved) if saved else boot

    @property
    def _resumes(self) -> bool:
        return self.suite.resume or bool(self.suite.restore)

    def _save(
        self, guest: str, terminal: Terminal, before: Callable[[Configuration], None]
    ) -> None:
        """Provide the machine to resume: the user's file, or one saved by a boot.

        That boot uses an engine without tiers if there is one.
        """
        if self.suite.restore:
            snapshot = given_machine(Path(self.suite.restore))
            self._saved = {snapshot.facts.guest: snapshot}
        elif self.suite.resume:
            plain = [c for c in self.configurations() if c.tier is None]
            found = [c for c in plain or self.configurations() if c.guest == guest]
            before(replace(found[0], workload=WAIT))
            self._saved[guest] = made_machine(
                self.directory / SNAPSHOTS_DIR,
                self._boot(1, found[0]),
                lambda boot: run_boot(boot, self.provenance, terminal),
            )

    def _policy(self, configuration: Configuration) -> Policy | None:
        return next((p for p in self.policies if p.spec == configuration.tier), None)

    def _seed(
        self, guest: str, terminal: Terminal, before: Callable[[Configuration], None]
    ) -> None:
        for configuration in self.configurations():
            if configuration.guest != guest:
                continue
            policy = self._policy(configuration)
            key = (configuration.guest, configuration.workload)
            if policy is None or not policy.wants_seed or key in self._profiles:
                continue
            before(replace(configuration, tier=SEED_TIER, switches=Switches()))
            boot = self._boot(1, replace(configuration, switches=Switches()))
            self._profiles[key] = seed(
                self.directory / PROFILES_DIR,
                boot,
                lambda earlier: run_boot(earlier, self.provenance, terminal),
            )


def suite_request(suite: Suite, guest: Guest) -> BootRequest:
    """The part of the request that all boots of a guest in a comparison share."""
    return BootRequest(guest, **shared_settings(suite))


def results_directory(out: Path | None) -> Path:
    """The directory for this comparison's results.

    That is the user's directory, unless it holds a comparison already. In that case,
    and by default, it is a new directory inside, named by time and a short random id.
    """
    base = out if out is not None else Path(DEFAULT_OUT)
    if out is not None and not _holds_results(out):
        make_directory(out)
        return out
    path = base / f"{utc_stamp()}-{secrets.token_hex(3)}"
    make_directory(path)
    return path


def _holds_results(path: Path) -> bool:
    return (path / SUMMARY_FILE).exists() or (path / RUNS_DIR).exists()
