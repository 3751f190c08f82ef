"""The samples of a running engine, and the engine's own timeline."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.harness.process.sampler import Sampler
from bench.harness.process.timeline import last_line, read_timeline
from bench.harness.run.boot import Boot, Terminal, run_boot
from bench.testing import fakes
from bench.testing.fakes import FakeEngine, Scenario


def test_a_process_has_memory_and_mappings() -> None:
    found = Sampler()
    found.poll(os.getpid(), 0.0)
    ((at, rss, mappings),) = found.samples
    assert at == 0.0 and rss > 1.0
    assert mappings is not None and mappings > 10
    assert found.peak_mappings() == mappings


def test_samples_are_taken_when_they_are_due() -> None:
    found = Sampler()
    for at in (0.0, 500.0, 999.0, 1000.0, 1500.0, 2100.0):
        found.poll(os.getpid(), at)
    assert [at for at, _, _ in found.samples] == [0.0, 1000.0, 2100.0]
    assert found.wait_ms(2600.0) == 500.0


def test_counting_that_is_dear_becomes_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    # Each count of the mappings takes a second of CPU time.
    monkeypatch.setattr(time, "process_time", lambda: float(next(clock)))
    found = Sampler()
    for at in range(0, 150_000, 1000):
        found.poll(os.getpid(), float(at))
    counted = [at for at, _, mappings in found.samples if mappings is not None]
    assert counted == [0.0, 100_000.0]
    assert len(found.samples) == 150


def test_a_process_that_is_gone_gives_no_sample() -> None:
    found = Sampler()
    found.poll(2**22 + 1, 0.0)
    assert found.samples == [] and found.peak_mappings() is None


TIMELINE = '{"t_ms": 500, "modules": 3}\n{"t_ms": 1000, "modules": 5, "slots": 9}\n{"t'


def test_a_timeline_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "t"
    assert read_timeline(path) is None and last_line(path) == {}
    path.write_text(TIMELINE)
    assert read_timeline(path) == {
        "columns": ["t_ms", "modules", "slots"],
        "rows": [[500, 3, None], [1000, 5, 9]],
    }
    assert last_line(path) == {"t_ms": 1000, "modules": 5, "slots": 9}


def test_a_result_holds_samples_timeline_and_rounds(
    guest: Guest, fake: FakeEngine
) -> None:
    seen: list[object] = []
    scenario: Scenario = [
        {"timeline": TIMELINE},
        {"sleep": 1.3},
        {"say": fakes.KERNEL + fakes.INIT + fakes.START + fakes.ROUNDS + fakes.END},
    ]
    fake.scenarios = {"": scenario}
    boot = Boot(fake, BootRequest(guest, workload="sha256", tier="never"), {}, 60.0)
    terminal = Terminal(sampled=lambda sample, last: seen.append(last.get("modules")))
    result = run_boot(boot, {}, terminal)
    assert result["ok"]
    assert result["timeline"]["rows"] == [[500, 3, None], [1000, 5, 9]]
    assert [r["n"] for r in result["rounds"]] == [0, 1, 2, 3, 4]
    rows = result["samples"]["rows"]
    assert len(rows) == len(seen) >= 2
    assert rows[-1][1] > 5 and seen[-1] == 5
    assert result["resources"]["peak_mappings"] >= rows[-1][2]
