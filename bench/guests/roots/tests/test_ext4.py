"""A disk holds its tree, and equal trees are equal disks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.build import Context
from bench.guests.roots import tree
from bench.guests.roots.ext4 import make_image
from bench.guests.roots.tree import Tree


def context(folder: Path) -> Context:
    """What make_image() uses of a context."""
    folder.mkdir()

    def run(argv: list[str], env: dict[str, str]) -> None:
        subprocess.run(argv, env={**os.environ, **env}, check=True)

    return cast(Context, SimpleNamespace(work=folder, run=run))


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
    image = tmp_path / "disk.img"
    make_image(context(tmp_path / "work"), sample(), image, "sample")
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
        image = tmp_path / f"{name}.img"
        make_image(context(tmp_path / name), sample(), image, "sample")
        made.append(image.read_bytes())
    assert made[0] == made[1]


def test_large_files_have_room(tmp_path: Path) -> None:
    made = Tree()
    made.put("large", tree.file(b"x" * (40 << 20)))
    for number in range(5000):
        made.put(f"many/{'n' * 60}{number}", tree.file(b"y"))
    image = tmp_path / "disk.img"
    make_image(context(tmp_path / "work"), made, image, "large")
    assert image.stat().st_size < 80 << 20
