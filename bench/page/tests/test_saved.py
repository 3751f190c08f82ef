"""Saved machines in a page: the offer, the description, the refusals."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.base.errors import TierlabError
from bench.engines.base import BootRequest, qemu_arguments
from bench.guests.devices.network import Network
from bench.guests.guest import Guest
from bench.harness.products import obtain
from bench.harness.snapshots.file import read_snapshot
from bench.page import describe
from bench.page import snapshots as saved
from bench.page.places import PagePlaces
from bench.page.tests.sites import (
    QEMU,
    STREAM_BYTES,
    built,
    make_contents,
    make_guest,
    make_site,
    make_snapshot,
)
from bench.page.tests.test_modules import ask

NETWORK = Network((8000,))


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """A guest of the catalogue."""
    return make_guest(tmp_path / "guest", "riscv64-tiny")


def refused(path: Path, guest: Guest, network: Network | None = None) -> str:
    with pytest.raises(TierlabError) as error:
        saved.check(saved.offered([path]), [guest], {"riscv64": QEMU}, network)
    assert "\n" not in error.value.line()
    return error.value.line()


def test_site_has_them(tmp_path: Path) -> None:
    site = make_site(tmp_path, make_contents(tmp_path, saved=("one", "two")))
    (path,) = site.glob("site-*/site.json")
    one, two = json.loads(path.read_text())["machines"]
    assert [one["name"], two["name"]] == ["one", "two"]
    assert (one["guest"], one["memory_mib"], one["smp"]) == ("riscv64-tiny", 300, 2)
    assert one["console"] == "the last line\n" and not one["net"]
    state = (site / one["part"]["url"]).read_bytes()
    assert gzip.decompress(state) == bytes(STREAM_BYTES)
    assert (one["part"]["bytes"], one["part"]["packed"]) == (STREAM_BYTES, len(state))
    assert one["part"]["path"] == "/tierlab/incoming"
    lists = built(site)
    assert one["part"]["url"] in lists["known"]
    assert not any("state.gz" in path for path in lists["shell"])


def test_machine_is_made_as_it_was(tmp_path: Path, guest: Guest) -> None:
    path = make_snapshot(tmp_path / "a.snap", guest, icount=3)
    (one,) = saved.offered([path])
    told = saved.describe(one, guest, {})
    arguments: list[str] = told["arguments"]
    for words in (
        ["-smp", "2"],
        ["-m", "300"],
        ["-seed", "7"],
        ["-icount", "shift=3,sleep=off"],
        ["-incoming", "defer"],
    ):
        at = arguments.index(words[0])
        assert arguments[at : at + 2] == words
    # The page inserts devices at the same place as every other engine.
    request = BootRequest(guest, stream_in=path, devices=())
    places = PagePlaces()
    own = qemu_arguments(request, places)
    assert told["devices_at"] - len(arguments) == -len(guest.arguments)
    assert own[own.index("-incoming") + 2 :] == arguments[told["devices_at"] :]


def test_what_is_not_the_same_is_refused(tmp_path: Path, guest: Guest) -> None:
    def changed(**facts: Any) -> str:
        return refused(make_snapshot(tmp_path / "x.snap", guest, **facts), guest)

    assert "saved by QEMU 9.9" in changed(qemu="9.9")
    assert "other files" in changed(files=[])
    assert "with a disk" in changed(devices=[{"kind": "disk", "file": "x"}])
    net = NETWORK.as_json()
    assert "with --net host=8000" in changed(devices=[net])
    path = make_snapshot(tmp_path / "net.snap", guest, devices=[net])
    assert "with --net host=8000" in refused(path, guest, Network((8001,)))
    saved.check(saved.offered([path]), [guest], {"riscv64": QEMU}, NETWORK)


def test_damaged(tmp_path: Path, guest: Guest) -> None:
    path = make_snapshot(tmp_path / "x.snap", guest)
    data = bytearray(path.read_bytes())
    data[read_snapshot(path).offset + 5] ^= 1
    path.write_bytes(data)
    assert "is damaged" in refused(path, guest)


def test_names(tmp_path: Path, guest: Guest) -> None:
    (tmp_path / "b").mkdir()
    paths = [make_snapshot(tmp_path / d / "x.snap", guest) for d in ("", "b")]
    with pytest.raises(TierlabError) as error:
        saved.offered(paths)
    assert "two saved machines are called x" in error.value.line()
    (tmp_path / "none.snap").write_text("nothing")
    with pytest.raises(TierlabError):
        saved.offered([tmp_path / "none.snap"])


def test_only_the_end_of_a_console_is_shown(tmp_path: Path, guest: Guest) -> None:
    text = "".join(f"line {i}\n" for i in range(1000))
    path = make_snapshot(tmp_path / "x.snap", guest, console={"text": text})
    (one,) = saved.offered([path])
    shown = saved.describe(one, guest, {})["console"]
    assert shown.startswith("line ") and shown.endswith("line 999\n")
    assert len(shown) <= saved.SHOWN


@pytest.mark.parametrize("icount", [None, 3])
def test_page_reads_files_as_the_harness_does(
    tmp_path: Path, guest: Guest, icount: int | None
) -> None:
    products = obtain(["node"], Console(stderr=True))
    told = describe.describe(
        [describe.describe_guest(guest, [])],
        {"riscv64": {"versions": {"qemu": QEMU}}},
        {"policies": []},
        {},
        {},
        network=NETWORK,
    )

    def read(path: Path) -> dict[str, Any]:
        found: dict[str, Any] = ask(products, ask="snapshot", path=str(path), site=told)
        return found

    path = make_snapshot(tmp_path / "x.snap", guest, icount=icount)
    (one,) = saved.offered([path])
    expected = saved.describe(one, guest, {})
    found = read(path)
    names = "arguments devices_at resumed guest smp memory_mib seed workload"
    for name in f"{names} booted_for phases net name".split():
        assert found[name] == expected[name], name
    assert found["packed"] == one.snapshot.facts.packed_bytes
    net = make_snapshot(tmp_path / "net.snap", guest, devices=[NETWORK.as_json()])
    assert read(net)["net"] is True
    cut = tmp_path / "cut.snap"
    cut.write_bytes(path.read_bytes()[:-1])
    assert read(cut)["error"] == "it is damaged"
    refusals: tuple[tuple[dict[str, Any], str], ...] = (
        ({"qemu": "9.9"}, "saved by QEMU 9.9, this is 10.0.0"),
        ({"guest": "other"}, "holds guest other"),
        ({"files": []}, "another build"),
        ({"machine": {}}, "another build"),
        ({"devices": [{"kind": "disk"}]}, "devices that this page has not"),
    )
    for changed, why in refusals:
        other = make_snapshot(tmp_path / "other.snap", guest, **changed)
        assert why in read(other)["error"]
