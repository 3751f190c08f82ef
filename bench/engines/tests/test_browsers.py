"""Browsers as engines, without one: command lines, reports, what can go wrong."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.load import run_from_json
from bench.base.errors import USAGE, TierlabError
from bench.cli.probe import chosen, table
from bench.engines import find_engine
from bench.engines.base import BootRequest, Command, same_policy, with_budgets
from bench.engines.browser import DRIVER, RUNNER, BrowserEngine
from bench.engines.probe import PROBED, parsed, probe
from bench.engines.tests.test_engines import option
from bench.guests.guest import Guest
from bench.harness.process.console import Phase, Round
from bench.harness.process.engine_report import SUM_NOTE, EngineReport, read_report
from bench.harness.process.process import RSS_NOTE, Ended
from bench.harness.products import obtain
from bench.harness.run.boot import Boot, run_boot
from bench.harness.tests.test_signals import wait_until_absent
from bench.testing.fakes import GOOD, STATS, FakeEngine

BROWSERS = ("chromium", "firefox")
NODE = "node"


@pytest.fixture
def products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Files of the right names, and browsers that can be found."""
    node, driver, qemu = (tmp_path / name for name in ("node", "driver", "qemu"))
    (node / "bin").mkdir(parents=True)
    (node / "bin" / "node").touch()
    driver.mkdir()
    (driver / "package.json").touch()
    qemu.mkdir()
    (qemu / "qemu-system-riscv64.js").touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("chromium", "firefox-esr"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return {NODE: node, DRIVER: driver, "qemu-wasm-riscv64": qemu}


@pytest.mark.parametrize("name", BROWSERS)
def test_the_machine_is_nodes(
    name: str, guest: Guest, products: dict[str, Path]
) -> None:
    request = BootRequest(guest, workload="sh", tier="threshold:n=9", smp=2)
    node = find_engine(NODE).command(request, products).argv
    ours = find_engine(name).command(request, products).argv
    assert ours[ours.index("--program") :] == node[node.index("--program") :]
    assert ours[1] == str(RUNNER) and option(ours, "--browser") == name
    assert option(ours, "--library") == str(products[DRIVER])


def test_all_that_a_browser_leaves_is_where_the_statistics_are(
    guest: Guest, products: dict[str, Path], tmp_path: Path
) -> None:
    request = BootRequest(guest, stats=tmp_path / "scratch" / "stats.json")
    command = find_engine("firefox").command(request, products)
    assert command.report == tmp_path / "scratch" / "browser.json"
    assert option(command.argv, "--report") == str(command.report)
    assert option(command.argv, "--profile") == str(tmp_path / "scratch" / "profile")


@pytest.mark.parametrize(
    ("name", "flag", "good"),
    [
        ("chromium", "--js-flags=--liftoff-only --no-wasm-lazy-compilation", True),
        ("chromium", "--disable-gpu", True),
        ("chromium", "liftoff-only", False),
        ("chromium", "--", False),
        ("firefox", "javascript.options.wasm_baselinejit=false", True),
        ("firefox", "dom.ipc.processCount=1", True),
        ("firefox", "--headless", False),
        ("firefox", "=1", False),
        ("firefox", "javascript.options.wasm", False),
    ],
)
def test_flags_reach_the_browser_or_are_refused(
    name: str, flag: str, good: bool, guest: Guest, products: dict[str, Path]
) -> None:
    engine = find_engine(name)
    request = BootRequest(guest, engine_flags=(flag,))
    if good:
        assert engine.refuses(request) is None
        assert option(engine.command(request, products).argv, "--flag") == flag
        return
    with pytest.raises(TierlabError, match="is no flag of") as caught:
        run_boot(Boot(engine, request, products, 1.0), {})
    assert caught.value.status == USAGE


@pytest.mark.parametrize("name", BROWSERS)
def test_what_is_missing(
    name: str, products: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = find_engine(name)
    assert isinstance(engine, BrowserEngine)
    assert engine.available("riscv64", products) is None
    missing = engine.available("riscv64", {**products, DRIVER: Path("/nowhere")})
    assert missing is not None and missing.next_step == "run `tierlab build`"
    monkeypatch.setenv("PATH", "/nowhere")
    missing = engine.available("riscv64", products)
    assert missing is not None and engine.program in missing.why
    assert f"package {engine.package}" in missing.next_step


ENDED = Ended(0, None, None, 1000.0, 5000.0, 70.0, 30.0, 99.0)


def report(path: Path, **facts: Any) -> EngineReport:
    path.write_text(json.dumps(facts))
    return read_report(path, ENDED.spawn_epoch_ms)


def test_times_count_from_the_start_of_the_boot(tmp_path: Path) -> None:
    found = report(
        tmp_path / "r",
        ready_epoch_ms=3000.5,
        end_epoch_ms=5700.5,
        page={"loaded": 3100.5},
        usage={"user_ms": 700, "system_ms": 80, "peak_rss_mib": 512.5, "processes": 7},
    )
    assert found.phases([Phase("init", 2500.5, 1.5)]) == [
        {"phase": "init", "host_ms": 500.0, "guest_s": 1.5, "status": None}
    ]
    assert found.rounds([Round(3, 2500.5, 1.5)]) == [
        {"n": 3, "host_ms": 500.0, "guest_s": 1.5, "of": None}
    ]
    assert found.since_epoch(4000.5, ENDED.spawn_epoch_ms) == 1000.0
    table = {"columns": ["t_ms", "rss_mib"], "rows": [[0.0, 5], [2100.5, 9]]}
    assert found.samples(table)["rows"] == [[-2000.5, 5], [100.0, 9]]
    assert found.resources(ENDED) == {
        "wall_ms": 2700.0,
        "user_ms": 700.0,
        "system_ms": 80.0,
        "peak_rss_mib": 512.5,
        "peak_rss_note": SUM_NOTE,
    }
    assert found.as_json() == {
        "ready_ms": 2000.5,
        "page": {"loaded": 100.0},
        "processes": 7,
        "note": None,
    }


def test_an_engine_that_makes_nothing_ready_began_when_it_was_started() -> None:
    found = read_report(None, 1000.0)
    assert found.problem is None and found.as_json() is None
    assert found.resources(ENDED) == {
        "wall_ms": 5000.0,
        "user_ms": 70.0,
        "system_ms": 30.0,
        "peak_rss_mib": 99.0,
        "peak_rss_note": RSS_NOTE,
    }
    assert found.phases([Phase("init", 7.0)])[0]["host_ms"] == 7.0


def test_a_report_without_its_end(tmp_path: Path) -> None:
    found = report(tmp_path / "r", ready_epoch_ms=3000.0)
    assert found.problem is None
    resources = found.resources(ENDED)
    assert resources["wall_ms"] == 3000.0
    # What the harness knows of the processes includes the browser's start.
    assert resources["user_ms"] is None and resources["peak_rss_mib"] is None


UNREADABLE = [
    (None, "left no report"),
    ("{", "cannot be read"),
    ("\xff", "cannot be read"),
    ("[]", "is damaged"),
    ('{"ready_epoch_ms": "soon"}', "is damaged"),
    ('{"ready_epoch_ms": 1, "usage": {"user_ms": null}}', "is damaged"),
    ("{}", "never said that it was ready"),
    ('{"end_epoch_ms": 1}', "never said that it was ready"),
]


@pytest.mark.parametrize(("text", "words"), UNREADABLE)
def test_no_time_is_told_without_the_report(
    text: str | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "report"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    found = read_report(path, 1000.0)
    assert found.problem is not None and words in found.problem
    assert found.phases([Phase("init", 7.0, 1.5)])[0]["host_ms"] is None
    assert found.rounds([Round(3, 7.0, 1.5)])[0]["host_ms"] is None
    assert found.samples({"rows": [[7.0, 5]]})["rows"] == [[None, 5]]
    assert found.since_epoch(2000.0, 1000.0) is None
    resources = found.resources(ENDED)
    assert {resources[k] for k in ("wall_ms", "user_ms", "peak_rss_mib")} == {None}
    start = found.as_json()
    assert start is not None and start["note"] == found.problem


@pytest.mark.parametrize(("text", "words"), UNREADABLE)
def test_a_run_without_its_report_has_failed(
    guest: Guest,
    fake: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    words: str,
) -> None:
    path = tmp_path / "report.json"
    made = fake.command

    def command(request: BootRequest, products: Any) -> Command:
        found = made(request, products)
        if text is not None:
            path.write_bytes(text.encode("latin-1"))
        return Command(found.argv, found.env, found.streams, path)

    monkeypatch.setattr(fake, "command", command)
    result = run_boot(Boot(fake, BootRequest(guest, tier="never"), {}, 60.0), {})
    assert not result["ok"] and result["failure"]["kind"] == "engine-error"
    assert "the run has no times" in result["failure"]["message"]
    assert words in result["failure"]["message"]
    assert [p["phase"] for p in result["phases"]][:2] == ["firmware", "kernel"]
    assert {p["host_ms"] for p in result["phases"]} == {None}
    assert result["stats"]["first_insn_ms"] is None
    # Whoever reads results can read this one, too.
    run = run_from_json(result)
    assert not run.ok and run.boot_ms is None and run.first_insn_ms is None


def test_a_result_with_a_report(
    guest: Guest, fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run_boot(Boot(fake, BootRequest(guest, tier="never"), {}, 60.0), {})
    path = tmp_path / "report.json"
    made = fake.command

    def command(request: BootRequest, products: Any) -> Command:
        found = made(request, products)
        now = time.time() * 1000
        # An hour before the process began, so that the shift is plain to see.
        facts = {"ready_epoch_ms": now - 3.6e6, "end_epoch_ms": now}
        path.write_text(json.dumps(facts))
        return Command(found.argv, found.env, found.streams, path)

    monkeypatch.setattr(fake, "command", command)
    shifted = run_boot(Boot(fake, BootRequest(guest, tier="never"), {}, 60.0), {})
    assert plain["engine_start"] is None
    assert shifted["engine_start"]["ready_ms"] < -3.5e6
    assert all(p["host_ms"] < 3.5e6 for p in plain["phases"])
    assert all(p["host_ms"] > 3.5e6 for p in shifted["phases"])
    assert shifted["resources"]["wall_ms"] > 3.5e6


def node_and_driver() -> tuple[Path, Path]:
    made = obtain([NODE, DRIVER], Console(stderr=True))
    return made[NODE] / "bin" / "node", made[DRIVER]


def test_the_server_of_pages() -> None:
    node, _ = node_and_driver()
    done = subprocess.run(
        [str(node), str(RUNNER.parent / "tests" / "server-check.mjs")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "all right\n"


def drive(tmp_path: Path, text: str, *more: str) -> subprocess.CompletedProcess[str]:
    """The driver with a script in the place of a browser."""
    node, driver = node_and_driver()
    browser, program = tmp_path / "browser", tmp_path / "qemu.js"
    browser.write_text(text)
    browser.chmod(0o755)
    program.touch()
    return subprocess.run(
        [
            *(str(node), str(RUNNER), "--browser", "chromium"),
            *("--binary", str(browser), "--library", str(driver)),
            *("--program", str(program), "--profile", str(tmp_path / "profile")),
            *(*more, "--", "-M", "virt"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\nexit 7\n", "Chromium ended by itself: status 7"),
        (
            "#!/bin/sh\necho 'FATAL: No usable sandbox!' >&2\nexit 1\n",
            "Chromium ended by itself: status 1 (FATAL: No usable sandbox!)",
        ),
        ("#!/bin/sh\nkill -SEGV $$\n", "Chromium ended by itself: SIGSEGV"),
    ],
)
def test_a_browser_that_does_not_start(text: str, said: str, tmp_path: Path) -> None:
    done = drive(tmp_path, text)
    assert (done.returncode, done.stderr) == (3, f"tierlab: {said}\n")
    assert not (tmp_path / "profile").exists()


def test_nothing_of_a_browser_is_left(tmp_path: Path) -> None:
    """Its processes end and its profile goes, though it has a child of its own."""
    pids = tmp_path / "pids"
    text = (
        f"#!/bin/sh\nsleep 7239 &\necho $$ $! > {pids}\n"
        f"mkdir -p {tmp_path}/profile/deep\nexit 0\n"
    )
    assert drive(tmp_path, text).returncode == 3
    each = pids.read_text().split()
    assert len(each) == 2
    for pid in each:
        assert wait_until_absent(int(pid))
    assert not (tmp_path / "profile").exists()


def test_wrong_use_of_the_driver(tmp_path: Path) -> None:
    for more, said in (
        (("--browser", "lynx"), "--browser takes one of chromium, firefox"),
        (("--nonsense", "1"), "unknown option '--nonsense'"),
    ):
        done = drive(tmp_path, "#!/bin/sh\n", *more)
        assert (done.returncode, done.stderr) == (2, f"tierlab: {said}\n")


def test_a_probe_that_is_survived() -> None:
    limits = {"modules": {"value": 9, "at_least": True, "why": None}}
    found = {"features": {"simd": True}, "limits": limits}
    lines = ['{"progress": {"modules": 3}}', json.dumps({"found": found}), ""]
    assert parsed("\n".join(lines)) == {**found, "died": None}


def test_a_probe_that_is_not_survived_keeps_what_it_reached() -> None:
    page = {"value": 65536, "at_least": True, "why": None}
    progress = {"features": {"jspi": False}, "limits": {"memory_pages": page}}
    lines = [
        json.dumps({"progress": progress}),
        '{"progress": {"modules": 1000}}',
        '{"progress": {"modules": 2000}}',
        '{"progress": {"mod',
    ]
    found = parsed("\n".join(lines))
    assert found["died"] is not None and found["features"] == {"jspi": False}
    assert found["limits"]["memory_pages"] == page
    assert found["limits"]["modules"] == {
        "value": 2000,
        "at_least": False,
        "why": "it ended there",
    }
    assert parsed("")["died"] is not None


def test_probing_node() -> None:
    node, _ = node_and_driver()
    engine = find_engine(NODE)
    assert isinstance(engine, PROBED)
    found = probe(engine, {NODE: node.parent.parent}, modules=300, code_mib=1)
    assert found["died"] is None and found["version"].startswith("node v")
    assert found["features"]["tail_calls"] and found["features"]["simd"]
    assert found["limits"]["modules"] == {"value": 300, "at_least": True, "why": None}
    assert found["limits"]["code_mib"]["value"] == 1
    assert found["limits"]["table_slots"]["value"] >= 262144
    shown = Console(record=True, width=100)
    shown.print(table([found, {**found, "limits": {}}]))
    text = shown.export_text()
    assert ">= 300" in text and "?" in text and "tail calls" in text


def test_an_engine_that_cannot_be_probed() -> None:
    with pytest.raises(TierlabError, match="unknown engine to probe 'v86'"):
        chosen(["v86"])
    assert [engine.name for engine in chosen([])] == [NODE, *BROWSERS]


@pytest.mark.parametrize(
    ("spec", "budgets", "ran"),
    [
        ("never", {}, "never"),
        ("never", {"max-modules": 8000}, "never:max-modules=8000"),
        ("region:n=9", {"max-modules": 8000}, "region:n=9,max-modules=8000"),
        ("always:max-modules=7", {"max-modules": 8000}, "always:max-modules=7"),
    ],
)
def test_an_engines_budgets_unless_the_policy_has_its_own(
    spec: str, budgets: dict[str, int], ran: str
) -> None:
    assert with_budgets(spec, budgets) == ran


def test_the_order_of_parameters_makes_no_other_policy() -> None:
    assert same_policy("a:x=1,y=2", "a:y=2,x=1") and same_policy("a", "a")
    for other in ("b:x=1,y=2", "a:x=1", "a:x=1,y=3", "a"):
        assert not same_policy("a:x=1,y=2", other)


def test_the_budgets_are_in_the_result_and_the_tier_is_as_asked(
    guest: Guest, fake: FakeEngine
) -> None:
    fake.budgets = {"max-modules": 8000}
    stats = {**STATS, "policy": {"spec": "threshold:max-modules=8000,n=9"}}
    fake.scenarios = {"": [{"stats": stats}, *GOOD[1:]]}
    boot = Boot(fake, BootRequest(guest, tier="threshold:n=9"), {}, 60.0)
    result = run_boot(boot, {})
    assert result["ok"], result["failure"]
    assert fake.requests[-1].tier == "threshold:n=9,max-modules=8000"
    assert result["config"]["tier"] == "threshold:n=9"
    assert result["config"]["engine_budgets"] == {"max-modules": 8000}
    fake.budgets = {}
    failure = run_boot(boot, {})["failure"]
    assert failure["message"].startswith("the engine ran policy threshold:max-modules")
