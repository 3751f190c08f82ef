"""Saving and resuming with the fake engine, and all ways in which both can fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.engines.base import BootRequest
from bench.engines.x86_clock import NANOSECONDS_KHZ
from bench.guests.guest import Guest
from bench.harness.process.control import Control, ControlError
from bench.harness.run.boot import Boot, run_boot
from bench.harness.snapshots.file import read_snapshot
from bench.harness.snapshots.migration import Restore, Save
from bench.testing import fakes
from bench.testing.fakes import FakeEngine, Scenario
from bench.testing.schema import check_form

PROMPT = "@tierlab prompt guest=1.40\r\n"
TO_PROMPT: Scenario = [
    {"qmp": {}},
    {"stats": fakes.STATS},
    {"say": fakes.FIRMWARE + fakes.KERNEL + fakes.INIT + PROMPT},
]
# A machine that waits at its prompt reads a line and runs the workload that it names.
ANSWERS: Scenario = [{"echo": 1}, {"say": fakes.START + fakes.END}]
SAVES: Scenario = [*TO_PROMPT, {"await": "quit"}]
RESUMES: Scenario = [{"qmp": {}}, {"await": "cont"}, *ANSWERS]


def boot(
    guest: Guest, engine: FakeEngine, scenario: Scenario, **plan: Any
) -> dict[str, Any]:
    engine.scenarios = {"": scenario}
    workload = "sha256" if "restore" in plan else "wait"
    request = BootRequest(guest, workload=workload, tier="never")
    result = run_boot(Boot(engine, request, {}, 60.0, **plan), fakes.SHARED)
    check_form(result, "run")
    return result


def save(guest: Guest, engine: FakeEngine, path: Path) -> dict[str, Any]:
    return boot(guest, engine, SAVES, save=Save(path, "prompt"))


def test_saves_at_the_marker_and_ends(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    path = tmp_path / "m.snap"
    result = save(guest, fake, path)
    assert result["ok"], result["failure"]
    saved = result["snapshot"]["saved"]
    assert saved["bytes"] == path.stat().st_size and saved["path"] == str(path)
    facts = read_snapshot(path).facts
    assert facts.phases == ["firmware", "kernel", "init", "prompt"]
    assert (facts.marker, facts.engine, facts.workload) == ("prompt", "fake", "wait")
    assert facts.console["text"].endswith(PROMPT)
    assert facts.stream_bytes == saved["stream_bytes"] > facts.packed_bytes


def test_resumes_and_says_what_to_do(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    save(guest, fake, tmp_path / "m.snap")
    restore = Restore(read_snapshot(tmp_path / "m.snap"), "sha256 mib=8")
    result = boot(guest, fake, RESUMES, restore=restore)
    assert result["ok"], result["failure"]
    assert "got sha256 mib=8" in result["console"]["text"]
    phases = [p["phase"] for p in result["phases"]]
    assert phases == ["resume", "workload-start", "workload-end"]
    assert result["config"]["workload"] == "sha256"
    assert result["config"]["resumed"]["engine"] == "fake"
    # QEMU starts with the workload of the saved boot, because the kernel's command line
    # is part of the machine.
    assert fake.requests[-1].workload == "wait"


def test_an_x86_machines_counter_is_part_of_it(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    own = replace(guest, arch="x86_64")
    first, again = tmp_path / "first.snap", tmp_path / "again.snap"
    assert save(own, fake, first)["ok"]
    assert read_snapshot(first).facts.tsc_khz == NANOSECONDS_KHZ
    # Pretend that the machine was saved with a processor's counter.
    snapshot = read_snapshot(first)
    facts = replace(snapshot.facts, tsc_khz=2_300_000)
    restore = Restore(replace(snapshot, facts=facts), "sha256")
    scenario: Scenario = [*RESUMES[:2], {"say": fakes.START}, {"await": "quit"}]
    result = boot(
        own, fake, scenario, restore=restore, save=Save(again, "workload-start")
    )
    assert result["ok"], result["failure"]
    assert fake.requests[-1].tsc_khz == 2_300_000
    assert read_snapshot(again).facts.tsc_khz == 2_300_000


def test_other_machines_have_no_such_counter(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    path = tmp_path / "m.snap"
    save(guest, fake, path)
    assert read_snapshot(path).facts.tsc_khz is None


def test_the_line_waits_for_the_prompt(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    early: Scenario = [{"qmp": {}}, {"say": fakes.INIT}, {"await": "quit"}]
    path = tmp_path / "m.snap"
    assert boot(guest, fake, early, save=Save(path, "init"))["ok"]
    late: Scenario = [{"qmp": {}}, {"await": "cont"}, {"say": PROMPT}, *ANSWERS]
    result = boot(guest, fake, late, restore=Restore(read_snapshot(path), "sha256"))
    assert result["ok"], result["failure"]
    assert [p["phase"] for p in result["phases"]][:2] == ["resume", "prompt"]


def test_a_resumed_machine_can_be_saved(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    save(guest, fake, tmp_path / "m.snap")
    again: Scenario = [*RESUMES[:2], {"say": fakes.START}, {"await": "quit"}]
    restore = Restore(read_snapshot(tmp_path / "m.snap"), "sha256")
    second = Save(tmp_path / "n.snap", "workload-start")
    result = boot(guest, fake, again, restore=restore, save=second)
    assert result["ok"], result["failure"]
    assert set(result["snapshot"]) == {"saved", "resumed"}
    facts = read_snapshot(second.path).facts
    assert (facts.workload, facts.booted_for) == ("sha256", "wait")
    assert {"init", "prompt", "resume", "workload-start"} <= set(facts.phases)
    # The machine that was saved again resumes its workload.
    last: Scenario = [{"qmp": {}}, {"await": "cont"}, {"say": fakes.END}]
    result = boot(guest, fake, last, restore=Restore(read_snapshot(second.path)))
    assert result["ok"], result["failure"]
    assert fake.requests[-1].workload == "wait"


def test_any_words_of_the_console(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    path = tmp_path / "m.snap"
    result = boot(guest, fake, SAVES, save=Save(path, "text:prompt guest=1.4"))
    assert result["ok"], result["failure"]
    assert read_snapshot(path).facts.marker == "text:prompt guest=1.4"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"refuse": {"migrate": "a folder\nis mounted"}}, "a folder is mounted"),
        ({"refuse": {"stop": "no"}}, "QEMU refused stop: no"),
        ({"fail": "no space left"}, "cannot save: no space left"),
        ({"gone": "stop"}, "cannot save: QEMU ended"),
    ],
)
def test_saving_fails(
    tmp_path: Path, guest: Guest, fake: FakeEngine, script: Any, words: str
) -> None:
    scenario: Scenario = [{"qmp": script}, *TO_PROMPT[1:], {"hang": True}]
    path = tmp_path / "m.snap"
    result = boot(guest, fake, scenario, save=Save(path, "prompt"))
    assert result["failure"]["kind"] == "snapshot"
    assert words in result["failure"]["message"]
    assert not path.exists()


def test_the_marker_never_comes(tmp_path: Path, guest: Guest, fake: FakeEngine) -> None:
    path = tmp_path / "m.snap"
    result = boot(guest, fake, [*fakes.GOOD], save=Save(path, "text:nowhere"))
    assert result["failure"]["kind"] == "snapshot"
    assert "never reached text:nowhere" in result["failure"]["message"]
    assert not path.exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"fail": "unknown section"}, "cannot resume: unknown section"),
        ({"gone": "migrate-incoming"}, "cannot resume: QEMU ended"),
        ({"refuse": {"cont": "not now"}}, "QEMU refused cont: not now"),
    ],
)
def test_resuming_fails(
    tmp_path: Path, guest: Guest, fake: FakeEngine, script: Any, words: str
) -> None:
    save(guest, fake, tmp_path / "m.snap")
    restore = Restore(read_snapshot(tmp_path / "m.snap"), "none")
    result = boot(guest, fake, [{"qmp": script}, {"hang": True}], restore=restore)
    assert result["failure"]["kind"] == "snapshot"
    assert words in result["failure"]["message"]


def test_what_was_there_before_need_not_come_again(
    tmp_path: Path, guest: Guest, fake: FakeEngine
) -> None:
    save(guest, fake, tmp_path / "m.snap")
    restore = Restore(read_snapshot(tmp_path / "m.snap"), "sha256")
    silent: Scenario = [{"qmp": {}}, {"await": "cont"}]
    result = boot(guest, fake, silent, restore=restore)
    assert "never reached workload-start" in result["failure"]["message"]
    engine = replace(fake)
    assert boot(guest, engine, RESUMES, restore=restore)["ok"]


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="ended"):
        Control(tmp_path / "none", timeout_s=0.05)
    with pytest.raises(ControlError, match="TMPDIR"):
        Control(tmp_path / ("x" * 120))
