"""Disks and folders on the command line and in descriptions, and their refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.base.errors import TierlabError
from bench.cli.main import main
from bench.guests.catalogue import GuestError
from bench.guests.description import describe
from bench.guests.devices.disk import Disk
from bench.testing.fakes import GUEST, Capture, FakeEngine, error_line

pytestmark = pytest.mark.usefixtures("products", "fake", "native")

BOOT = ["boot", GUEST, "--engine", "fake"]
COMPARE = ["compare", "--guest", GUEST, "--engine", "fake", "--tier", "never"]
COMPARE += ["--runs", "1", "--out", "out"]
DESCRIPTION = """
arch = "riscv64"
machine = "virt"
kernel = "image.elf"
[[disk]]
file = "disk.img"
snapshot = true
[[disk]]
file = "second.img"
format = "raw"
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("disk.img", "second.img"):
        Path(name).write_bytes(bytes(4096))
    Path("image.elf").write_bytes(b"image")
    Path("folder").mkdir()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*BOOT, "--disk", "none.img"], "--disk: none.img: No such file"),
        ([*BOOT, "--disk", "disk.img", "--disk", "disk.img"], "plugged in twice"),
        ([*BOOT, "--share", "disk.img"], "is no folder"),
        ([*BOOT, "--share", "folder", "--share", "folder"], "the tag 'share'"),
        ([*BOOT, "--share", "folder", "--save", "x"], "cannot be saved"),
        ([*BOOT, "--disk", "disk.img,snapshot=on", "--save", "x"], "would be gone"),
        ([*COMPARE, "--disk", "disk.img"], "add snapshot=on or readonly=on"),
        ([*COMPARE, "--share", "folder"], "add readonly=on"),
        (["boot", "aarch64-raspi3ap", "--disk", "disk.img"], "no place for a disk"),
        (["boot", "aarch64-raspi3ap", "--share", "folder"], "for a shared folder"),
        (["boot", "aarch64-raspi3ap", "--net", "isolated"], "for a network card"),
    ],
)
def test_refused_in_one_line_before_anything_starts(
    arguments: list[str], words: str, capfd: Capture, fake: FakeEngine
) -> None:
    assert main(arguments) == 2
    assert words in error_line(capfd)
    assert not fake.requests


def test_a_comparison_with_devices(fake: FakeEngine) -> None:
    devices = ["--disk", "disk.img,snapshot=on", "--share", "folder,readonly=on"]
    assert main([*COMPARE, *devices]) == 0
    kinds = [device.as_json()["kind"] for device in fake.requests[0].devices]
    assert kinds == ["disk", "share"]


def test_disks_of_a_description(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(DESCRIPTION)
    first, second = describe(path).devices
    assert isinstance(first, Disk) and isinstance(second, Disk)
    assert first.image.path == tmp_path / "disk.img" and first.snapshot
    assert second.image.format == "raw" and not second.snapshot


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"disk.img"', '"none.img"', "disk[0]:file: "),
        ("true", '"on"', "disk[0]:snapshot: 'on' will not do; give true or false"),
        ('"raw"', '"vmdk"', "disk[1]:format: 'vmdk' will not do"),
        ('"raw"', '"qcow2"', "is no qcow2 image; correct format="),
        ("snapshot", "readonyl", "unknown key 'readonyl'; did you mean 'readonly'?"),
    ],
)
def test_what_a_description_must_not_say(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(DESCRIPTION.replace(old, new))
    with pytest.raises((GuestError, TierlabError)) as error:
        describe(path)
    assert isinstance(error.value, GuestError)
    assert words in str(error.value) and "own.toml" in str(error.value)


def test_one_disk_in_a_description_and_beside_it(capfd: Capture) -> None:
    Path("own.toml").write_text(DESCRIPTION)
    again = ["boot", "own.toml", "--engine", "fake", "--disk", "second.img"]
    assert main(again) == 2
    assert "plugged in twice" in capfd.readouterr().err
    assert main(["conform", "own.toml", "image.elf", "--engine", "fake"]) == 2
    assert "each boot would find" in capfd.readouterr().err
