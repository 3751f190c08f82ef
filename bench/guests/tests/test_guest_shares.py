"""Shared folders of real guests.

A script in the folder makes every kind of file operation and prints the outcome. Under
both engines it must print the same and leave the same files.
"""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from bench.guests.devices.share import Share
from bench.testing.guest_boots import (
    ARCH,
    ENGINES,
    GIB,
    GUEST,
    boot,
    every_other_guest,
    products_of,
    said,
)

pytestmark = pytest.mark.guest

SCRIPT = r"""
cd /mnt/share || exit 1
t() { "$@"; echo "$1 $?"; }
# names
printf 1 >"a b"; printf 22 >'grüße'; printf 333 >"$(printf 'odd\377\001')"
printf '%s\n' * | cat -v
mkdir 'ünï dir' && t ls -d 'ünï dir'
long=$(printf '%0255d' 7)
t touch "$long"; t touch "${long}8"
# contents and sizes
cat from-host
stat -c '%s' sparse
dd if=sparse bs=1024 skip=5242880 count=1 2>/dev/null | head -c 5; echo
t truncate -s 4500000000 grown
stat -c '%s' grown
printf tail >>grown; tail -c 4 grown; echo; stat -c '%s' grown
seq 1 20000 >numbers; md5sum <numbers; wc -c <numbers
printf X | dd of=numbers bs=1 seek=3 conv=notrunc 2>/dev/null; md5sum <numbers
t truncate -s 10 numbers; wc -c <numbers
# errors
t cat missing; t mkdir 'ünï dir'; t rmdir full; t rm -r missing/x
t ln -s x taken; t ln -s x taken; t mv missing other; t cat full; t rmdir numbers
# links
t ln -s numbers to-numbers; readlink to-numbers; wc -c <to-numbers
ls -l outside | sed 's/.* outside/outside/'; t cat outside; t cat up
t ln numbers hard; stat -c '%h' hard
# permissions and times
chmod 640 numbers; stat -c '%a %A' numbers
printf '#!/bin/sh\necho runs\n' >prog; chmod 755 prog; ./prog
t touch -d '2001-02-03 04:05:06' numbers; stat -c '%Y' numbers
# renaming, removing, many
t mv numbers 'ünï dir/moved'; t mv -f grown sparse; stat -c '%s' sparse
t mv 'ünï dir' plain; ls plain
exec 3<'a b'; rm 'a b'; cat <&3; echo; exec 3<&-
mkdir many; i=0; while [ $i -lt 300 ]; do : >many/$i; i=$((i + 1)); done
ls many | wc -l; rm -r many; t ls many
# read-only, and full
t cat /mnt/fixed/hello; t touch /mnt/fixed/new; t rm /mnt/fixed/hello
t mkdir /mnt/fixed/dir; t chmod 600 /mnt/fixed/hello; t mv /mnt/fixed/hello x
t dd if=/dev/zero of=/mnt/small/zeros bs=64k count=64 2>/dev/null
"""


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    return products_of(GUEST, ARCH)


def prepared(base: Path) -> list[Share]:
    """Folders, one of them small, and a secret beside them."""
    names = ("share", "fixed", "small")
    shares = [Share(base / name, name, name == "fixed") for name in names]
    for share in shares:
        share.path.mkdir(parents=True)
    (base / "secret").write_text("secret of the host\n")
    folder = shares[0].path
    (folder / "from-host").write_text("from the host\n")
    with (folder / "sparse").open("wb") as file:
        file.truncate(6 * GIB)
        file.seek(5 * GIB)
        file.write(b"deep.")
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    (folder / "outside").symlink_to(base / "secret")
    (folder / "up").symlink_to("../secret")
    (folder / "script").write_text(SCRIPT)
    (shares[1].path / "hello").write_text("hello\n")
    return shares


def tree(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """What is in a folder: kinds, modes, sizes, targets."""
    found: dict[bytes, tuple[object, ...]] = {}
    for place, folders, files in os.walk(os.fsencode(folder)):
        for name in [*folders, *files]:
            path = os.path.join(place, name)
            facts = os.lstat(path)
            link = os.readlink(path) if stat.S_ISLNK(facts.st_mode) else b""
            size = facts.st_size if stat.S_ISREG(facts.st_mode) else 0
            relative = os.path.relpath(path, os.fsencode(folder))
            if relative not in (b"log", b"outside"):
                found[relative] = (oct(facts.st_mode), size, link)
    return found


def test_both_engines_do_the_same(products: dict[str, Path], tmp_path: Path) -> None:
    logs, trees = {}, {}
    for engine in ENGINES:
        shares = prepared(tmp_path / engine)
        small = str(shares[2].path)
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", small]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted here")
        try:
            result = boot(
                products,
                GUEST,
                engine,
                shares,
                ["sh /mnt/share/script >/tmp/log 2>&1; cp /tmp/log /mnt/share/log"],
                tmp_path,
            )
            assert os.stat(f"{small}/zeros").st_size <= 1 << 20
        finally:
            subprocess.run(["umount", small], check=True)
        folder = shares[0].path
        log = (folder / "log").read_text()
        logs[engine] = log.replace(str(tmp_path / engine), "BASE").splitlines()
        trees[engine] = tree(folder)
        assert [d["kind"] for d in result["config"]["devices"]] == ["share"] * 3
        assert "secret of the host" not in log
        assert (folder / "plain" / "moved").read_bytes() == b"1\n2X3\n4\n5\n"[:10]
        assert (tmp_path / engine / "secret").exists()
    assert logs["node"] == logs["native"]
    assert trees["node"] == trees["native"]
    check(logs["node"])


def check(log: list[str]) -> None:
    """Check that the errors are right, not only equal."""
    for line in (
        "from the host",
        str(6 * GIB),
        "deep.",
        "4500000000",
        "4500000004",
        "640 -rw-r-----",
        "runs",
        "981173106",
        "300",
        "hello",
        "dd 1",
    ):
        assert line in log, line
    text = "\n".join(log)
    for error in (
        "No such file or directory",
        "File exists",
        "Directory not empty",
        "Is a directory",
        "Not a directory",
        "File name too long",
        "Read-only file system",
    ):
        assert error in text, error


def test_nobody_becomes_somebody_else(
    products: dict[str, Path], tmp_path: Path
) -> None:
    """A set-user-id file that a guest's root makes gives no rights on the host."""
    boot(
        products,
        GUEST,
        "node",
        [Share(tmp_path)],
        [
            "cd /mnt/share; cp /bin/busybox prog; chmod 6755 prog",
            "mknod disk b 254 0; chown 12:13 prog; echo node $?",
        ],
        tmp_path,
    )
    facts = (tmp_path / "prog").stat()
    assert (stat.S_IMODE(facts.st_mode), facts.st_uid) == (0o755, os.getuid())
    assert not (tmp_path / "disk").exists()


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
@every_other_guest
def test_other_guests(guest: str, arch: str, engine: str, tmp_path: Path) -> None:
    result = boot(
        products_of(guest, arch),
        guest,
        engine,
        [Share(tmp_path, "work")],
        ["md5sum /mnt/work/commands; echo made >/mnt/work/made; echo status $?"],
        tmp_path,
    )
    assert said(result, "status 0")
    assert (tmp_path / "made").read_text() == "made\n"
