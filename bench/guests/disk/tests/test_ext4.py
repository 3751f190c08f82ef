"""A disk holds its tree, and equal trees are equal disks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bench.guests.disk import archives, ext4, tree
from bench.guests.disk.ext4 import Identity
from bench.guests.disk.members import Member
from bench.guests.disk.tree import Tree

IDENTITY = Identity("2f8f2c38-5a1f-4d6e-9d0b-0b1f6f0f8a51", "sample", 1735689600)


def make(made: Tree, out: Path, identity: Identity = IDENTITY) -> Path:
    """The disk of a tree whose files are all ours."""

    def opened(number: int) -> AbstractContextManager[Iterator[Member]]:
        raise AssertionError(f"archive {number} was opened")

    ext4.make(made, archives.contents(made, opened), out, identity)
    return out


def sample() -> Tree:
    """Folders, files of many sizes, links."""
    made = Tree()
    made.put("etc/motd", tree.file(b"hello\n", 0o640))
    made.put("bin", tree.link("usr/bin"))
    for number in range(400):
        data = bytes([number % 256]) * number * 37
        made.put(f"usr/bin/program{number}", tree.file(data, 0o755))
    return made


def debugfs(image: Path, request: str) -> str:
    argv = ["debugfs", "-R", request, str(image)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_the_disk_holds_the_tree(tmp_path: Path) -> None:
    image = make(sample(), tmp_path / "disk.img")
    assert debugfs(image, "cat /etc/motd") == "hello\n"
    assert 'Fast link dest: "usr/bin"' in debugfs(image, "stat /bin")
    said = debugfs(image, "stat /etc/motd")
    assert "Mode:  0640" in said and "User:     0" in said
    assert debugfs(image, "cat /usr/bin/program70") == "F" * 70 * 37
    checked = subprocess.run(["e2fsck", "-fn", str(image)], check=False)
    assert checked.returncode == 0


def test_equal_trees_are_equal_disks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for name, zone in (("a", "UTC"), ("b", "Asia/Tokyo")):
        monkeypatch.setenv("TZ", zone)
        made.append(make(sample(), tmp_path / f"{name}.img").read_bytes())
    assert made[0] == made[1]


def test_large_files_have_room(tmp_path: Path) -> None:
    made = Tree()
    made.put("large", tree.file(b"x" * (40 << 20)))
    for number in range(5000):
        made.put(f"many/{'n' * 60}{number}", tree.file(b"y"))
    image = make(made, tmp_path / "disk.img")
    assert image.stat().st_size < 80 << 20


def test_the_disk_has_its_identity(tmp_path: Path) -> None:
    said = debugfs(make(sample(), tmp_path / "disk.img"), "stats -h")
    assert IDENTITY.uuid in said
    assert "Filesystem volume name:   sample" in said
    assert "Filesystem created:       Wed Jan  1" in said
    long = Identity(label="a-label-that-has-too-many-bytes")
    said = debugfs(make(sample(), tmp_path / "long.img", long), "stats -h")
    assert "Filesystem volume name:   a-label-that-has\n" in said
