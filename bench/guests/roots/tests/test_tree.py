"""Trees keep what archives say, and nothing leaves their root."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from bench.guests.roots import tree
from bench.guests.roots.tree import Tree, TreeError


def archive(path: Path, *members: tuple[str, bytes, str]) -> Path:
    """A tar archive of (name, type, contents or target)."""
    with tarfile.open(path, "w") as out:
        for name, kind, text in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            data = text.encode() if kind == tarfile.REGTYPE else b""
            member.size = len(data)
            member.linkname = "" if data else text
            out.addfile(member, io.BytesIO(data))
    return path


def contents(made: Tree, out: Path) -> dict[str, str]:
    """What write() writes: the contents or target of each entry by its path."""
    made.write(out)
    found = {}
    with tarfile.open(out) as opened:
        for member in opened:
            file = opened.extractfile(member) if member.isreg() else None
            found[member.name] = file.read().decode() if file else member.linkname
    return found


REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def test_files_go_where_links_to_folders_lead(tmp_path: Path) -> None:
    made = Tree()
    made.put("usr/bin", tree.directory())
    made.put("bin", tree.link("usr/bin"))
    # a package of old: its folder is a link here, which stays
    made.add_archive(
        archive(tmp_path / "a", ("./bin", DIR, ""), ("./bin/sh", REG, "shell"))
    )
    assert contents(made, tmp_path / "out") == {
        "bin": "usr/bin",
        "usr": "",
        "usr/bin": "",
        "usr/bin/sh": "shell",
    }


def test_a_later_entry_replaces_an_earlier_one(tmp_path: Path) -> None:
    made = Tree()
    made.add_archive(archive(tmp_path / "a", ("x", REG, "old"), ("d/in", REG, "in")))
    made.add_archive(archive(tmp_path / "b", ("x", REG, "new"), ("d", REG, "file")))
    assert contents(made, tmp_path / "out") == {"x": "new", "d": "file"}


def test_hard_links_stay_one_file(tmp_path: Path) -> None:
    made = Tree()
    made.add_archive(archive(tmp_path / "a", ("b", REG, "text"), ("a", LNK, "./b")))
    made.write(tmp_path / "out")
    with tarfile.open(tmp_path / "out") as opened:
        first, second = opened.getmembers()
    assert (first.name, first.isreg(), first.size) == ("a", True, 4)
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
    with pytest.raises(TreeError):
        Tree().add_archive(archive(tmp_path / "a", member))


def test_a_link_out_of_the_root_leads_to_the_root(tmp_path: Path) -> None:
    made = Tree()
    made.put("out", tree.link("../../.."))
    made.put("etc", tree.directory())
    assert made.put("out/etc/file", tree.file(b"x")) == "etc/file"


def test_a_loop_of_links_is_refused() -> None:
    made = Tree()
    made.put("a", tree.link("b"))
    made.put("b", tree.link("a"))
    with pytest.raises(TreeError, match="loop"):
        made.put("a/file", tree.file(b""))


def test_something_below_a_file_is_refused() -> None:
    made = Tree()
    made.put("a", tree.file(b""))
    with pytest.raises(TreeError, match="no folder"):
        made.put("a/b", tree.file(b""))


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a", ("x", REG, "text" * 1000)).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:2000])
    with pytest.raises(TreeError, match="cut"):
        Tree().add_archive(tmp_path / "cut")


def test_only_what_is_wanted(tmp_path: Path) -> None:
    made = Tree()
    found = archive(tmp_path / "a", ("doc/x", REG, "x"), ("bin/y", REG, "y"))
    made.add_archive(found, lambda path: not path.startswith("doc"))
    assert sorted(made.entries) == ["bin", "bin/y"]
