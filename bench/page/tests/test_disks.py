"""Disk images in a page: packing, description, refusals; and images of the user."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.base.errors import USAGE, TierlabError
from bench.guests.devices.disk import Disk
from bench.guests.devices.images import Image
from bench.harness.products import obtain
from bench.page import disks
from bench.page.places import PagePlaces
from bench.page.tests.sites import built, make_contents, make_guest, make_site
from bench.page.tests.test_modules import ask

needs_qemu_img = pytest.mark.skipif(
    shutil.which("qemu-img") is None, reason="qemu-img is not installed"
)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """The image of a disk that is not empty."""
    path = tmp_path / "my disk.img"
    path.write_bytes(b"contents" * 64 * 100)
    return path


def refused(*texts: str) -> str:
    with pytest.raises(TierlabError) as error:
        disks.plugged(texts)
    assert error.value.status == USAGE and "\n" not in error.value.line()
    return error.value.line()


def test_what_is_written_is_forgotten(raw: Path) -> None:
    raw.chmod(0o444)
    one, two = (
        disks.plugged([f"{raw},{settings}"])[0]
        for settings in ("mount=ext4", "readonly=on")
    )
    assert (one.snapshot, one.readonly, one.mount) == (True, False, "ext4")
    assert (two.snapshot, two.readonly) == (False, True)


def test_refused(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is no file" in refused(str(tmp_path))
    (tmp_path / "b").mkdir()
    again = shutil.copy(raw, tmp_path / "b")
    assert "two images are called my disk.img" in refused(str(raw), str(again))
    monkeypatch.setattr(disks, "MAX_BYTES", 1000)
    assert "more than" in refused(str(raw))


@needs_qemu_img
def test_backing_files_are_refused(raw: Path, tmp_path: Path) -> None:
    top = tmp_path / "top.qcow2"
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(raw), "-F", "raw"]
    subprocess.run([*argv, str(top)], check=True)
    assert "has a backing file" in refused(str(top))


def test_site_has_them(tmp_path: Path, raw: Path) -> None:
    made_of = make_contents(tmp_path, disks=tuple(disks.plugged([f"{raw},mount=ext4"])))
    site = make_site(tmp_path, made_of)
    (path,) = site.glob("site-*/site.json")
    (told,) = json.loads(path.read_text())["disks"]
    assert (told["name"], told["format"], told["mount"]) == (
        "my disk.img",
        "raw",
        "ext4",
    )
    (part,) = told["parts"]
    index = gzip.decompress((site / part["url"]).read_bytes())
    assert len(index) == part["bytes"] and told["bytes"] == raw.stat().st_size
    assert hashlib.sha256(index).hexdigest() == part["sha256"]
    folder = (site / part["url"]).parent
    piece = folder / f"{hashlib.sha256(raw.read_bytes()).hexdigest()}.gz"
    assert gzip.decompress(piece.read_bytes()) == raw.read_bytes()
    assert told["packed"] == piece.stat().st_size
    # There are too many pieces for the service worker's list of files.
    lists = built(site)
    assert lists["folders"] == [folder.name]
    assert not any(path.startswith("disk-") for path in lists["known"])


@pytest.mark.parametrize("readonly", [False, True])
def test_arguments_are_those_of_every_engine(tmp_path: Path, readonly: bool) -> None:
    products = obtain(["node"], Console(stderr=True))
    guest = make_guest(tmp_path / "guest", "riscv64-tiny")
    image = Image(Path("/disks/1-my_disk.qcow2"), "qcow2", 512)
    own = Disk(image, readonly).qemu_arguments(guest.arch, guest.machine, PagePlaces())
    told = {"name": "my disk.qcow2", "format": "qcow2", "readonly": readonly}
    words = ask(
        products, ask="disk", guest={"disk": disks.template(guest)}, disk=told, n=1
    )
    digest = own[1].split("id=")[1].split(",")[0]
    expected = [word.replace(digest, "disk-1") for word in own]
    # The disk's serial number does not depend on the disk's place in the page.
    assert words == [w.replace("serial=1-my_disk", "serial=my_disk") for w in expected]


def test_images_of_a_user(tmp_path: Path) -> None:
    products = obtain(["node"], Console(stderr=True))
    ext = bytes(1080) + b"\x53\xef" + bytes(1024 - 58)
    qcow2 = b"QFI\xfb" + bytes(100)
    limits = {"disk_bytes": 1 << 20}

    def read(name: str, data: bytes) -> dict[str, Any]:
        (tmp_path / "image").write_bytes(data)
        found: dict[str, Any] = ask(
            products,
            ask="image",
            name=name,
            path=str(tmp_path / "image"),
            limits=limits,
        )
        return found

    assert len(ext) % 512 == 0
    said = read("a.img", ext)
    assert (said["format"], said["mount"], said["bytes"]) == ("raw", "ext4", len(ext))
    assert read("a.qcow2", qcow2)["format"] == "qcow2"
    assert read("a.img", bytes(512))["mount"] == ""
    for name, data, why in (
        ("a.img", qcow2, "contents of a qcow2"),
        ("a.qcow2", bytes(512), "name of a qcow2"),
        ("a.img", b"", "whole sectors"),
        ("a.img", bytes(513), "whole sectors"),
        ("a.img", b"\x1f\x8b" + bytes(510), "packed by gzip"),
        ("a.img", bytes((1 << 20) + 512), "more than"),
    ):
        assert why in read(name, data)["error"]
