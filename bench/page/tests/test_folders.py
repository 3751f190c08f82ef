"""Folders of the host in a page: packing, description, refusals."""

from __future__ import annotations

import gzip
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from bench.base.errors import USAGE, TierlabError
from bench.guests import catalogue, manifest
from bench.guests.devices.share import Share
from bench.page import describe, folders
from bench.page.make import shared
from bench.page.places import PagePlaces
from bench.page.tests.sites import (
    built,
    make_contents,
    make_guest,
    make_shares,
    make_site,
)


def entries_of(packed: folders.Packed) -> dict[str, dict[str, Any]]:
    return {entry["path"]: entry for entry in json.loads(packed.index)}


def test_everything_is_packed(tmp_path: Path) -> None:
    share, _ = make_shares(tmp_path)
    os.utime(share.path / "hello", ns=(0, 981_173_106_250_000_000))
    packed = folders.pack(share)
    entries = entries_of(packed)
    assert list(entries) == ["hello", "link", "sub", "sub/grüße", "sub/prog"]
    assert packed.files == 5
    assert entries["hello"]["mtime"] == 981_173_106.25
    assert entries["link"]["target"] == "sub/prog"
    assert entries["sub"]["mode"] == 0o755
    assert entries["sub/prog"]["mode"] == 0o755
    for name in ("hello", "sub/grüße", "sub/prog"):
        entry = entries[name]
        data = packed.data[entry["at"] : entry["at"] + entry["size"]]
        assert data == (share.path / name).read_bytes()
    assert sum(e.get("size", 0) for e in entries.values()) == len(packed.data)


def refused(share: Share) -> str:
    with pytest.raises(TierlabError) as error:
        folders.pack(share)
    assert error.value.status == USAGE
    assert "\n" not in error.value.line()
    return error.value.line()


@pytest.mark.parametrize("target", ["/etc/passwd", "../beside", "sub/../../beside"])
def test_links_out_of_it_are_refused(tmp_path: Path, target: str) -> None:
    share, _ = make_shares(tmp_path)
    (share.path / "bad").symlink_to(target)
    assert f"bad is a link out of the folder, to {target}" in refused(share)


@pytest.mark.parametrize("target", ["../hello", "../sub", "prog", "nowhere"])
def test_links_in_it_are_kept(tmp_path: Path, target: str) -> None:
    share, _ = make_shares(tmp_path)
    (share.path / "sub" / "good").symlink_to(target)
    assert entries_of(folders.pack(share))["sub/good"]["target"] == target


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    share, _ = make_shares(tmp_path)
    os.mkfifo(share.path / "pipe")
    assert "pipe is no file, folder or link" in refused(share)
    (share.path / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(share.path / "socket"))
        assert "socket is no file" in refused(share)


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    share, _ = make_shares(tmp_path)
    open(os.path.join(os.fsencode(share.path), b"odd\xff"), "w").close()
    assert "is not UTF-8" in refused(share)


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share, _ = make_shares(tmp_path)
    monkeypatch.setattr(folders, "MAX_BYTES", 10_000)
    assert "has more than 0 MiB" in refused(share)
    monkeypatch.undo()
    monkeypatch.setattr(folders, "MAX_ENTRIES", 4)
    assert "has more than 4 files" in refused(share)


def test_command_line(tmp_path: Path) -> None:
    share, _ = make_shares(tmp_path)
    share.path.chmod(0o555)
    (packed,) = shared([f"{share.path},tag=docs"])
    assert packed.share.tag == "docs" and not packed.share.readonly
    for text in (f"{share.path}/hello", str(tmp_path / "missing")):
        with pytest.raises(TierlabError) as error:
            shared([text])
        assert error.value.status == USAGE
    with pytest.raises(TierlabError) as error:
        shared([f"{share.path},tag=a", f"{share.path},tag=a"])
    assert "two folders have the tag 'a'" in error.value.line()


def test_site_has_them(tmp_path: Path) -> None:
    shares = make_shares(tmp_path)
    site = make_site(tmp_path, make_contents(tmp_path, shares=shares))
    (path,) = site.glob("site-*/site.json")
    docs, fixed = json.loads(path.read_text())["shares"]
    assert (docs["tag"], docs["name"], docs["readonly"]) == ("docs", "my docs", False)
    assert (fixed["tag"], fixed["readonly"], fixed["files"]) == ("fixed", True, 1)
    index, data = (
        gzip.decompress((site / part["url"]).read_bytes()) for part in docs["parts"]
    )
    assert (index, data) == (
        folders.pack(shares[0]).index,
        folders.pack(shares[0]).data,
    )
    assert [p["bytes"] for p in docs["parts"]] == [len(index), len(data)]
    # No file of the page has the folder's path on the host, and the service worker
    # does not load the folder ahead.
    assert not any(
        str(tmp_path).encode() in p.read_bytes()
        for p in site.rglob("*.*")
        if p.is_file()
    )
    lists = built(site)
    assert any("share-docs-" in path for path in lists["known"])
    assert not any("share-docs-" in path for path in lists["shell"])


def test_arguments_are_those_of_every_engine(tmp_path: Path) -> None:
    guest = make_guest(tmp_path / "g", "riscv64-tiny")
    told = describe.describe_guest(guest, [])
    own = Share(Path("/"), "docs", readonly=True).qemu_arguments(
        guest.arch, guest.machine, PagePlaces()
    )
    words = [word.replace(describe.TAG, "docs") for word in told["share"]]
    words[1] += ",readonly=on"
    assert words == own
    assert told["arguments"][told["devices_at"] :] == list(guest.arguments)


def test_machine_without_a_place(tmp_path: Path) -> None:
    name = next(g.name for g in catalogue.GUESTS if g.machine == "raspi3ap")
    (tmp_path / "kernel").write_bytes(b"k")
    (tmp_path / "initrd").write_bytes(b"i")
    (tmp_path / "dtb").write_bytes(b"d")
    manifest.write(catalogue.find_guest(name), tmp_path, "6.12.0-fake")
    guest = manifest.load(tmp_path)
    assert describe.describe_guest(guest, [])["share"] is None
