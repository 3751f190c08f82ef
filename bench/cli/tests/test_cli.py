"""The command line: statuses, one-line errors, output."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from bench.build import Step
from bench.build.times import record, recorded
from bench.cli import build as build_command
from bench.cli import compare as compare_command
from bench.cli.main import main
from bench.engines import ENGINES
from bench.engines.base import Missing
from bench.guests.names import GuestEntry
from bench.harness.products import obtain_for, product_variable
from bench.testing import fakes
from bench.testing.fakes import GUEST, Capture, FakeEngine, error_line

pytestmark = pytest.mark.usefixtures("elsewhere", "products", "fake", "native")

BOOT = ["boot", GUEST, "--engine", "fake"]
COMPARE = ["compare", "--guest", GUEST, "--engine", "fake", "--engine", "native"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["boot", "arm"], "unknown guest 'arm'; valid: "),
        (["boot", GUEST, "--engine", "bun"], "unknown engine 'bun'; valid: node, "),
        ([*BOOT, "--workload", "x"], "unknown workload 'x'; valid: none, "),
        ([*BOOT, "--workload", "shell"], "add --interactive"),
        ([*BOOT, "--tier", "nope"], "unknown policy 'nope'; valid: never, "),
        (["boot", GUEST, "--engine", "native", "--tier", "never"], "has no tiers"),
        ([*BOOT, "--smp", "0"], "--smp"),
        ([*BOOT, "--nonsense"], "No such option: --nonsense"),
        (["boot"], "Missing argument 'GUEST'"),
        (["nonsense"], "No such command 'nonsense'"),
        (["compare", "--guest", "arm"], "unknown guest 'arm'; valid: "),
        (["compare", "--engine", "bun"], "unknown engine 'bun'; valid: node, "),
        ([*COMPARE, "--tier", "nope"], "unknown policy 'nope'"),
        ([*COMPARE, "--workload", "x"], "unknown workload 'x'; valid: none, "),
        ([*COMPARE, "--runs", "0"], "--runs: 0 will not do"),
        ([*COMPARE, "--runs", "x"], "--runs"),
        (["compare", "none.toml"], "cannot read none.toml"),
        (["compare", "none"], "unknown suite 'none'; valid: "),
        ([*COMPARE, "--chain", "jump"], "unknown chaining 'jump'; valid: dispatch, "),
        ([*COMPARE, "--counts", "all"], "unknown counting 'all'; valid: off, "),
        ([*COMPARE, "--smp", "9"], "--smp: 9 will not do: give a whole number from 1"),
        ([*COMPARE, "--workload", "sha256:mib=0"], "mib='0' will not do"),
        ([*BOOT, "--workload", "sha256:x=1"], "has no parameter 'x'"),
        ([*BOOT, "--tier", "profile:from=none"], "there is no profile none"),
        (["boot", GUEST, "--engine", "native", "--chain", "tail"], "has no tiers"),
        (["profile", "none.json", "-o", "p"], "none.json"),
        (["soak", GUEST, "--minutes", "0"], "--minutes"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    arguments: list[str], words: str, capfd: Capture
) -> None:
    assert main(arguments) == 2
    assert words in error_line(capfd)


def test_a_suite_is_refused_by_file_and_key(tmp_path: Path, capfd: Capture) -> None:
    Path("s.toml").write_text(f'guests = ["{GUEST}"]\ntiers = ["nope"]\n')
    assert main(["compare", "s.toml", "--engine", "fake"]) == 2
    assert "s.toml:tiers: unknown policy 'nope'" in error_line(capfd)
    Path("s.toml").write_text('guests = ["arm"]')
    assert main(["compare", "s.toml"]) == 2
    assert "s.toml:guests: unknown guest 'arm'" in error_line(capfd)


@pytest.mark.parametrize("command", [BOOT, COMPARE])
def test_an_engine_that_cannot_do_it(
    command: list[str], fake: FakeEngine, capfd: Capture
) -> None:
    fake.refusal = "it has one CPU"
    assert main(command) == 2
    assert "engine 'fake' cannot do this boot of 'fake64-tiny': it has one CPU" in (
        error_line(capfd)
    )
    assert not fake.requests and not Path("results").exists()


@pytest.mark.parametrize("command", [BOOT, COMPARE])
def test_an_engine_that_is_not_installed(
    command: list[str], fake: FakeEngine, capfd: Capture
) -> None:
    fake.missing = Missing("it is not there", "install it")
    assert main(command) == 3
    assert "engine 'fake' is not installed: it is not there; install it" in error_line(
        capfd
    )
    assert not Path("results").exists()


def test_a_guest_product_that_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Capture
) -> None:
    product = fakes.make_guest(tmp_path / "broken")
    (product / "kernel").write_bytes(b"KERNEL")
    monkeypatch.setenv(product_variable(f"guest-{GUEST}"), str(product))
    assert main(BOOT) == 3
    assert "kernel was changed" in error_line(capfd)


def test_boot_shows_the_console_and_a_summary(capfd: Capture) -> None:
    assert main([*BOOT, "--tier", "never", "--json", "r.json"]) == 0
    shown = capfd.readouterr()
    assert shown.out == fakes.FIRMWARE + fakes.KERNEL + fakes.INIT + (
        fakes.START + fakes.END
    )
    for words in ("first guest instruction", "init", "1.25", "TBs translated 1,000"):
        assert words in shown.err
    result = json.loads(Path("r.json").read_text())
    assert result["config"]["policy"]["spec"] == "never"
    assert result["provenance"]["host"]["cores"] >= 1


def test_boot_of_a_guest_that_fails(fake: FakeEngine, capfd: Capture) -> None:
    fake.scenarios = {"": [{"say": fakes.KERNEL + fakes.PANIC}]}
    assert main(BOOT) == 1
    assert "FAILED, panic: " in capfd.readouterr().err


def test_boot_passes_its_options_on(fake: FakeEngine) -> None:
    options = "--smp 2 --memory 96 --icount 3 --seed 5 --workload sh".split()
    assert main([*BOOT, *options, "--engine-flag=--a", "--engine-flag=-b"]) == 0
    request = fake.requests[0]
    assert (request.smp, request.memory, request.icount) == (2, 96, 3)
    assert (request.seed, request.workload) == (5, "sh")
    assert request.engine_flags == ("--a", "-b")
    assert request.tier == "threshold:n=1000"


def test_compare_prints_the_comparison(capfd: Capture) -> None:
    tiers = ["--tier", "never", "--tier", "threshold"]
    assert main([*COMPARE, *tiers, "--runs", "2", "--out", "out"]) == 0
    shown = capfd.readouterr().out
    # Tables leave out a parameter that has its policy's default value.
    for words in ("fake threshold ", "/ native", "/ never", "percentile bootstrap"):
        assert words in shown
    assert "Results: out" in shown
    rows = json.loads(Path("out/summary.json").read_text())["rows"]
    assert [r["runs"] for r in rows] == [2, 2, 2]
    assert len(list(Path("out/runs").glob("*.json"))) == 6


def test_compare_shows_a_guest_before_it_builds_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Capture
) -> None:
    other = fakes.make_guest(tmp_path / "other", "fake64-other")
    monkeypatch.setenv(product_variable("guest-fake64-other"), str(other))
    obtained: list[tuple[str, bool]] = []
    shown = ""

    def obtain(guests: list[GuestEntry], *rest: object) -> object:
        nonlocal shown
        shown += capfd.readouterr().out
        obtained.append((guests[0].name, "Boot: process start to init" in shown))
        return obtain_for(guests, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(compare_command, "obtain_for", obtain)
    monkeypatch.setattr(compare_command, "there", lambda names, _: {})
    options = "--guest fake64-other --tier never --runs 2 --out out".split()
    assert main([*COMPARE, *options]) == 0
    assert obtained == [(GUEST, False), ("fake64-other", True)]
    shown += capfd.readouterr().out
    assert shown.count("Boot: process start to init") == 2
    assert shown.count("percentile bootstrap") == 1
    rows = json.loads(Path("out/summary.json").read_text())["rows"]
    assert [r["guest"] for r in rows] == ["fake64-other"] * 2 + [GUEST] * 2


def test_compare_keeps_a_guest_if_the_next_cannot_be_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Capture
) -> None:
    other = fakes.make_guest(tmp_path / "other", "fake64-other")
    (other / "kernel").write_bytes(b"KERNEL")
    monkeypatch.setenv(product_variable("guest-fake64-other"), str(other))
    monkeypatch.setattr(compare_command, "there", lambda names, _: {})
    options = "--guest fake64-other --tier never --runs 1 --out out".split()
    assert main([*COMPARE, *options]) == 3
    shown = capfd.readouterr()
    assert "Finished results are in out" in shown.err
    assert "kernel was changed" in shown.err
    assert "Boot: process start to init" in shown.out
    assert len(list(Path("out/runs").glob("*.json"))) == 2


def test_compare_refuses_before_any_boot_what_a_later_guest_cannot_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Capture, fake: FakeEngine
) -> None:
    other = fakes.make_guest(tmp_path / "other", "fake64-other")
    (other / "kernel").write_bytes(b"KERNEL")
    monkeypatch.setenv(product_variable("guest-fake64-other"), str(other))
    options = "--guest fake64-other --tier never --runs 1 --out out".split()
    assert main([*COMPARE, *options]) == 3
    assert "kernel was changed" in error_line(capfd)
    assert not fake.requests and not Path("out").exists()


def test_compare_fails_if_a_run_failed(native: FakeEngine, capfd: Capture) -> None:
    native.scenarios = {"": [{"say": fakes.KERNEL}]}
    assert main([*COMPARE, "--tier", "never", "--runs", "1", "--out", "out"]) == 1
    shown = capfd.readouterr().out
    assert "FAILED" in shown and "never reached init" in shown


def test_results_that_cannot_be_written(capfd: Capture) -> None:
    Path("out").write_text("a file")
    assert main([*COMPARE, "--tier", "never", "--out", "out/x"]) == 3
    assert "cannot make the directory" in error_line(capfd)


def test_lists(capfd: Capture) -> None:
    assert main(["engines", "--json"]) == 0
    names = [e["name"] for e in json.loads(capfd.readouterr().out)["engines"]]
    assert names == list(ENGINES)
    assert main(["guests", "--json"]) == 0
    guests = json.loads(capfd.readouterr().out)["guests"]
    by_name = {g["name"]: g for g in guests}
    # The fake guest is built, so its files and its kernel's version are known.
    assert by_name[GUEST]["built"] and by_name[GUEST]["bytes"] == 12
    assert by_name[GUEST]["kernel_version"] == "6.12.0-fake"
    raspi = by_name["aarch64-raspi3ap"]
    assert (raspi["machine"], raspi["smp"], raspi["memory_mib"]) == ("raspi3ap", 4, 512)
    assert main(["tiers", "--json"]) == 0
    policies = json.loads(capfd.readouterr().out)["policies"]
    assert policies[1]["params"][0]["name"] == "n"
    for command in ("guests", "engines", "tiers"):
        assert main([command]) == 0
    assert "executions" in capfd.readouterr().out


def test_an_override_that_names_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    monkeypatch.setenv(product_variable(f"guest-{GUEST}"), "/nowhere/at/all")
    assert main(BOOT) == 3
    assert "names no directory: /nowhere/at/all" in error_line(capfd)


def test_tiers_shows_sources_common_parameters_and_evictions(capfd: Capture) -> None:
    assert main(["tiers"]) == 0
    shown = capfd.readouterr().out
    for words in ("from: a paper", "max-modules", "24000", "second chance"):
        assert words in shown, words


def test_every_policy_is_a_tier_of_a_comparison(capfd: Capture) -> None:
    assert main([*COMPARE, "--tier", "*", "--runs", "1", "--out", "out"]) == 0
    rows = json.loads(Path("out/summary.json").read_text())["rows"]
    assert [r["tier"] for r in rows] == ["-", "never", "threshold:n=1000"]


def test_compare_takes_switches_and_suites_by_path(
    fake: FakeEngine, capfd: Capture
) -> None:
    Path("s.toml").write_text(
        f'guests = ["{GUEST}"]\nengines = ["fake"]\ntiers = ["never"]\nruns = 1\n'
        'title = "The title"\npurpose = "What it\\nis for."\n'
        'workloads = ["sha256:rounds=4"]\n'
    )
    fake.scenarios = {
        "": [
            {"say": fakes.KERNEL + fakes.INIT + fakes.START + fakes.ROUNDS + fakes.END}
        ]
    }
    options = "--chain dispatch --chain tail --counts exact --fault no-memory:3".split()
    options += "--smp 2 --icount 1 --tb-size 8 --engine-flag=-f".split()
    assert main(["compare", "s.toml", *options, "--out", "out"]) == 0
    shown = capfd.readouterr().out
    for words in ("The title", "What it is for.", "Steady state", "chain=tail"):
        assert words in shown, words
    assert {r.switches.chain for r in fake.requests} == {"dispatch", "tail"}
    request = fake.requests[0]
    assert (request.smp, request.icount, request.tb_size_mib) == (2, 1, 8)
    assert (request.switches.counts, request.switches.fault) == ("exact", "no-memory:3")
    assert request.engine_flags == ("-f",)
    settings = json.loads(Path("out/summary.json").read_text())["settings"]
    assert settings["smp"] == 2 and settings["chain"] == ["dispatch", "tail"]


def test_suites_are_listed(capfd: Capture) -> None:
    assert main(["suites"]) == 0
    shown = capfd.readouterr().out
    assert "sweep" in shown and "Negative result" in shown
    assert main(["suites", "--json"]) == 0
    names = [s["name"] for s in json.loads(capfd.readouterr().out)["suites"]]
    assert "eviction" in names


def test_build_tells_how_long_each_step_took(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Capture
) -> None:
    monkeypatch.setenv("TIERLAB_CACHE", str(tmp_path / "cache"))
    steps = [
        Step("old", "an old thing", (), (), (), lambda _: None, 1.0),
        Step("new", "a new thing", (), (), (), lambda _: None, 2.5),
    ]
    record(tmp_path / "cache", "old", 7.0)
    known = recorded(tmp_path / "cache")
    monkeypatch.setattr(time, "time", lambda: known["old"].ended + 100.0)

    def make(names: list[str], _: object) -> dict[str, Path]:
        record(tmp_path / "cache", "new", 83.0)
        return {"new": tmp_path}

    monkeypatch.setattr(build_command, "to_build", lambda *_: steps)
    monkeypatch.setattr(build_command, "obtain", make)
    assert main(["build", "--guest", GUEST]) == 0
    shown = capfd.readouterr().out
    assert re.search(r"a new thing +1:23 +2:30", shown)
    assert "an old thing" not in shown and f"new  {tmp_path}" in shown
