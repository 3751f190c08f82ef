"""How much of a core an idle guest uses: its shell waits, and nobody types.

The guest boots to the prompt; then the harness measures the engine's CPU time over
some seconds.  CPU time, unlike wall time, does not depend on how busy the host is.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.schema import failure
from bench.base.interrupt import Deferred
from bench.guests.names import SHELL
from bench.harness.run.boot import Boot, Terminal, run_boot

# After this time at the prompt, work that the boot left behind is done.
SETTLE_S = 2.0
MEASURE_S = 4.0
GOODBYE = b"exit\n"


class _Meter:
    """Measures the engine's CPU time in a thread of its own, from the prompt on."""

    def __init__(self, typist: int) -> None:
        self.share: float | None = None
        self._typist = typist
        self._pid = 0
        self._thread: threading.Thread | None = None

    def started(self, pid: int) -> None:
        """Note the engine's process, which has started."""
        self._pid = pid

    def prompt(self) -> None:
        """Start to measure: the guest has shown its prompt."""
        self._thread = threading.Thread(target=self._measure)
        self._thread.start()

    def join(self) -> None:
        """Wait for the measurement, if there was one."""
        if self._thread is not None:
            self._thread.join()

    def failure(self) -> dict[str, str]:
        """Why there is no measurement although the boot itself succeeded."""
        if self._thread is None:
            message = "the guest never showed its prompt"
            return failure("marker-missing", message)
        message = "the CPU time of the engine's process could not be read"
        return failure("engine-error", message)

    def _measure(self) -> None:
        time.sleep(SETTLE_S)
        before, start = _cpu_seconds(self._pid), time.monotonic()
        time.sleep(MEASURE_S)
        after, end = _cpu_seconds(self._pid), time.monotonic()
        if before is not None and after is not None:
            self.share = (after - before) / (end - start)
        os.write(self._typist, GOODBYE)


def idle_share(
    boot: Boot, shared: Mapping[str, Any], signals: Deferred | None = None
) -> dict[str, Any]:
    """The boot's result, with `idle_share` (of one core; None if it failed).

    A boot without a measurement is a failed boot.
    """
    boot = replace(boot, request=replace(boot.request, workload=SHELL))
    reader, typist = os.pipe()
    try:
        meter = _Meter(typist)
        terminal = Terminal(
            input_fd=reader,
            signals=signals,
            started=meter.started,
            prompt=meter.prompt,
        )
        try:
            result = run_boot(boot, shared, terminal)
        finally:
            meter.join()
    finally:
        os.close(reader)
        os.close(typist)
    if result["ok"] and meter.share is None:
        result["ok"], result["failure"] = False, meter.failure()
    share = meter.share if result["ok"] else None
    result["idle_share"] = None if share is None else round(share, 4)
    return result


def _cpu_seconds(pid: int) -> float | None:
    """User and system time of all threads of a process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    words = stat.rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
