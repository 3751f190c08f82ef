"""The page's own modules read consoles, results and files as the harness does."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.load import run_from_json
from bench.base.settings import SETTINGS, setting
from bench.base.values import Choice, Whole
from bench.engines.base import with_budgets
from bench.guests import catalogue, manifest
from bench.guests.devices.share import _TAG
from bench.guests.guest import Marker
from bench.harness.process.console import OOPS_PATTERNS, PANIC_PATTERNS, ConsoleParser
from bench.harness.products import TIERS, obtain
from bench.harness.run.policies import declared
from bench.harness.run.profile import profile_text
from bench.harness.run.tb_rows import pack_tbs
from bench.page.describe import describe, describe_guest, javascript
from bench.page.tests.sites import GUESTS
from bench.page.tests.sites import TIERS as TIER_LIST
from bench.page.tests.sites import make_guest
from bench.testing.fakes import SHARED, STATS
from bench.testing.schema import check_form

ASK = Path(__file__).with_name("modules.mjs")
SAMPLES = Path(__file__).resolve().parents[2] / "guests" / "tests" / "samples"


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    """Node, and the program that knows the policies."""
    return obtain([TIERS, "node"], Console(stderr=True))


def ask(products: dict[str, Path], **question: Any) -> Any:
    """The answer of the page's modules."""
    argv = [str(products["node"] / "bin" / "node"), str(ASK)]
    done = subprocess.run(
        argv, input=json.dumps(question), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def described(name: str) -> tuple[dict[str, Any], list[Marker]]:
    """A guest's patterns, in the page's form and in the harness's form."""
    markers = manifest.markers_of(catalogue.find_guest(name))
    told = {
        "markers": [
            {"phase": m["phase"], "match": javascript(m["match"])} for m in markers
        ],
        "panics": list(map(javascript, PANIC_PATTERNS)),
        "oopses": list(map(javascript, OOPS_PATTERNS)),
        "passed": None,
        "failed": None,
    }
    own = [Marker(m["phase"], re.compile(m["match"])) for m in markers]
    return told, own


MORE = (
    "@tierlab round guest=1.10 n=0\r\n@tierlab round guest=1.30 n=1\r\n"
    "@tierlab round guest=1.35 n=2 of=python\r\n@tierlab round guest=1.36 n=2 of=\r\n"
    "@tierlab figure guest=1.40 name=loop-1 value=12.50 unit=Minsn/s\r\n"
    "@tierlab figure guest=1.50 name=gap value=7 unit=us better=less\r\n"
    "@tierlab figure guest=1.50 name=bad value=nan unit=us\r\n"
    "\x1b[1m@tierlab workload-end guest=2.5 status=3\x1b[0m\r\n",
    "[    1.0] BUG: unable to handle page fault\r\n"
    "[    2.0] Kernel panic - not syncing: x",
    "[    0.9] Oops [#1]\nCall Trace:\n",
    "",
)


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("name", ["riscv64-tiny", "riscv64-debian"])
@pytest.mark.parametrize("more", MORE)
def test_console(products: dict[str, Path], name: str, size: int, more: str) -> None:
    guest, markers = described(name)
    text = (SAMPLES / f"{name}.txt").read_text() + more
    found = ask(products, ask="console", guest=guest, text=text, size=size)
    parser = ConsoleParser(markers)
    data = text.encode()
    for ms, at in enumerate(range(0, len(data), size), start=1):
        parser.feed(data[at : at + size], float(ms))
    parser.close(0.0)
    assert found["phases"] == [asdict(p) for p in parser.phases]
    assert found["rounds"] == [asdict(r) for r in parser.rounds]
    assert found["figures"] == [asdict(f) for f in parser.figures]
    assert (found["panic"], found["oops"]) == (parser.panic, parser.oops)
    assert found["phases"]


def test_every_parameter_takes_its_range(products: dict[str, Path]) -> None:
    said = declared(products[TIERS])
    params = [p for policy in said["policies"] for p in policy.get("params", [])]
    params += said["common"]
    params = [p for p in params if p["type"] != "text"]
    good, bad = [], []
    for param in params:
        good.append({"param": param, "value": str(param["default"])})
        if param["type"] == "enum":
            good += [{"param": param, "value": c} for c in param["choices"]]
            bad.append({"param": param, "value": "nonsense"})
        else:
            good += [{"param": param, "value": str(param[k])} for k in ("min", "max")]
            bad += [
                {"param": param, "value": value}
                for value in ("", "x", "-1", "1e999", str(float(param["max"]) * 10))
            ]
        if param["type"] == "u64":
            bad.append({"param": param, "value": "1.5"})
    assert set(ask(products, ask="complaints", asked=good)) == {""}
    answers = ask(products, ask="complaints", asked=bad)
    assert all(answer.startswith("Give ") for answer in answers)


def test_controls_take_what_workloads_take(products: dict[str, Path]) -> None:
    for workload in catalogue.WORKLOADS:
        own = [asdict(param) for param in workload.params]
        told = ask(products, ask="workloadParams", params=own)
        asked = []
        for param, read in zip(told, workload.params, strict=True):
            values = ["", "nonsense", "0", "1", "-1", "9" * 20, str(read.default)]
            values += getattr(read, "choices", ())
            asked += [{"param": param, "value": value} for value in values]
        answers = iter(ask(products, ask="complaints", asked=asked))
        for case, answer in zip(asked, answers, strict=True):
            read = next(p for p in workload.params if p.name == case["param"]["name"])
            assert (answer == "") == (read.read(case["value"]) is not None), case


def test_controls_take_what_the_table_of_settings_says(
    products: dict[str, Path],
) -> None:
    site = describe([], {}, {"policies": []}, {}, {})
    guest = {"smp": 4, "memory_mib": 512}
    params = ask(products, ask="machineParams", site=site, guest=guest)
    assert [p["name"] for p in params] == [one.name for one in SETTINGS if one.page]
    good, bad = [], []
    for param in params:
        values = setting(param["name"]).values
        good.append({"param": param, "value": str(param["default"])})
        if isinstance(values, Whole):
            good += [{"param": param, "value": v} for v in (values.low, values.high)]
            beyond = (values.low - 1, values.high + 1)
            bad += [{"param": param, "value": v} for v in beyond]
        else:
            assert isinstance(values, Choice)
            good += [{"param": param, "value": name} for name in values.names]
            bad.append({"param": param, "value": "nonsense"})
    assert {"smp": 4, "memory": 512}.items() <= {
        param["name"]: param["default"] for param in params
    }.items()
    assert set(ask(products, ask="complaints", asked=good)) == {""}
    answers = ask(products, ask="complaints", asked=bad)
    for case, answer in zip(bad, answers, strict=True):
        assert setting(case["param"]["name"]).values.wanted in answer


@pytest.mark.parametrize("ended", [False, True])
def test_results_have_the_form_of_the_harness(
    products: dict[str, Path], tmp_path: Path, ended: bool
) -> None:
    guest = make_guest(tmp_path / "guest", GUESTS[0])
    program = {
        "url": "qemu.js",
        "files": [],
        "product": "key",
        "versions": {"qemu": "10.0.0"},
    }
    git = {"git": SHARED["git"]}
    told = [describe_guest(guest, [])]
    site = describe(told, {guest.arch: program}, TIER_LIST, git, {})
    policy = {**STATS["policy"], "spec": "threshold"}
    counters = {"first_insn_epoch_ms": 1, "tbs_translated": 5}
    stats = {**STATS, "policy": policy, "counters": counters} if ended else None
    rows = [{"t_ms": 1, "modules": 0}, {"t_ms": 2, "modules": 1, "slots": 4}]
    result = ask(
        products, ask="result", site=site, stats=stats, timeline=rows if ended else []
    )
    check_form(result, "run")
    assert result["stats"]["present"] == ended
    # The result also has the settings for which the page has no control.
    assert result["config"]["tb_size_mib"] is None
    assert result["config"]["smp"] == guest.smp
    assert run_from_json(result).guest == guest.name


def test_specs(products: dict[str, Path]) -> None:
    texts = ["never", "threshold:n=5", "batch:by=page,size=3,", "odd:=1,x"]
    assert ask(products, ask="specs", texts=texts) == [
        {"name": "never", "values": {}},
        {"name": "threshold", "values": {"n": "5"}},
        {"name": "batch", "values": {"by": "page", "size": "3"}},
        {"name": "odd", "values": {}},
    ]
    params = [{"name": "n", "default": 5}, {"name": "m", "default": 1}]
    values = {"n": "5", "m": "2"}
    shown = ask(products, ask="format", name="x", params=params, values=values)
    assert shown == "x:m=2"


def test_segments(products: dict[str, Path]) -> None:
    phases = [
        {"phase": "kernel", "host_ms": 10.0},
        {"phase": "init", "host_ms": 30.0},
        {"phase": "prompt", "host_ms": 35.0},
    ]
    found = ask(products, ask="segments", phases=phases, wall=900.0, interactive=True)
    assert [(s["name"], s["start"], s["end"]) for s in found] == [
        ("QEMU starts", 0, 10), ("kernel", 10, 30), ("init", 30, 35),
    ]  # fmt: skip


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_archives(products: dict[str, Path], tmp_path: Path) -> None:
    long = b"d/" * 70 + b"n" * 120
    files = {
        b"empty": b"",
        b"odd \xff\x01": b"x" * 512,
        "gr\u00fc\u00dfe".encode(): b"y" * 513,
        b"n" * 100: b"exactly",
        long: b"long",
    }
    entries: list[dict[str, Any]] = [
        {"path": b64(b"dir"), "mode": 0o40750, "mtime": 1.9},
        {"path": b64(b"e" * 100), "mode": 0o40700, "mtime": 2**34},
        {"path": b64(b"link"), "mode": 0o120777, "target": b64(b"../to \xff")},
        {"path": b64(b"far"), "mode": 0o120777, "target": b64(b"t/" * 90)},
    ]
    for name, data in files.items():
        entry = {"path": b64(name), "mode": 0o101644, "mtime": -7, "data": b64(data)}
        entries.append(entry)
    archive = base64.b64decode(ask(products, ask="tar", entries=entries))
    assert len(archive) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
        found = {os.fsencode(entry.name): entry for entry in opened.getmembers()}
        assert found.keys() == files.keys() | {b"dir", b"e" * 100, b"link", b"far"}
        for name, data in files.items():
            extracted = opened.extractfile(found[name])
            assert extracted is not None and extracted.read() == data
            assert (found[name].mode, found[name].mtime) == (0o1644, -7)
    assert found[b"dir"].isdir() and found[b"dir"].mode == 0o750
    assert (found[b"dir"].mtime, found[b"e" * 100].mtime) == (1, 2**34)
    assert os.fsencode(found[b"link"].linkname) == b"../to \xff"
    assert found[b"link"].issym() and found[b"far"].linkname == "t/" * 90
    # The program tar reads the same.
    (tmp_path / "a.tar").write_bytes(archive)
    listed = subprocess.run(
        ["tar", "-tf", "a.tar"], cwd=tmp_path, capture_output=True, check=True
    )
    assert listed.stderr == b"" and len(listed.stdout.splitlines()) == len(found)


def test_tags(products: dict[str, Path]) -> None:
    names = [
        "docs",
        "docs",
        "my docs!",
        "\u00fcn\u00ef",
        "\u65e5\u672c",
        "..",
        "x" * 40,
    ]
    tags = ask(products, ask="tags", names=names)
    assert tags == ["docs", "docs-2", "mydocs", "uni", "share", "share-2", "x" * 28]
    assert all(_TAG.fullmatch(tag) for tag in tags)


def test_too_much_for_a_page(products: dict[str, Path]) -> None:
    limits = {"share_entries": 2, "share_bytes": 1 << 20}
    file = {"path": "a", "data": {"size": 1 << 19}}

    def said(entries: list[dict[str, Any]]) -> str:
        return str(ask(products, ask="tooMuch", entries=entries, limits=limits))

    assert said([file, file]) == ""
    assert "more than 2 files" in said([{"path": "d"}] * 3)
    assert "more than 1 MiB" in said([file, {"path": "b", "data": {"size": 600_000}}])


def test_profiles_are_those_of_the_harness(products: dict[str, Path]) -> None:
    tbs = {
        "columns": ["hash", "exec_tier0", "exec_tier1"],
        "rows": [
            ["00000000000000ff", 5, 1],
            ["8000000000000001", 3, 0],
            ["0000000000000000", 99, 0],
            ["0000000000000007", 0, 0],
            ["00000000000000ff", 1, 0],
            ["0000000000000003", 1, 2],
        ],
    }
    result = {"stats": {"tbs": pack_tbs(tbs)}}
    expected = profile_text(result, "result")
    assert expected.count("\n") == 4
    for text in (json.dumps(result), expected):
        found = ask(products, ask="profile", text=text)
        assert found == {"name": "name", "text": expected}
    for text, why in (
        ("nonsense", "neither a profile nor a result"),
        ("{}", "no rows of TBs"),
        (json.dumps({"stats": {"tbs": None}}), "no rows of TBs"),
    ):
        assert why in ask(products, ask="profile", text=text)["error"]


@pytest.mark.parametrize(
    "spec", ["never", "threshold:n=5", "threshold:max-modules=9,n=5", "x:"]
)
def test_budgets_are_put_in_as_the_harness_does(
    products: dict[str, Path], spec: str
) -> None:
    more = {"max-modules": 8000}
    ran = ask(products, ask="withMore", spec=spec, more=more)
    assert ran == with_budgets(spec, more)


def test_threads_by_vcpus(products: dict[str, Path]) -> None:
    lines = [
        ["-M", "virt", "-smp", "4", "-m", "256"],
        ["-smp", "cpus=2,sockets=1"],
        ["-M", "virt"],
        ["-smp", "what"],
        ["-smp", "64"],
    ]
    assert ask(products, ask="threads", lines=lines) == [6, 4, 3, 3, 10]


@pytest.mark.parametrize("name", GUESTS)
def test_boot_is_that_of_the_harness(
    products: dict[str, Path], name: str, tmp_path: Path
) -> None:
    guest = make_guest(tmp_path / "guest", name)
    told = describe_guest(guest, [])
    # The page starts QEMU with a stopped machine, which waits for the click.
    assert ask(products, ask="arguments", guest=told) == [*told["arguments"], "-S"]
    # On x86, the command line of our kernels has the rate of the clock.
    assert bool(told["append_after"]) == (guest.arch == "x86_64")
