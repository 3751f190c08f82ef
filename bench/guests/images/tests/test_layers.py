"""Layers become the root that a container runtime would make, or one line."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.guests.disk import limits, members, tree
from bench.guests.disk.refusal import BadRoot
from bench.guests.disk.tree import Tree
from bench.guests.images import layers as module
from bench.guests.images.files import opened
from bench.guests.images.layers import contents, merged
from bench.guests.images.manifest import find
from bench.testing.images import (
    Packing,
    as_folder,
    as_tar,
    entry,
    folder,
    gz,
    hardlink,
    layer,
    oci,
    plain,
    symlink,
    zstd,
)

Root = dict[str, str]


def read(files: dict[str, bytes], path: Path) -> tuple[Tree, Root]:
    """The merged root: path -> contents, target, or kind."""
    place = as_folder(files, path / "layout")
    with opened(place, path) as layout:
        found = find(layout, ["riscv64"])
        root = merged(layout, found.layers, lambda _: None)
        data = {
            id(inode): b"".join(pieces)
            for inode, pieces in contents(layout, found.layers, root, lambda _: None)
        }
    shown = {}
    for name, inode in root.walk():
        shown[name] = {tree.FOLDER: "/", tree.FIFO: "|"}.get(inode.kind, "")
        if inode.kind == tree.LINK:
            shown[name] = f"-> {inode.target}"
        elif inode.kind == tree.FILE:
            shown[name] = data[id(inode)].decode()
    return root, shown


def root_of(path: Path, *layers: bytes, packing: Packing = gz) -> Root:
    return read(oci(layers, packing), path)[1]


def refused(path: Path, *layers: bytes) -> str:
    with pytest.raises(BadRoot) as caught:
        root_of(path, *layers)
    assert "\n" not in caught.value.why
    return caught.value.why


@pytest.mark.parametrize("packing", [plain, gz, zstd])
def test_upper_layers_replace_files(tmp_path: Path, packing: Packing) -> None:
    lower = layer(folder("etc"), entry("etc/a", b"old"), entry("etc/b", b"kept"))
    upper = layer(folder("etc", mode=0o700), entry("./etc/a", b"new"))
    root, shown = read(oci([lower, upper], packing), tmp_path)
    assert shown == {"etc": "/", "etc/a": "new", "etc/b": "kept"}
    assert root.root.names["etc"].inode.mode == 0o700


def test_whiteouts_hide_lower_layers_only(tmp_path: Path) -> None:
    lower = layer(entry("a", b"1"), folder("d"), entry("d/x", b"2"), entry("b", b"3"))
    upper = layer(entry(".wh.a"), entry(".wh.d"), entry("b", b"new"), entry(".wh.b"))
    assert root_of(tmp_path, lower, upper) == {"b": "new"}


def test_opaque_folders_hide_what_is_below_whatever_the_order(tmp_path: Path) -> None:
    lower = layer(folder("d"), entry("d/old", b"1"), folder("d/s"), entry("d/s/x"))
    one = layer(folder("d"), entry("d/new", b"2"), entry("d/.wh..wh..opq"))
    other = layer(entry("d/.wh..wh..opq"), folder("d"), entry("d/new", b"2"))
    assert root_of(tmp_path / "1", lower, one) == {"d": "/", "d/new": "2"}
    assert root_of(tmp_path / "2", lower, other) == {"d": "/", "d/new": "2"}


def test_whiteouts_of_nothing_and_aufs_files_are_ignored(tmp_path: Path) -> None:
    one = layer(entry(".wh.a"), entry("x/y/.wh.z"), entry("n/.wh..wh..opq"))
    two = layer(
        folder(".wh..wh.plnk"), entry(".wh..wh.plnk/1.2"), entry(".wh..wh.aufs")
    )
    assert root_of(tmp_path, one, two) == {}


def test_a_name_changes_its_kind(tmp_path: Path) -> None:
    lower = layer(folder("d"), entry("d/x", b"1"), entry("f", b"2"), symlink("l", "d"))
    upper = layer(entry("d", b"file"), folder("f"), entry("f/y", b"3"), folder("l"))
    assert root_of(tmp_path, lower, upper) == {
        "d": "file",
        "f": "/",
        "f/y": "3",
        "l": "/",
    }


def test_hard_links_outlive_the_first_name(tmp_path: Path) -> None:
    lower = layer(entry("a", b"data"), hardlink("b", "a"), hardlink("c", "./b"))
    upper = layer(entry(".wh.a"))
    root, shown = read(oci([lower, upper]), tmp_path)
    assert shown == {"b": "data", "c": "data"}
    assert root.find(["b"]) is root.find(["c"])


def test_names_go_through_links_inside_the_root(tmp_path: Path) -> None:
    lower = layer(
        folder("usr"),
        folder("usr/lib"),
        symlink("lib", "usr/lib"),
        symlink("up", "../../../usr"),
        symlink("abs", "/usr/lib"),
    )
    upper = layer(
        entry("lib/a", b"1"), entry("up/b", b"2"), entry("abs/c", b"3"), entry("d/e")
    )
    shown = root_of(tmp_path, lower, upper)
    assert shown["usr/lib/a"] == "1"
    assert shown["usr/b"] == "2"
    assert shown["usr/lib/c"] == "3"
    assert shown["d"] == "/"
    assert shown["lib"] == "-> usr/lib"


def test_links_are_data_wherever_they_lead(tmp_path: Path) -> None:
    links = layer(
        symlink("a", "/etc/shadow"), symlink("b", "../../x"), symlink("c", "c")
    )
    assert root_of(tmp_path, links) == {
        "a": "-> /etc/shadow",
        "b": "-> ../../x",
        "c": "-> c",
    }


def test_attributes_are_kept(tmp_path: Path) -> None:
    capability = b"\x01\x00\x00\x02\xff\x20".decode("utf-8", "surrogateescape")
    xattrs = {
        "SCHILY.xattr.security.capability": capability,
        "SCHILY.xattr.security.selinux": "x",
    }
    one = layer(
        entry(
            "f", b"x", mode=0o4755, uid=70_000, gid=7, mtime=1234, pax_headers=xattrs
        ),
        entry("p", kind=tarfile.FIFOTYPE),
        folder("./", mode=0o711),
    )
    root, _ = read(oci([one]), tmp_path)
    inode = root.find(["f"])
    assert inode is not None
    assert (inode.mode, inode.uid, inode.gid, inode.mtime) == (0o4755, 70_000, 7, 1234)
    assert inode.xattrs == {"security.capability": b"\x01\x00\x00\x02\xff\x20"}
    assert root.root.mode == 0o711
    assert root.root.names["p"].inode.kind == tree.FIFO


def test_device_nodes_are_left_out(tmp_path: Path) -> None:
    nodes = layer(
        entry("dev/null", kind=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("dev/sda", kind=tarfile.BLKTYPE, devmajor=8),
        entry("dev/x", b"1"),
    )
    root, shown = read(oci([nodes]), tmp_path)
    assert shown == {"dev": "/", "dev/x": "1"}
    assert root.notes() == ["left out: 2 device nodes"]


def test_no_layers_are_an_empty_root(tmp_path: Path) -> None:
    assert root_of(tmp_path) == {}
    assert root_of(tmp_path / "2", layer()) == {}


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/../x", "a/.."])
def test_refuses_paths_that_leave_the_root(tmp_path: Path, name: str) -> None:
    assert "leaves the root" in refused(tmp_path, layer(entry(name, b"1")))
    assert not (tmp_path / "x").exists()


def test_takes_absolute_names_from_the_root(tmp_path: Path) -> None:
    one = layer(entry("/etc/x", b"1"), hardlink("/y", "/etc/x"))
    assert root_of(tmp_path, one) == {"etc": "/", "etc/x": "1", "y": "1"}


@pytest.mark.parametrize(
    "target, why",
    [
        ("../../etc/passwd", "leaves the root"),
        ("/etc/passwd", "is not there"),
        ("gone", "is not there"),
        ("d", "leads to a folder"),
    ],
)
def test_refuses_hard_links_to_elsewhere(tmp_path: Path, target: str, why: str) -> None:
    assert why in refused(tmp_path, layer(folder("d"), hardlink("l", target)))


def test_refuses_cycles_of_links_on_the_way(tmp_path: Path) -> None:
    loop = layer(symlink("a", "b"), symlink("b", "a"), entry("a/x", b"1"))
    assert "cycle of links" in refused(tmp_path, loop)


@pytest.mark.parametrize(
    "entries, why",
    [
        ([entry("f", b"1"), entry("f/x", b"2")], "leads through a file"),
        ([entry("n" * 256, b"1")], "no file can be called"),
        ([entry("/".join(["d" * 200] * 30), b"1")], "longer than 4095 bytes"),
        ([symlink("l", "")], "no target"),
        ([entry(".", b"1")], "root is no folder"),
        ([entry(".wh.", b"")], "names no file"),
        ([entry(".wh.d/x", b"")], "goes through a whiteout"),
        ([entry("s", kind=b"Z")], "unknown kind"),
        ([entry("f", uid=2**32)], "no user can own"),
    ],
)
def test_refuses_what_linux_would_not_take(
    tmp_path: Path, entries: Sequence[tuple[tarfile.TarInfo, bytes]], why: str
) -> None:
    assert why in refused(tmp_path, layer(*entries))


def test_refuses_a_layer_that_is_missing(tmp_path: Path) -> None:
    files = oci([layer(entry("a", b"1"))])
    del files[next(n for n, d in files.items() if d.startswith(b"\x1f\x8b"))]
    with pytest.raises(BadRoot, match="layer 1 is missing"):
        read(files, tmp_path)


@pytest.mark.parametrize("packing", [plain, gz, zstd])
@pytest.mark.parametrize("damage", ["cut", "changed", "longer"])
def test_refuses_a_layer_that_is_damaged(
    tmp_path: Path, packing: Packing, damage: str
) -> None:
    one = layer(entry("a", bytes(range(256)) * 40))
    files = oci([one], packing)
    name = next(n for n, d in files.items() if d == packing(one))
    data = files[name]
    middle = len(data) // 2
    files[name] = {
        "cut": data[:middle],
        "changed": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "longer": data + b"x",
    }[damage]
    with pytest.raises(BadRoot, match="layer 1"):
        read(files, tmp_path)


@pytest.mark.parametrize("packing", [plain, gz, zstd])
@pytest.mark.parametrize("cut", [100, 512, 700, 1700])
def test_refuses_a_layer_that_was_cut_before_it_was_packed(
    tmp_path: Path, packing: Packing, cut: int
) -> None:
    one = layer(entry("a", b"1" * 600), entry("b", b"2"))[:cut]
    with pytest.raises(BadRoot, match="cut off"):
        root_of(tmp_path, one, packing=packing)


def test_refuses_a_damaged_header_behind_the_first(tmp_path: Path) -> None:
    one = bytearray(layer(entry("a", b"1"), entry("b", b"2")))
    one[1024 + 10] ^= 1
    assert "a header is damaged" in refused(tmp_path, bytes(one))


def test_refuses_a_layer_of_another_format(tmp_path: Path) -> None:
    assert "is no tar archive" in refused(tmp_path / "1", b"no archive" * 100)
    with pytest.raises(BadRoot, match="packed by xz"):
        root_of(tmp_path / "2", b"\xfd7zXZ\x00" + bytes(600), packing=plain)


def test_refuses_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Budget", lambda: limits.Budget(contents=1 << 20))
    zeros = layer(entry("z", bytes(3 << 20)))
    assert "more than 1 MiB" in refused(tmp_path / "1", zeros)
    many = [layer(entry("z", bytes(400_000))) for _ in range(3)]
    assert "more than 1 MiB" in refused(tmp_path / "2", *many)
    behind = layer(entry("z")) + bytes(3 << 20)
    assert "more than 1 MiB" in refused(tmp_path / "3", behind)


def test_a_large_file_is_refused_by_its_header(tmp_path: Path) -> None:
    info = tarfile.TarInfo("huge")
    info.size = limits.MAX_CONTENTS + 1
    assert "more than" in refused(tmp_path, info.tobuf(tarfile.PAX_FORMAT))


def test_refuses_too_many_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Budget", lambda: limits.Budget(names=10))
    deep = layer(entry("/".join("abcdefghijkl"), b"1"))
    assert "more than 10 files" in refused(tmp_path, deep)


def test_refuses_a_header_that_would_fill_the_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, limits.MAX_HEADER + 1
    data = info.tobuf(tarfile.USTAR_FORMAT) + bytes(limits.MAX_HEADER + 1024)
    assert "a header has" in refused(tmp_path, data)


@pytest.mark.parametrize(
    "size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"-0000000001\0", b"99999999999\0"]
)
def test_refuses_sizes_that_make_no_sense(tmp_path: Path, size: bytes) -> None:
    first = layer(entry("a", b"1"))[:1024]
    header = bytearray(tarfile.TarInfo("b").tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(BadRoot):
        root_of(tmp_path, first + bytes(header) + bytes(1024))


def test_reads_sparse_files(tmp_path: Path) -> None:
    # written by GNU tar --sparse --format=gnu: 1 MiB of zeros, "end", in an old map
    info = tarfile.TarInfo("s")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (1 << 20, 512)
    header[483:495] = b"%011o\0" % ((1 << 20) + 512)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    one = bytes(header) + b"e" * 512 + layer(entry("t", b"after"))
    shown = root_of(tmp_path, one)
    assert shown["s"] == "\0" * (1 << 20) + "e" * 512
    assert shown["t"] == "after"


def test_members_are_not_kept_in_memory() -> None:
    data = io.BytesIO(layer(*(entry(str(n)) for n in range(50))))
    for count, member in enumerate(members.members(data, "it")):
        assert len(getattr(member._archive, "members")) <= 1
        assert stat.S_IFMT(member.info.mode) == 0
    assert count == 49


def test_a_packed_archive_is_no_bomb(tmp_path: Path) -> None:
    header = tarfile.TarInfo("index.json")
    header.size = 1 << 30
    for first in (b"", header.tobuf()):
        path = tmp_path / "x.tar.gz"
        path.write_bytes(gz(first + bytes(1 << 20)) + gz(bytes(1 << 20)) * 100)
        with pytest.raises(BadRoot, match="no tar archive|100 times its size"):
            with opened(path, tmp_path):
                pass


def test_an_archive_holds_a_layout(tmp_path: Path) -> None:
    files = oci([layer(entry("a", b"1"))])
    for name, pack in (("a.tar", plain), ("a.tar.gz", gz), ("a.tar.zst", zstd)):
        path = as_tar(files, tmp_path / name)
        path.write_bytes(pack(path.read_bytes()))
        with opened(path, tmp_path) as layout:
            found = find(layout, ["riscv64"])
            assert "a" in merged(layout, found.layers, lambda _: None).root.names
    path.write_bytes(as_tar(files, tmp_path / "a.tar").read_bytes()[:2000])
    with pytest.raises(BadRoot, match="cut off"):
        with opened(path, tmp_path):
            pass
