"""`tierlab bench`: tables, targets, result files, and one-line errors."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.base.errors import DONE, FAILED, USAGE, TierlabError
from bench.base.places import ROOT
from bench.cli.main import main
from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.guests.names import SHELL
from bench.harness.products import product_variable
from bench.harness.run.boot import Boot
from bench.micro.page.visits import APPROACHES_MS, _prompt_in_node, row_of
from bench.micro.report import (
    CHURN,
    PARTS,
    Measured,
    measured,
    short_name,
    tables,
)
from bench.micro.targets import Verdict, read_targets
from bench.page.tests.browsers import need
from bench.testing import fakes
from bench.testing.fakes import FakeEngine


def row(name: str, **members: Any) -> dict[str, Any]:
    """A row in the form in which google-benchmark writes it."""
    return {"name": name, "run_name": name, "run_type": "iteration", **members}


def shown(found: list[Measured]) -> str:
    text = StringIO()
    console = Console(width=140, file=text)
    for table in tables(found):
        console.print(table)
    return text.getvalue()


def test_names_are_without_what_google_benchmark_adds() -> None:
    long = "native/policy/never/live:1024/iterations:1/manual_time"
    assert short_name(long) == "native/policy/never/live:1024"
    assert short_name("node/install/tbs:8") == "node/install/tbs:8"


def test_repetitions_are_one_benchmark_and_aggregates_are_left_out() -> None:
    name = "native/interp/alu"
    rows = [row(name, s_per_insn=v, iterations=7) for v in (3e-9, 1e-9, 2e-9)]
    rows.append({**row(name, s_per_insn=9.0), "run_type": "aggregate"})
    (one,) = measured(rows)
    assert one.part == "native/interp"
    assert one.median("s_per_insn") == 2e-9
    assert one.spread("s_per_insn") == pytest.approx(0.5)
    assert one.median("s_per_tb") is None and one.spread("s_per_tb") is None


def test_a_benchmark_that_failed_is_shown_as_one() -> None:
    failed = row("node/counts/off", error_occurred=True, error_message="refused")
    (one,) = measured([failed])
    assert one.error == "refused"
    assert "FAILED: refused" in shown([one])


def test_tables_have_units_medians_and_spread() -> None:
    name = "native/emit/functions/tbs:8"
    rows = [row(name, s_per_tb=v, bytes_per_second=4e7) for v in (5e-6, 6e-6, 7e-6)]
    text = shown(measured(rows))
    assert "a TB, us" in text and "bytecode, MB/s" in text
    line = next(line for line in text.splitlines() if "functions/tbs:8" in line)
    assert line.split() == ["functions/tbs:8", "6", "40", "17", "%"]


def test_every_part_has_a_table() -> None:
    rows = [row(f"{part}/x", real_time=1.0) for part in PARTS]
    text = shown(measured(rows))
    for part in PARTS:
        assert f" {part} " in text


TARGETS = ROOT / "bench/micro/targets.toml"


def verdicts(found: list[Measured]) -> list[Verdict]:
    return [target.verdict(found) for target in read_targets(TARGETS)]


def by_title(rows: list[dict[str, Any]]) -> dict[str, bool | None]:
    return {v.target.figure: v.met for v in verdicts(measured(rows))}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no target is in it"),
        ("target = 1", "unknown key 'target'; valid: targets"),
        ("targets = ['x']", ":1: it is not a table"),
        ("[[targets]]\nbellow = 1", ":1: unknown key 'bellow'; valid: figure"),
        ("[[targets]]\nfigure = 'f'", ":1: it has not one limit"),
        ("[[targets]]\nfigure = 'f'\nbelow = 1", ":1: it has no benchmarks"),
        (
            "[[targets]]\nfigure='f'\nbenchmarks='b'\nmember='m'\nbelow='x'",
            ":1:below: 'x' will not do: give a number",
        ),
        (
            "[[targets]]\nfigure='f'\nbenchmarks='b'\nmember=1\nbelow=1",
            ":1:member: 1 will not do: give a text",
        ),
        ("x =", "is not TOML"),
    ],
)
def test_a_bad_file_of_targets_is_refused(
    text: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(TierlabError) as caught:
        read_targets(path)
    assert caught.value.status == USAGE and words in caught.value.line()


def test_targets_stand_for_the_worst() -> None:
    rows = [
        row("native/emit/functions/tbs:1", bytes_per_second=4e7),
        row("native/emit/functions/tbs:8", bytes_per_second=2.9e7),
        row("native/emit/regions/tbs:8", bytes_per_second=3e7),
        row("native/policy/a/live:1024", s_per_decided_tb=99e-9),
        row("native/policy/b/live:1024", s_per_decided_tb=20e-9),
        row("native/policy/b/live:16384", s_per_decided_tb=100e-9),
        # This benchmark is of an eviction, not of a policy.
        row("native/evict/b/live:1024", s_per_decided_tb=1e-3),
    ]
    met = by_title(rows)
    assert met["emission of functions, bytecode"] is False
    assert met["emission of regions, bytecode"] is True
    assert met["policy decision for a TB, 1024 live"] is True
    assert met["policy decision for a TB, 16384 live"] is False
    assert met["policy decision for a TB, 65536 live"] is None
    lines = [verdict.line() for verdict in verdicts(measured(rows))]
    assert lines[0] == (
        "emission of functions, bytecode >= 30 MB/s: 29 MB/s, missed "
        "(native/emit/functions/tbs:8)"
    )
    assert lines[4].endswith("not measured here")


WAYS = POINTER, _, AT_ONCE = tuple(f"approach_ms:{ms}" for ms in APPROACHES_MS)


def visit(**more: Any) -> dict[str, Any]:
    """A visit in the form in which measure.mjs prints it."""
    echo = [9.0, 10.0, 60.0]
    times = {"prompt_ms": 2300.0, "load_ms": 100.0, "paint_ms": 250.0, "echo_ms": echo}
    return {**times, "bytes": 33_000, "longest_task_ms": 72.0, "tier": "region", **more}


def test_the_page_is_compared_with_node_and_with_its_limits() -> None:
    untold = {"longest_task_ms": None, "paint_ms": 1200.0}
    rows = [
        row_of(f"chromium/page/{POINTER}", visit(), 2.0),
        row_of(f"chromium/page/{AT_ONCE}", visit(), 1.0),
        # A browser that does not report long tasks, and paints later.
        row_of(f"firefox/page/{POINTER}", visit(**untold), 1.9),
    ]
    assert rows[0]["prompt_of_node"] == pytest.approx(1.15)
    assert rows[0]["s_to_echo"] == pytest.approx(0.01)
    lines = {v.target.figure: v.line() for v in verdicts(measured(rows))}
    assert lines["page, click to prompt, of Node's boot"].endswith(
        f"1.21, missed (firefox/page/{POINTER})"
    )
    slow = lines["page, clicked at once, of Node's boot"]
    assert slow.endswith(f"2.30, missed (chromium/page/{AT_ONCE})")
    assert "1.20 s, missed (firefox" in lines["page, first paint"]
    assert "72 ms, met (chromium" in lines["page, longest task of the main thread"]
    text = shown(measured(rows))
    assert "click to prompt, s" in text and "key to echo, ms" in text


@pytest.mark.parametrize(
    ("scenario", "why"),
    [
        ([{"say": fakes.KERNEL + fakes.PANIC}], "Unable to mount root"),
        # The guest boots, but never shows a prompt, so there is no time.
        (fakes.GOOD, "never showed its prompt"),
    ],
)
def test_a_boot_without_a_prompt_is_a_failed_benchmark(
    guest: Guest, fake: FakeEngine, scenario: fakes.Scenario, why: str
) -> None:
    fake.scenarios = {"": scenario}
    request = BootRequest(guest, workload=SHELL, tier="never")
    seconds, said = _prompt_in_node(Boot(fake, request, {}, 60.0))
    assert seconds == 0.0 and why in said


@pytest.mark.guest
def test_the_page_is_measured_in_a_browser(tmp_path: Path) -> None:
    need("chromium")
    file = tmp_path / "page.json"
    assert main(["bench", "--engine", "chromium", "--quick", "--json", str(file)]) == 0
    document = json.loads(file.read_text())
    assert {"node", "chromium"} == set(document["context"]["tierlab"]["engines"])
    rows = document["benchmarks"]
    ways = [f"chromium/page/{way}" for way in WAYS]
    assert [r["name"] for r in rows] == [way for way in ways for _ in range(3)]
    for one in rows:
        assert 0 < one["s_to_load"] < one["s_to_prompt"]
        assert one["s_to_prompt_in_node"] > 0 and one["s_to_echo"] > 0
        assert 10_000 < one["bytes_before_boot"] < 300_000
        assert one["tier"].startswith("region")


@pytest.mark.parametrize(("last", "met"), [(140, True), (400, False)])
def test_memory_that_grows_with_modules_is_told(last: float, met: bool) -> None:
    steps = [90, 100, 120, last]
    other = {"maps": 1.0, "modules": 1.0, "real_time": 1.0}
    rows = [row(CHURN, rss_bytes=v, **other) for v in steps]
    title = "memory after replacing modules, last of ten steps to second"
    assert by_title(rows)[title] is met
    # A value equal to the limit is not below the limit.
    steps[-1] = 150
    assert by_title([row(CHURN, rss_bytes=v) for v in steps])[title] is False
    assert shown(measured(rows)).count("\n") > len(steps)


NAMES = ("native/emit/functions/tbs:1", "native/policy/never/live:1024")


def fake_native(directory: Path, status: int = 0) -> Path:
    """A product whose program lists two benchmarks and reports those asked for."""
    program = directory / "bin" / "micro-native"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, re, sys\n"
        f"names = {NAMES!r}\n"
        "options = dict(a.split('=', 1) for a in sys.argv[1:])\n"
        "if '--benchmark_list_tests' in options:\n"
        "    print(*names, sep='\\n'); sys.exit()\n"
        "chosen = [n for n in names if re.search(options['--benchmark_filter'], n)]\n"
        "rows = [{'name': n, 'run_name': n, 'run_type': 'iteration',"
        " 'bytes_per_second': 4e7, 's_per_tb': 1e-6} for n in chosen]\n"
        "document = {'context': {'num_cpus': 2}, 'benchmarks': rows}\n"
        "open(options['--benchmark_out'], 'w').write(json.dumps(document))\n"
        "print('remark', file=sys.stderr)\n"
        f"sys.exit({status})\n"
    )
    program.chmod(0o755)
    return directory


@pytest.fixture
def native_product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    product = fake_native(tmp_path / "product")
    monkeypatch.setenv(product_variable("micro-native"), str(product))
    return product


def test_results_are_in_the_format_with_provenance(
    native_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    assert main(["bench", "--native", "emit", "--json", str(file)]) == DONE
    document = json.loads(file.read_text())
    assert [r["name"] for r in document["benchmarks"]] == [NAMES[0]]
    assert document["context"]["num_cpus"] == 2
    ours = document["context"]["tierlab"]
    assert ours["products"] == {"micro-native": "product"}
    assert {"git", "host", "load_average"} <= ours.keys()
    out = capsys.readouterr().out
    assert "Emission" in out and " 30 MB/s" not in out
    targets = ["--targets", str(TARGETS)]
    assert main(["bench", "--native", "emit", "--json", str(file), *targets]) == DONE
    out = capsys.readouterr().out
    assert "40 MB/s, met" in out and "first paint < 1 s: not measured here" in out


def test_the_list(native_product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--native", "--list", "policy"]) == DONE
    assert capsys.readouterr().out.split() == [NAMES[1]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonesuch"], "unknown benchmark 'nonesuch'; valid: native/emit, native/pol"),
        (["("], "the filter '(' is no regular expression"),
        (["--engine", "abacus"], "unknown engine 'abacus'; valid: node"),
    ],
)
def test_wrong_words_are_usage_errors_of_one_line(
    words: list[str],
    said: str,
    native_product: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bench", "--native", *words]) == USAGE
    line = capsys.readouterr().err
    assert said in line and line.count("\n") == 1


def test_a_program_that_fails_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    product = fake_native(tmp_path / "product", status=3)
    monkeypatch.setenv(product_variable("micro-native"), str(product))
    file = tmp_path / "x.json"
    assert main(["bench", "--native", "--json", str(file)]) == FAILED
    line = capsys.readouterr().err.splitlines()[-1]
    assert "micro-native ended with status 3: remark;" in line
    assert not file.exists()


def test_an_engine_that_dies_is_a_benchmark_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    node = tmp_path / "node" / "bin" / "node"
    node.parent.mkdir(parents=True)
    node.write_text(
        "#!/bin/sh\n"
        'case "$*" in *--list) echo node/counts/off; echo node/churn ;;\n'
        "*counts*) kill -9 $$ ;;\n"
        "*10\\ --quick\\ 1) echo '{\"benchmarks\": []}' ;;\n"
        "*) exit 7 ;; esac\n"
    )
    node.chmod(0o755)
    monkeypatch.setenv(product_variable("node"), str(tmp_path / "node"))
    monkeypatch.setenv(product_variable("micro-wasm"), str(tmp_path))
    file = tmp_path / "x.json"
    words = ["bench", "--engine", "node", "--quick", "--json", str(file)]
    assert main(words) == FAILED
    (only,) = json.loads(file.read_text())["benchmarks"]
    assert only["name"] == "node/counts/off" and only["error_occurred"]
    assert "FAILED: the engine ended with status -9" in capsys.readouterr().out
