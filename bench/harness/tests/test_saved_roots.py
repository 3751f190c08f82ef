"""Saved machines with the root of an image or a folder: what resumes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.base.errors import USAGE, TierlabError
from bench.guests.devices.disk import make_disk
from bench.guests.guest import GivenRoot, Guest
from bench.harness.snapshots.file import Snapshot, check_machine, read_snapshot
from bench.harness.snapshots.roots import root_to_resume
from bench.page.snapshots import offered
from bench.page.tests.sites import make_guest, make_snapshot

COMMAND = ("sh", "-c", "echo one\necho two")


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """A guest with the root of an image."""
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1 << 20))
    made = make_guest(tmp_path / "guest", "riscv64-debian")
    root = GivenRoot(
        make_disk(disk, "raw", readonly=True), "--image", "a.tar", "sha256:1", COMMAND
    )
    return replace(made, name=f"{made.name}+a", root=root)


@pytest.fixture
def saved(tmp_path: Path, guest: Guest) -> Snapshot:
    return read_snapshot(make_snapshot(tmp_path / "m.snap", guest))


def refusal(*arguments: Any) -> str:
    """The line with which the options are refused."""
    with pytest.raises(TierlabError) as error:
        root_to_resume(*arguments)
    assert error.value.status == USAGE
    assert "\n" not in error.value.line()
    return error.value.line()


@pytest.mark.parametrize("words", [None, COMMAND])
def test_the_command_is_that_of_the_machine(
    saved: Snapshot, words: tuple[str, ...] | None
) -> None:
    found = root_to_resume(saved, "a.tar", None, words, interactive=True)
    assert found is not None and found.words == COMMAND and found.interactive


def test_without_a_machine_the_command_is_the_given_one() -> None:
    found = root_to_resume(None, "a.tar", None, ("true",))
    assert found is not None and found.words == ("true",)
    assert root_to_resume(None, None, None, None) is None


def test_another_command_is_refused(saved: Snapshot) -> None:
    line = refusal(saved, "a.tar", None, ("true",))
    assert "was saved to run: sh -c 'echo one\\necho two'" in line
    assert "leave out the command behind --" in line


def test_the_root_must_be_given_again(saved: Snapshot) -> None:
    line = refusal(saved, None, None, None)
    assert "name guest riscv64-debian and add --image a.tar" in line


def test_a_root_that_the_machine_lacks_is_refused(tmp_path: Path) -> None:
    plain = make_guest(tmp_path / "plain", "riscv64-debian")
    saved = read_snapshot(make_snapshot(tmp_path / "p.snap", plain))
    assert "leave out --root" in refusal(saved, None, tmp_path, None)
    assert root_to_resume(saved, None, None, None) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"digest": "sha256:2"}, "other contents of --image a.tar"),
        ({"command": ["true"]}, "other machine"),
        ({"file": "renamed.tar"}, ""),
    ],
)
def test_the_root_must_be_the_same(
    saved: Snapshot, change: dict[str, Any], words: str
) -> None:
    root = {**(saved.facts.root or {}), **change}
    given = replace(saved.facts, machine={**saved.facts.machine, "root": root})
    if not words:
        check_machine(saved, given)
        return
    with pytest.raises(TierlabError, match=words):
        check_machine(saved, given)


@pytest.mark.parametrize(
    "root", ["text", {}, {"option": 1}, {"command": 1}, {"command": [1]}]
)
def test_facts_of_a_root_are_checked(tmp_path: Path, guest: Guest, root: Any) -> None:
    if isinstance(root, dict) and root:
        assert guest.root is not None
        root = {**guest.root.as_json(), **root}
    machine = {**guest.as_json(), "root": root}
    path = make_snapshot(tmp_path / "x.snap", guest, machine=machine)
    with pytest.raises(TierlabError, match="description"):
        read_snapshot(path)


def test_a_page_refuses_such_a_machine(saved: Snapshot) -> None:
    with pytest.raises(TierlabError, match="a page cannot resume it") as error:
        offered([saved.path])
    assert error.value.status == USAGE and "\n" not in error.value.line()
