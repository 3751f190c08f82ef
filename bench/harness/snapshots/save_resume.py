"""The steps that saving and resuming add before, during and after one run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.schema import NO_TIER
from bench.engines.base import BootRequest, Command, tsc_khz
from bench.guests.guest import Guest, Marker
from bench.guests.names import WAIT
from bench.harness.process.console import Phase
from bench.harness.process.process import EngineProcess, Limits
from bench.harness.snapshots.file import Facts, write_snapshot
from bench.harness.snapshots.migration import RESUME_PHASE, Restore, Save, Transfer


def machine_facts(request: BootRequest, qemu: str) -> Facts:
    """The facts of the machine that a request would boot."""
    guest = request.guest
    return Facts(
        guest=guest.name,
        machine=guest.as_json(),
        files=guest.provenance()["files"],
        qemu=qemu,
        memory_mib=request.memory,
        smp=request.cpus,
        icount=request.icount,
        devices=[device.as_json() for device in request.devices],
        workload=request.workload,
        booted_for=request.workload,
        seed=request.seed,
        marker="",
        phases=[],
        engine="",
        tier=request.tier or NO_TIER,
        saved="",
        console={},
    )


class SaveResume:
    """Saves and resumes the machine of one run.

    run_boot() makes it before the engine's command, tells it of the run's events, and
    asks it for the outcome at the end.
    """

    def __init__(
        self, save: Save | None, restore: Restore | None, scratch: Path
    ) -> None:
        self._save = save
        self._restore = restore
        self._control = scratch / "control"
        self._incoming = scratch / "incoming"
        self._outgoing = scratch / "outgoing"
        self._transfer: Transfer | None = None
        self._process: EngineProcess | None = None
        self._limits = Limits()
        self._line = restore.line if restore else None
        self._workload = ""
        self._asked_ms: float | None = None
        self._resumed: Phase | None = None
        self._took_ms: float | None = None
        self.failure: str | None = None
        self.report: dict[str, Any] = {}

    def markers(self, guest: Guest) -> tuple[Marker, ...]:
        """The markers that the harness searches the console for."""
        return self._save.markers(guest) if self._save else guest.markers

    def request(self, request: BootRequest) -> BootRequest:
        """The request with the channel and streams; unpacks the machine to resume."""
        if self._save is None and self._restore is None:
            return request
        self._workload = request.workload
        request = replace(request, control=self._control)
        if self._save is not None:
            request = replace(request, stream_out=self._outgoing)
        if self._restore is not None:
            snapshot = self._restore.snapshot
            snapshot.unpack(self._incoming)
            # Start QEMU with the settings that the saved machine had.
            request = replace(
                request,
                stream_in=self._incoming,
                workload=snapshot.facts.booted_for,
                tsc_khz=snapshot.facts.tsc_khz,
                seed=snapshot.facts.seed,
            )
        return request

    def started(self, command: Command, process: EngineProcess, limits: Limits) -> None:
        """QEMU's process has started: begin to resume, if that is asked for."""
        self._process = process
        self._limits = limits
        if self._save is None and self._restore is None:
            return
        self._transfer = Transfer(self._control, command.streams)
        if self._restore is not None:
            began = process.now_ms()

            def resumed(at_ms: float) -> None:
                self._resumed = Phase(RESUME_PHASE, round(at_ms, 3))
                self._took_ms = at_ms - began
                process.call(self._go_on)

            self._transfer.resume(process.now_ms, resumed, self._failed)

    def _go_on(self) -> None:
        """Type the workload or release input: the machine may be at its prompt."""
        if self._process is None or self._restore is None:
            return
        if self._restore.at_prompt and not self._type():
            self._process.release_input()

    def reached(self, phases: Iterable[Phase]) -> None:
        """The guest reached these phases: type at the prompt, or begin to save."""
        for phase in phases:
            if phase.phase == "prompt":
                self._type()
            if self._save and self._transfer and phase.phase == self._save.phase:
                self._asked_ms = time.monotonic() * 1000
                self._transfer.save(self._failed)

    @property
    def will_type(self) -> bool:
        """Whether the harness, not the user, types at the guest's prompt."""
        return self._line is not None

    def ended(
        self,
        request: BootRequest,
        engine: str,
        qemu: str,
        phases: list[Phase],
        console: Mapping[str, Any],
    ) -> None:
        """QEMU has ended: write the saved machine to the user's file."""
        if self._transfer is None:
            return
        self._transfer.join()
        self.failure = self._transfer.failure
        if self._resumed is not None:
            phases.insert(0, self._resumed)
            self.report["resumed"] = {"load_ms": round(self._took_ms or 0, 3)}
        if self._save is None or self.failure:
            return
        if self._asked_ms is None:
            self.failure = f"the guest never reached {self._save.at}: nothing was saved"
            return
        facts = replace(
            machine_facts(request, qemu),
            marker=self._save.at,
            phases=[*self.reached_before(), *(phase.phase for phase in phases)],
            workload=WAIT if self.will_type else self._workload,
            engine=engine,
            tsc_khz=tsc_khz(request, engine),
            saved=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            console=dict(console),
        )
        snapshot = write_snapshot(self._save.path, facts, self._outgoing)
        self.report["saved"] = {
            "path": str(self._save.path),
            "bytes": self._save.path.stat().st_size,
            "stream_bytes": snapshot.facts.stream_bytes,
            "packed_sha256": snapshot.facts.packed_sha256,
            "save_ms": round(self._transfer.saved_ms - self._asked_ms, 3),
        }

    @property
    def saved(self) -> bool:
        """Whether the machine was saved, which ends the run well."""
        return "saved" in self.report

    def reached_before(self) -> tuple[str, ...]:
        """The phases that the resumed machine had reached before it was saved."""
        return tuple(self._restore.snapshot.facts.phases) if self._restore else ()

    def _type(self) -> bool:
        """Type the workload's line once; False if there is no line to type."""
        if self._line is None or self._process is None:
            return False
        line, self._line = self._line, None
        self._process.send(line.encode() + b"\n")
        return True

    def _failed(self) -> None:
        def end() -> None:
            self._limits.asked = ("snapshot", 0.0)

        if self._process is not None:
            self._process.call(end)
