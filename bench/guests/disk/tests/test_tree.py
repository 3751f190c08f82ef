"""Trees keep what archives say, and nothing leaves their root."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.guests.disk import archives, ext4, tree
from bench.guests.disk.members import Member, members
from bench.guests.disk.refusal import BadRoot
from bench.guests.disk.tree import Tree


def archive(path: Path, *entries: tuple[str, bytes, str]) -> Path:
    """A tar archive of (name, type, contents or target)."""
    with tarfile.open(path, "w") as out:
        for name, kind, text in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            data = text.encode() if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            info.linkname = "" if data else text
            out.addfile(info, io.BytesIO(data))
    return path


@contextmanager
def opened(path: Path) -> Iterator[Iterator[Member]]:
    with path.open("rb") as file:
        yield members(file, path.name)


def add(made: Tree, *paths: Path) -> Tree:
    """Add archives to the tree."""
    for number, path in enumerate(paths):
        with opened(path) as found:
            for count, member in enumerate(found):
                archives.add(made, member.info, number, count)
    return made


def written(made: Tree, *paths: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    """What mke2fs gets of a tree of these archives, without the root itself."""
    contents = archives.contents(made, lambda number: opened(paths[number]))
    stream = io.BytesIO(b"".join(ext4.archive(made, contents)))
    with tarfile.open(fileobj=stream) as read:
        return [
            (info, file.read() if (file := read.extractfile(info)) else b"")
            for info in read.getmembers()
            if info.name != "."
        ]


def shown(made: Tree, *paths: Path) -> dict[str, str]:
    """The contents or target of each entry by its path."""
    return {
        info.name: info.linkname or data.decode()
        for info, data in written(made, *paths)
    }


REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def test_files_go_where_links_to_folders_lead(tmp_path: Path) -> None:
    made = Tree(links_stay=True)
    made.put("usr/bin", tree.directory())
    made.put("bin", tree.link("usr/bin"))
    # a package of old: its folder is a link here, which stays
    path = archive(tmp_path / "a", ("./bin", DIR, ""), ("./bin/sh", REG, "shell"))
    add(made, path)
    assert shown(made, path) == {
        "bin": "usr/bin",
        "usr": "",
        "usr/bin": "",
        "usr/bin/sh": "shell",
    }


def test_a_folder_replaces_a_link_in_layers(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", ("d/in", REG, "in"), ("l", SYM, "d"), ("l", DIR, ""))
    made = add(Tree(), path)
    assert shown(made, path) == {"d": "", "d/in": "in", "l": ""}


@pytest.mark.parametrize("target", ["nowhere", "file", "link"])
def test_a_folder_replaces_a_link_that_leads_to_no_folder(target: str) -> None:
    made = Tree(links_stay=True)
    made.put("file", tree.file(b"x"))
    made.put("link", tree.link(target))
    made.put("link", tree.directory(0o700))
    found = made.find(["link"], follow_last=False)
    assert found is not None and (found.kind, found.mode) == (tree.FOLDER, 0o700)


def test_a_folder_that_comes_again_keeps_its_files() -> None:
    made = Tree(links_stay=True)
    made.put("d/in", tree.file(b"x"))
    made.put("d", tree.directory(0o700))
    found = made.find(["d"])
    assert found is not None and found.mode == 0o700 and list(found.names) == ["in"]


def test_a_later_entry_replaces_an_earlier_one(tmp_path: Path) -> None:
    first = archive(tmp_path / "a", ("x", REG, "old"), ("d/in", REG, "in"))
    second = archive(tmp_path / "b", ("x", REG, "new"), ("d", REG, "file"))
    made = add(Tree(), first, second)
    assert shown(made, first, second) == {"x": "new", "d": "file"}


def test_files_of_ours_are_beside_those_of_archives(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", ("x", REG, "theirs"), ("y", REG, "theirs"))
    made = add(Tree(), path)
    made.put("x", tree.file(b"ours", 0o755))
    made.put("empty", tree.file(b""))
    assert shown(made, path) == {"x": "ours", "y": "theirs", "empty": ""}


def test_hard_links_stay_one_file(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", ("b", REG, "text"), ("a", LNK, "./b"))
    (first, data), (second, _) = written(add(Tree(), path), path)
    assert (first.name, first.isreg(), data) == ("a", True, b"text")
    assert (second.name, second.islnk(), second.linkname) == ("b", True, "a")


@pytest.mark.parametrize(
    "member",
    [
        ("../out", REG, ""),
        ("a/../../out", REG, ""),
        ("a", LNK, "../../etc/passwd"),
        ("a", LNK, "missing"),
    ],
)
def test_what_leaves_the_root_is_refused(
    tmp_path: Path, member: tuple[str, bytes, str]
) -> None:
    with pytest.raises(BadRoot):
        add(Tree(), archive(tmp_path / "a", member))


def test_a_link_out_of_the_root_leads_to_the_root() -> None:
    made = Tree()
    made.put("out", tree.link("../../.."))
    made.put("etc", tree.directory())
    made.put("out/etc/file", tree.file(b"x"))
    assert [path for path, _ in made.walk()] == ["etc", "etc/file", "out"]


def test_a_loop_of_links_is_refused() -> None:
    made = Tree()
    made.put("a", tree.link("b"))
    made.put("b", tree.link("a"))
    with pytest.raises(BadRoot, match="cycle of links"):
        made.put("a/file", tree.file(b""))


def test_something_below_a_file_is_refused() -> None:
    made = Tree()
    made.put("a", tree.file(b""))
    with pytest.raises(BadRoot, match="leads through a file"):
        made.put("a/b", tree.file(b""))


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a", ("x", REG, "text" * 1000)).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:2000])
    with pytest.raises(BadRoot, match="cut"):
        written(add(Tree(), tmp_path / "cut"), tmp_path / "cut")
