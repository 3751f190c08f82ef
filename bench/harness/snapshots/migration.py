"""Saves and resumes a running machine, over QEMU's control channel.

    resume: QEMU was started with -incoming defer
        migrate-incoming file:..., wait until the migration is completed; cont
    save: when the console shows the marker
        stop; migrate file:..., wait until the migration is completed; quit

Each transfer has a thread of its own, because it takes seconds, and the harness must
read the console meanwhile.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engines.base import Streams
from bench.guests.guest import Guest, Marker
from bench.harness.process.control import Control, ControlError
from bench.harness.snapshots.file import Snapshot

# The phase of a marker that the user names (text:...).
SAVE_PHASE = "save-marker"
RESUME_PHASE = "resume"
TEXT = "text:"

# How long QEMU may take to write or read the machine.
TRANSFER_S = 600.0
# The limit of QEMU's speed in bytes a second, so high that it has no effect; QEMU's
# default is meant for networks. The value must fit wasm32's size_t.
BANDWIDTH = (1 << 32) - 1


@dataclass(frozen=True)
class Save:
    """Where to save the machine, and when: a phase, or text:SOMETHING."""

    path: Path
    at: str

    @property
    def phase(self) -> str:
        """The phase that the console's parser reports."""
        return SAVE_PHASE if self.at.startswith(TEXT) else self.at

    def markers(self, guest: Guest) -> tuple[Marker, ...]:
        """The guest's markers, and a marker for the user's text if there is one."""
        if not self.at.startswith(TEXT):
            return guest.markers
        match = re.compile(re.escape(self.at.removeprefix(TEXT)))
        return (*guest.markers, Marker(SAVE_PHASE, match))


@dataclass(frozen=True)
class Restore:
    """The machine to resume, and the line that names its workload if it waits."""

    snapshot: Snapshot
    # The line to type at the machine's prompt.
    line: str | None = None

    @property
    def at_prompt(self) -> bool:
        """Whether the machine was at its prompt when it was saved."""
        return "prompt" in self.snapshot.facts.phases


class Transfer:
    """Saves and resumes the machine of one run over its control channel."""

    def __init__(self, control: Path, streams: Streams) -> None:
        self._path = control
        self._streams = streams
        self._threads: list[threading.Thread] = []
        # Why the transfer failed, in one line.
        self.failure: str | None = None
        # Time of the save by the monotonic clock; 0 until then.
        self.saved_ms = 0.0

    def resume(
        self,
        now_ms: Callable[[], float],
        resumed: Callable[[float], None],
        failed: Callable[[], None],
    ) -> None:
        """Begin to load the machine; `resumed` gets the time at which it continues."""

        def work(control: Control) -> None:
            uri = f"file:{self._streams.incoming}"
            arguments: dict[str, Any] = {"uri": uri, "exit-on-error": False}
            control.execute("migrate-incoming", **arguments)
            _wait_completed(control)
            at_ms = now_ms()
            control.execute("cont")
            resumed(at_ms)

        self._start("cannot resume", work, failed)

    def save(self, failed: Callable[[], None]) -> None:
        """Begin to save the machine; QEMU ends when it is saved."""

        def work(control: Control) -> None:
            control.execute("stop")
            control.execute("migrate-set-parameters", **{"max-bandwidth": BANDWIDTH})
            control.execute("migrate", uri=f"file:{self._streams.outgoing}")
            _wait_completed(control)
            self.saved_ms = time.monotonic() * 1000
            control.quit()

        self._start("cannot save", work, failed)

    def join(self) -> None:
        """Wait for the thread; called when QEMU has ended."""
        for thread in self._threads:
            thread.join()

    def _start(
        self, what: str, work: Callable[[Control], None], failed: Callable[[], None]
    ) -> None:
        def run() -> None:
            try:
                control = Control(self._path)
                try:
                    _want_events(control)
                    work(control)
                finally:
                    control.close()
            except ControlError as error:
                self.failure = f"{what}: {error}"
                failed()

        thread = threading.Thread(target=run, name=what, daemon=True)
        self._threads.append(thread)
        thread.start()


def _want_events(control: Control) -> None:
    events = [{"capability": "events", "state": True}]
    control.execute("migrate-set-capabilities", capabilities=events)


def _wait_completed(control: Control) -> None:
    while True:
        status = control.event("MIGRATION", TRANSFER_S).get("status")
        if status == "completed":
            return
        if status in ("failed", "cancelled"):
            said = control.execute("query-migrate") or {}
            raise ControlError(str(said.get("error-desc", f"migration {status}")))
