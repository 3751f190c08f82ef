"""Comparisons: order of runs, files, interruption, a full disk."""

from __future__ import annotations

import errno
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.load import Run, load_runs
from bench.base.errors import SETUP, TierlabError
from bench.base.interrupt import Deferred, Interrupted
from bench.guests.devices.base import Places
from bench.guests.guest import Guest
from bench.harness.run.policies import Policy
from bench.harness.suites.campaign import Campaign, Configuration, results_directory
from bench.harness.suites.suite import Suite
from bench.testing import fakes
from bench.testing.fakes import FakeEngine
from bench.testing.schema import check_form

NOTHING = (lambda *_: None, lambda *_: None)


class Plugged:
    """A device that needs no arguments of QEMU."""

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        return []

    def as_json(self) -> dict[str, Any]:
        return {"kind": "plugged"}


def policy(spec: str) -> Policy:
    name = spec.partition(":")[0]
    return Policy(spec, {"spec": spec, "short": spec, "name": name, "params": {}})


@pytest.fixture
def campaign(
    tmp_path: Path, guest: Guest, fake: FakeEngine, native: FakeEngine
) -> Campaign:
    suite = Suite((guest.name,), ("never", "always"), ("fake", "native"), runs=3)
    return Campaign(
        suite=suite,
        guests={guest.name: guest},
        engines={"fake": fake, "native": native},
        policies=[policy(t) for t in suite.tiers],
        products={},
        provenance=fakes.SHARED,
        directory=tmp_path / "out",
    )


def summary(campaign: Campaign) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (campaign.directory / "summary.json").read_text()
    )
    check_form(found, "summary")
    for path in campaign.directory.glob("runs/*.json"):
        check_form(json.loads(path.read_text()), "run")
    return found


def test_an_engine_without_tiers_appears_once(campaign: Campaign) -> None:
    found = [(c.engine, c.tier) for c in campaign.configurations()]
    assert found == [("fake", "never"), ("fake", "always"), ("native", None)]


def test_every_round_holds_every_configuration_once(campaign: Campaign) -> None:
    schedule = campaign.schedule()
    assert [r for r, _ in schedule] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    for round_number in (1, 2, 3):
        held = {c for r, c in schedule if r == round_number}
        assert held == set(campaign.configurations())
    assert campaign.schedule() == schedule


def test_a_block_of_rounds_for_each_guest(campaign: Campaign) -> None:
    first = campaign.suite.guests[0]
    campaign.suite = replace(campaign.suite, guests=(first, "second"))
    schedule = campaign.schedule()
    assert [c.guest for _, c in schedule] == [first] * 9 + ["second"] * 9
    assert [r for r, _ in schedule] == [1, 1, 1, 2, 2, 2, 3, 3, 3] * 2
    # The second guest is not provided yet, so its boots would fail.
    campaign.run_block(first, *NOTHING)
    assert [run.guest for run in campaign.runs] == [first] * 9
    assert summary(campaign)["settings"]["planned"] == 18


def test_runs_are_numbered_across_blocks(campaign: Campaign, guest: Guest) -> None:
    first = campaign.suite.guests[0]
    campaign.suite = replace(campaign.suite, guests=(first, "second"), runs=1)
    campaign.guests = {first: guest, "second": replace(guest, name="second")}
    numbers: list[tuple[int, int]] = []
    campaign.run(lambda number, total, _: numbers.append((number, total)), NOTHING[1])
    assert numbers == [(n, 6) for n in range(1, 7)]
    assert len(load_runs(campaign.directory)) == 6


def test_each_boot_has_the_devices(
    campaign: Campaign, fake: FakeEngine, native: FakeEngine
) -> None:
    device = Plugged()
    replace(campaign, devices=(device,)).run(*NOTHING)
    assert len(fake.requests) == 6 and len(native.requests) == 3
    for request in (*fake.requests, *native.requests):
        assert request.devices == (device,)


def test_the_order_changes_from_round_to_round(campaign: Campaign) -> None:
    schedule = campaign.schedule()
    rounds = [[c for r, c in schedule if r == n] for n in (1, 2, 3)]
    assert any(other != rounds[0] for other in rounds[1:])


def test_each_run_leaves_a_file_and_counts_in_the_summary(campaign: Campaign) -> None:
    seen: list[int] = []
    campaign.run(
        lambda *_: seen.append(summary(campaign)["settings"]["done"]), NOTHING[1]
    )
    # Before each run, the summary has all earlier runs.
    assert seen == list(range(9))
    assert len(load_runs(campaign.directory)) == 9
    rows = summary(campaign)["rows"]
    assert {(r["engine"], r["tier"]) for r in rows} == {
        ("fake", "never"),
        ("fake", "always"),
        ("native", "-"),
    }
    assert all(r["runs"] == 3 and r["failed"] == 0 for r in rows)
    assert all(r["ratio_native"] > 0 for r in rows)


def test_runs_of_a_round_share_their_seed(campaign: Campaign) -> None:
    campaign.run(*NOTHING)
    engine = campaign.engines["fake"]
    assert isinstance(engine, FakeEngine)
    assert [r.seed for r in engine.requests] == [1, 1, 2, 2, 3, 3]


def test_switches_are_combined_with_each_other(campaign: Campaign) -> None:
    campaign.suite = replace(
        campaign.suite, chain=("dispatch", "tail"), counts=("off", "exact"), runs=1
    )
    found = [(c.tier, *c.switches.words()) for c in campaign.configurations()]
    assert len(found) == 2 * 4 + 1
    assert ("always", "chain=tail", "counts=exact") in found
    # Native QEMU has no switches.
    assert (None,) in found
    campaign.run(*NOTHING)
    rows = summary(campaign)["rows"]
    tail = [r for r in rows if r["switches"] == "chain=tail counts=exact"]
    assert {r["tier"] for r in tail} == {"never", "always"}
    assert all(r["ratio_native"] > 0 and r["ratio_never"] > 0 for r in tail)


def test_flags_are_for_engines_with_tiers(
    campaign: Campaign, fake: FakeEngine, native: FakeEngine
) -> None:
    campaign.suite = replace(campaign.suite, engine_flags=("--x",), smp=2, runs=1)
    campaign.run(*NOTHING)
    assert {r.engine_flags for r in fake.requests} == {("--x",)}
    assert {r.engine_flags for r in native.requests} == {()}
    assert {r.smp for r in fake.requests + native.requests} == {2}


def seeded(campaign: Campaign, fake: FakeEngine) -> None:
    """Give the comparison a policy that starts from a profile."""
    spec = "profile:from=/profiles/earlier-boot"
    campaign.policies = [policy(spec)]
    stats = {**fakes.STATS, "tbs": fakes.EXECUTED}
    fake.scenarios["never"] = [{"stats": stats}, *fakes.GOOD[1:]]


def test_a_profile_is_made_by_one_earlier_boot(
    campaign: Campaign, fake: FakeEngine
) -> None:
    seeded(campaign, fake)
    announced: list[str | None] = []
    campaign.run(*NOTHING, seeding=lambda c: announced.append(c.tier))
    assert announced == ["never"]
    assert [r.tier for r in fake.requests].count("never") == 1
    (path,) = (campaign.directory / "profiles").glob("*.profile")
    assert path.read_text().startswith("tierlab-profile 1\n00000000000000aa 12\n")
    assert all(r.profile == path for r in fake.requests[1:])
    # The boot that makes the profile is no run of the comparison.
    assert {r["tier"] for r in summary(campaign)["rows"]} == {
        "profile:from=/profiles/earlier-boot",
        "-",
    }


def test_a_seeding_boot_that_fails_ends_the_comparison(
    campaign: Campaign, fake: FakeEngine
) -> None:
    seeded(campaign, fake)
    fake.scenarios["never"] = [{"say": fakes.PANIC}]
    with pytest.raises(TierlabError, match="that seeds the profile failed"):
        campaign.run(*NOTHING)
    assert not list(campaign.directory.rglob("*.profile"))


def test_a_failed_run_is_counted_and_gives_no_time(
    campaign: Campaign, fake: FakeEngine
) -> None:
    fake.scenarios["always"] = [{"say": fakes.KERNEL + fakes.INIT + fakes.PANIC}]
    campaign.run(*NOTHING)
    row = next(r for r in summary(campaign)["rows"] if r["tier"] == "always")
    assert (row["runs"], row["failed"]) == (3, 3)
    assert row["boot_ms"] is None and row["ratio_native"] is None
    assert row["failures"][0]["kind"] == "panic"


def test_an_interruption_keeps_what_is_finished(campaign: Campaign) -> None:
    def stop(run: Run) -> None:
        if len(campaign.runs) == 4:
            os.kill(os.getpid(), signal.SIGINT)

    with Deferred() as signals, pytest.raises(Interrupted):
        campaign.run(NOTHING[0], stop, signals)
    assert len(load_runs(campaign.directory)) == 4
    assert summary(campaign)["settings"]["done"] == 4
    assert sum(r["runs"] for r in summary(campaign)["rows"]) == 4


def test_a_full_disk_leaves_earlier_results_intact(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(number: int, total: int, configuration: Configuration) -> None:
        if number == 3:
            monkeypatch.setattr(os, "fsync", full)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(TierlabError) as caught:
        campaign.run(fill, NOTHING[1])
    assert caught.value.status == SETUP
    assert "No space left on device" in caught.value.line()
    assert len(load_runs(campaign.directory)) == 2
    assert summary(campaign)["settings"]["done"] == 2
    left = [p.name for p in campaign.directory.rglob("*") if p.name.startswith(".")]
    assert left == []


def test_a_directory_with_results_is_not_written_over(tmp_path: Path) -> None:
    first = results_directory(tmp_path / "out")
    assert first == tmp_path / "out"
    (first / "summary.json").write_text("{}")
    second = results_directory(tmp_path / "out")
    assert second.parent == first and second.is_dir()


def test_the_default_directory_is_new_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert results_directory(None) != results_directory(None)
    assert len(list((tmp_path / "results").iterdir())) == 2
