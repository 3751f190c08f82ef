"""The guests' program `enter`, built for this machine, in a root with busybox."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.guests import programs
from bench.guests.images.command import Command
from bench.guests.sources import ARCHITECTURES

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="built for x86_64 here"),
    pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root"),
]
PATH = "PATH=/usr/bin:relative::/nowhere:/bin"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled as for a guest."""
    out = tmp_path_factory.mktemp("program") / "enter"
    source = str(ROOT / programs.SOURCES)
    command = programs.command(ARCHITECTURES["x86_64"], "enter", source, str(out))
    subprocess.run(["gcc", *command[1:]], check=True)
    return out


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("root")
    place.chmod(0o755)  # for other users
    busybox = shutil.which("busybox")
    assert busybox is not None
    (place / "bin").mkdir()
    shutil.copy(busybox, place / "bin/busybox")
    for name in ("sh", "id", "pwd", "env", "cat"):
        (place / "bin" / name).symlink_to("busybox")
    (place / "bin/plain").write_text("no program")
    (place / "bin/plain").chmod(0o644)
    (place / "bin/strange").write_text("no program")
    (place / "bin/strange").chmod(0o755)
    (place / "usr").symlink_to("/bin/busybox")  # no folder
    return place


def run(
    program: Path, root: Path, packed: Command | bytes, tmp: Path
) -> tuple[int, str]:
    file = tmp / "command"
    data = packed if isinstance(packed, bytes) else packed.pack()
    file.write_bytes(data)
    argv = [str(program), str(root), str(file)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def test_status_and_arguments(program: Path, root: Path, tmp_path: Path) -> None:
    script = 'printf "%s," "$@"; exit 7'
    argv = ("/bin/sh", "-c", script, "sh", "", "a b", "'\"$x\n")
    assert run(program, root, Command(argv), tmp_path) == (7, ",a b,'\"$x\n,")


def test_environment_is_what_was_given(
    program: Path, root: Path, tmp_path: Path
) -> None:
    command = Command(("env",), (PATH, "A=b c", "E="))
    assert run(program, root, command, tmp_path) == (0, f"{PATH}\nA=b c\nE=\n")


def test_user_and_groups(program: Path, root: Path, tmp_path: Path) -> None:
    command = Command(("id",), (PATH,), uid=70_000, gid=5, groups=(7, 2**32 - 2))
    status, said = run(program, root, command, tmp_path)
    assert status == 0
    assert said == "uid=70000 gid=5 groups=7,4294967294\n"


def test_folder_is_made(program: Path, root: Path, tmp_path: Path) -> None:
    command = Command(("pwd",), (PATH,), folder="/new/one/below")
    assert run(program, root, command, tmp_path) == (0, "/new/one/below\n")
    assert (root / "new/one/below").is_dir()
    command = Command(("pwd",), (PATH,), folder="/bin/busybox")
    assert run(program, root, command, tmp_path)[0] == 125


@pytest.mark.parametrize(
    "name, status", [("gone", 127), ("/gone", 127), ("plain", 126), ("strange", 126)]
)
def test_says_why_there_is_no_command(
    program: Path, root: Path, tmp_path: Path, name: str, status: int
) -> None:
    got, said = run(program, root, Command((name,), (PATH,)), tmp_path)
    assert got == status
    assert said.startswith(f"enter: {name}: ") and said.count("\n") == 1


def test_without_path_nothing_is_found(
    program: Path, root: Path, tmp_path: Path
) -> None:
    assert run(program, root, Command(("id",)), tmp_path)[0] == 127


GOOD = Command(("id",), (PATH,), groups=(1,)).pack()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"more\0",
        GOOD[: len(GOOD) // 2],
        GOOD.replace(b"0\0", b"-1\0", 1),
        GOOD.replace(b"0\0", b"4294967295\0", 1),
        GOOD.replace(b"0\0", b"99999999999999999999999\0", 1),
        b"0\0" b"0\0" b"65\0" + b"1\0" * 65,
        b"0\0" b"0\0" b"0\0" b"0\0" b"0\0" b"/\0",
        b"0\0" b"0\0" b"0\0" b"4097\0" b"0\0" b"/\0" + b"x\0" * 4097,
    ],
)
def test_refuses_damaged_files(
    program: Path, root: Path, tmp_path: Path, data: bytes
) -> None:
    status, said = run(program, root, data, tmp_path)
    assert (status, said.count("\n")) == (125, 1)
    assert "damaged" in said
