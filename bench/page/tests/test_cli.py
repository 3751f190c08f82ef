"""`tierlab serve` and `tierlab page` as commands, with fake products."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.build.recipes.page import PRODUCT as LIBRARIES
from bench.cli.main import main
from bench.harness.products import TIERS, product_variable
from bench.page.make import DEFAULT_GUEST, chosen
from bench.page.tests.sites import make_libraries, make_program
from bench.testing.fakes import GUEST, make_guest, make_tiers

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def products(
    nothing_built: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fakes of all products of a page, set by variables; nothing else is built."""
    made = {
        TIERS: make_tiers(tmp_path / "tiers"),
        LIBRARIES: make_libraries(tmp_path / "libraries"),
        f"guest-{GUEST}": make_guest(tmp_path / GUEST),
    }
    for arch in ("riscv64", "fake64"):
        made[f"qemu-wasm-{arch}"] = make_program(tmp_path / arch, "riscv64")
    for name, path in made.items():
        monkeypatch.setenv(product_variable(name), str(path))
    monkeypatch.setenv("TIERLAB_CACHE", str(tmp_path / "cache"))


def test_page_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["page", str(out), "--guest", GUEST]) == 0
    assert (out / "index.html").is_file() and (out / "_headers").is_file()
    assert list(out.glob(f"guest-{GUEST}-*/kernel.gz"))
    assert f"with {GUEST}" in capsys.readouterr().out
    (out / "old").write_text("of an earlier page")
    assert main(["page", str(out), "--guest", GUEST]) == 0
    assert not (out / "old").exists()
    assert sorted(p.name for p in out.parent.iterdir()) == ["out"]


def test_page_with_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a").write_text("a")
    (tmp_path / "d.img").write_bytes(bytes(512))
    out, share, disk = tmp_path / "out", tmp_path / "docs", tmp_path / "d.img"
    command = ["page", str(out), "--guest", GUEST, "--share", f"{share},tag=t"]
    assert main([*command, "--disk", str(disk)]) == 0
    assert list(out.glob("share-t-*/data.gz")) and list(out.glob("disk-d-*/index.gz"))
    capsys.readouterr()
    before = sorted(out.rglob("*"))
    for more, why in (
        (["--share", f"{share},tag=t"], "two folders have the tag 't'"),
        (["--share", str(share / "a")], "is no folder"),
        (["--disk", str(share)], "is no file"),
        (["--snapshot", str(share / "a")], "is not a saved machine"),
    ):
        assert main([*command, *more]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and why in error
    assert sorted(out.rglob("*")) == before


def test_page_of_a_described_guest(tmp_path: Path) -> None:
    (tmp_path / "Image").write_bytes(b"image")
    mine = tmp_path / "mine.toml"
    mine.write_text('arch = "riscv64"\nmachine = "virt"\nkernel = "Image"\n')
    assert main(["page", str(tmp_path / "out"), "--guest", str(mine)]) == 0
    assert list((tmp_path / "out").glob("guest-mine-*/kernel.gz"))


def test_page_replaces_nothing_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    assert main(["page", str(out), "--guest", GUEST]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "is not empty and not a page" in error
    assert (out / "thesis.tex").read_text() == "mine"


def test_unknown_guest(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["serve"], ["page", "somewhere"]):
        assert main([*command, "--guest", "nobody"]) == 2
        error = capsys.readouterr().err
        assert "unknown guest 'nobody'" in error and error.count("\n") == 1
    assert not Path("somewhere").exists()


def test_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["serve", "--guest", GUEST, "--port", port]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"port {port}" in error


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_wrong_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", port]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture
def serving() -> Iterator[subprocess.Popen[str]]:
    """A process that runs `tierlab serve`."""
    argv = [sys.executable, "-P", "-m", "bench.cli", "serve"]
    process = subprocess.Popen(
        [*argv, "--guest", GUEST, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    yield process
    process.kill()
    process.communicate()


def test_serve_says_where_it_is_and_ends_in_order(
    serving: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert serving.stdout is not None
    line = serving.stdout.readline().strip()
    match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", line)
    assert match, line
    link = http.client.HTTPConnection("127.0.0.1", int(match[1]), timeout=20)
    link.request("GET", "/")
    assert b"<title>Tierlab</title>" in link.getresponse().read()
    link.close()
    serving.send_signal(signal.SIGINT)
    _, errors = serving.communicate(timeout=20)
    assert serving.returncode == 130 and errors.count("\n") <= 1
    assert not list((tmp_path / "cache" / "served").iterdir())


def test_default_is_what_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a choice, the page has the guests that are built, and the default guest.

    The default guest is among them even if it is not built.
    """
    assert [entry.name for entry in chosen(())] == [DEFAULT_GUEST, GUEST]
    monkeypatch.setenv(product_variable("guest-aarch64-tiny"), str(tmp_path))
    # The guest aarch64-tiny is built, but its QEMU is not.
    assert [entry.name for entry in chosen(())] == [DEFAULT_GUEST, GUEST]
    monkeypatch.setenv(product_variable("qemu-wasm-aarch64"), str(tmp_path))
    names = [entry.name for entry in chosen(())]
    assert names == [DEFAULT_GUEST, "aarch64-tiny", GUEST]
