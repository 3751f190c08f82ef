"""Disks of images and folders: what is on them, and that they are whole or absent."""

from __future__ import annotations

import io
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.base.errors import USAGE, TierlabError
from bench.base.progress import Progress
from bench.guests.disk import ext4
from bench.guests.images import store
from bench.guests.images.store import Image, Made
from bench.testing.images import (
    as_folder,
    as_tar,
    docker,
    entry,
    folder,
    gz,
    hardlink,
    layer,
    oci,
    symlink,
)

PASSWD = b"root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/sh\n"
RISCV = b"\x7fELF\x02\x01" + bytes(12) + bytes([243, 0]) + bytes(100)


def progress() -> Progress:
    return Progress(Console(file=io.StringIO()), 1)


def image(path: Path, cache: Path, *arches: str, name: str = "") -> Image:
    return store.image(path, list(arches) or ["riscv64"], name, cache, progress())


def root(path: Path, cache: Path) -> Made:
    return store.folder(path, cache, progress())


def debugfs(disk: Path, command: str) -> str:
    argv = ["debugfs", "-R", command, str(disk)]
    done = subprocess.run(argv, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape")


def sound(disk: Path) -> bool:
    argv = ["e2fsck", "-fn", str(disk)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def names(disk: Path, path: str = "/") -> list[str]:
    lines = debugfs(disk, f'ls -p "{path}"').splitlines()
    found = [line.split("/")[5] for line in lines if line.startswith("/")]
    return sorted(set(found) - {".", "..", ""})


LAYERS = [
    layer(
        folder("./", mode=0o711),
        folder("etc"),
        entry("etc/passwd", PASSWD),
        entry("bin/busybox", RISCV, mode=0o4755, uid=70_000, mtime=1_700_000_000),
        hardlink("bin/cat", "bin/busybox"),
        symlink("bin/sh", "/bin/busybox"),
        symlink("long", "x" * 300),
        entry("gone", b"x"),
        entry("empty"),
        entry("naïve \udcff", b"1"),
        entry(
            "attributes",
            b"x",
            pax_headers={
                "SCHILY.xattr.user.small": "value",
                "SCHILY.xattr.security.capability": "\x01\x00\x00\x02" + "\x00" * 16,
            },
        ),
    ),
    layer(entry(".wh.gone"), entry("large", bytes(5 << 20) + b"end")),
]


def test_disk_of_an_image(tmp_path: Path) -> None:
    found = image(as_tar(oci(LAYERS, Cmd=["x"]), tmp_path / "x.tar"), tmp_path / "c")
    disk = found.made.disk
    assert sound(disk)
    assert found.config == {"Cmd": ["x"]}
    assert found.made.accounts.user("web") == ("web", 33, 33, "/")
    assert found.made.arch == "riscv64"
    assert names(disk) == sorted(
        ["attributes", "bin", "empty", "etc", "large", "long", "naïve \udcff"]
    )
    assert debugfs(disk, "cat /etc/passwd").encode() == PASSWD
    facts = debugfs(disk, "stat /bin/busybox")
    assert "Mode:  04755" in facts and "Links: 2" in facts and "User: 70000" in facts
    assert "2023" in facts
    assert debugfs(disk, "stat /bin/cat") == facts
    assert 'Fast link dest: "/bin/busybox"' in debugfs(disk, "stat /bin/sh")
    assert "Size: 300" in debugfs(disk, "stat /long")
    assert "Mode:  0711" in debugfs(disk, "stat /")
    assert "Size: 5242883" in debugfs(disk, "stat /large")
    attributes = debugfs(disk, "ea_list /attributes")
    assert 'user.small (5) = "value"' in attributes
    assert "security.capability (20)" in attributes
    # zeros take no room
    assert disk.stat().st_blocks * 512 < 1 << 20


def test_equal_contents_are_one_disk(tmp_path: Path) -> None:
    one = image(as_tar(oci(LAYERS), tmp_path / "x.tar"), tmp_path / "c").made.disk
    data = one.read_bytes()
    again = as_folder(oci(LAYERS), tmp_path / "folder")
    assert image(again, tmp_path / "c").made.disk == one
    # the older layout has the same config, which tells the contents
    saved = as_tar(docker(LAYERS), tmp_path / "saved.tar")
    assert image(saved, tmp_path / "c").made.disk == one
    packed = tmp_path / "x.tar.gz"
    packed.write_bytes(gz((tmp_path / "x.tar").read_bytes()))
    assert image(packed, tmp_path / "c").made.disk == one
    # and it is made the same elsewhere
    assert image(again, tmp_path / "other").made.disk.read_bytes() == data


def test_the_guests_architecture_is_chosen(tmp_path: Path) -> None:
    path = as_folder(oci(LAYERS, arch="arm64"), tmp_path / "x")
    assert image(path, tmp_path / "c", "riscv64", "aarch64").arch == "aarch64"
    with pytest.raises(TierlabError, match="architecture is arm64, and not amd64"):
        image(path, tmp_path / "c", "x86_64")


@pytest.mark.parametrize("damage", ["cut", "missing", "outside", "no image"])
def test_nothing_is_left_of_a_bad_image(tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "c"
    bad = {"outside": [*LAYERS, layer(entry("../../evil", b"x"))]}
    files = oci(bad.get(damage, LAYERS))
    last = next(n for n, d in files.items() if d.startswith(b"\x1f\x8b"))
    if damage == "cut":
        files[last] = files[last][:-20]
    elif damage == "missing":
        del files[last]
    elif damage == "no image":
        files = {"x": b"x"}
    path = as_tar(files, tmp_path / "x.tar")
    with pytest.raises(TierlabError) as caught:
        image(path, cache)
    assert caught.value.status == USAGE
    assert "\n" not in caught.value.line()
    left = [p for p in cache.rglob("*") if p.is_file() and p.parent.name != "locks"]
    assert not left
    assert not (tmp_path / "evil").exists()


def test_nothing_is_left_if_mke2fs_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ext4, "_blocks", lambda _: 300)
    path = as_folder(oci([layer(entry("f", os.urandom(3 << 20)))]), tmp_path / "x")
    with pytest.raises(TierlabError, match="mke2fs cannot make the disk"):
        image(path, tmp_path / "c")
    assert [p.name for p in (tmp_path / "c" / "images").iterdir()] == []


def test_what_a_killed_process_left_is_made_again(tmp_path: Path) -> None:
    path = as_folder(oci(LAYERS), tmp_path / "x")
    disk = image(path, tmp_path / "c").made.disk
    (disk.parent / "facts.json").unlink()
    disk.write_bytes(b"half")
    (disk.parent.with_name(f".{disk.parent.name}.part")).mkdir()
    assert sound(image(path, tmp_path / "c").made.disk)
    assert len(list((tmp_path / "c" / "images").iterdir())) == 1


def test_many_small_files_and_links_fit(tmp_path: Path) -> None:
    entries: list[Any] = [entry(f"d/{n % 50}/{'n' * 150}{n}") for n in range(3000)]
    entries += [entry(f"d/{n % 50}/{n}", b"x" * 5000) for n in range(200)]
    entries += [symlink(f"l{n}", "t" * 200) for n in range(500)]
    made = image(as_folder(oci([layer(*entries)]), tmp_path / "x"), tmp_path / "c").made
    assert sound(made.disk)
    assert len(names(made.disk, "/d/7")) == 64


def test_strange_names_and_large_attributes_are_told(tmp_path: Path) -> None:
    strange = layer(
        entry('a"b', b"1", pax_headers={"SCHILY.xattr.user.x": "1"}),
        entry("b", b"1", pax_headers={"SCHILY.xattr.user.x": "1" * 5000}),
        entry("new\nline", b"1"),
        entry(" space", b"1"),
        entry("lost+found/x", b"1"),
    )
    made = image(as_folder(oci([strange]), tmp_path / "x"), tmp_path / "c").made
    assert sound(made.disk)
    assert len(made.notes) == 2
    assert names(made.disk, "/lost+found") == ["x"]


def test_disk_of_a_folder(tmp_path: Path) -> None:
    place = tmp_path / "root"
    (place / "bin").mkdir(parents=True)
    (place / "bin/sh").write_bytes(RISCV)
    (place / "bin/sh").chmod(0o755)
    os.link(place / "bin/sh", place / "bin/ash")
    (place / "etc").mkdir()
    (place / "etc/passwd").write_bytes(PASSWD)
    (place / "away").symlink_to("/etc/shadow")
    os.mkfifo(place / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        here = os.getcwd()
        os.chdir(place)
        sock.bind("socket")
        os.chdir(here)
    made = root(place, tmp_path / "c")
    assert sound(made.disk)
    assert names(made.disk) == ["away", "bin", "etc", "pipe"]
    assert made.notes == ("left out: 1 sockets",)
    assert made.arch == "riscv64"
    assert made.accounts.user("web") is not None
    assert "Links: 2" in debugfs(made.disk, "stat /bin/ash")
    assert 'dest: "/etc/shadow"' in debugfs(made.disk, "stat /away")
    # another folder with these contents is the same; a change makes another disk
    assert root(place, tmp_path / "c").disk == made.disk
    (place / "etc/passwd").write_bytes(PASSWD[::-1])
    os.utime(place / "etc/passwd", (0, 0))
    assert root(place, tmp_path / "c").disk != made.disk


@pytest.mark.parametrize("kind", ["file", "none"])
def test_refuses_what_is_no_folder(tmp_path: Path, kind: str) -> None:
    if kind == "file":
        (tmp_path / "x").write_text("x")
    with pytest.raises(TierlabError) as caught:
        root(tmp_path / "x", tmp_path / "c")
    assert caught.value.status == USAGE


def test_a_file_that_changes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "root"
    place.mkdir()
    (place / "f").write_text("one")
    before = store._check_room

    def change(*arguments: Any) -> None:
        (place / "f").write_text("other")
        before(*arguments)

    monkeypatch.setattr(store, "_check_room", change)
    with pytest.raises(TierlabError, match="changed while it was read"):
        root(place, tmp_path / "c")
    assert [p.name for p in (tmp_path / "c" / "images").iterdir()] == []


def test_initramfs_with_commands_are_few(tmp_path: Path) -> None:
    paths = {store.initrd([b"base", bytes([n])], tmp_path) for n in range(40)}
    assert len(paths) == 40
    assert len(list((tmp_path / "images/initrds").iterdir())) == 32
