"""/init: it parses, and knows the workloads and files that it is given."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from bench.guests import catalogue, cpio, initramfs

INIT = Path(__file__).parents[1] / "init"
TEXT = INIT.read_text(encoding="utf-8")
SHELLS = [["sh", "-n"], ["busybox", "sh", "-n"]]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda argv: " ".join(argv))
def test_parses(shell: list[str]) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    subprocess.run([*shell, str(INIT)], check=True)


def test_every_workload_of_the_catalogue_is_there() -> None:
    functions = set(re.findall(r"^workload_(\w+)\(\)", TEXT, re.MULTILINE))
    names = {workload.name for workload in catalogue.WORKLOADS}
    assert functions == names - {"none", "wait"}


def test_settings_are_what_the_script_reads() -> None:
    given = set(
        re.findall(
            r"^(\w+)=", initramfs.settings("riscv64", "virt"), re.MULTILINE
        )
    )
    own = {"PATH", "HOME", "TERM", "PS1"}
    used = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", TEXT)) - own
    assert used == given


def test_archive_holds_what_the_boot_needs() -> None:
    archive = initramfs.build(b"BUSYBOX", INIT.read_bytes(), "riscv64", "virt")
    members = {entry.name: entry for entry in cpio.unpack(archive)}
    assert members["init"].data == INIT.read_bytes()
    assert members["init"].mode == stat.S_IFREG | 0o755
    assert members["bin/sh"].data == b"busybox"
    console = members["dev/console"]
    assert stat.S_ISCHR(console.mode)
    assert console.device == (5, 1)
    assert b"FINISHER=0x100000\n" in members["etc/tierlab"].data
    for directory in ("proc", "sys", "dev", "tmp"):
        assert stat.S_ISDIR(members[directory].mode)


def test_machine_without_finisher() -> None:
    assert initramfs.settings("aarch64", "virt").startswith("FINISHER=\n")


def test_sha256_table() -> None:
    table = dict(line.split() for line in initramfs.sha256_table().splitlines())
    assert list(table) == [str(mib) for mib in range(1, 65)]
    data = b"tierlab\n" * (3 * 2**20 // 8)
    assert table["3"] == hashlib.sha256(data).hexdigest()


@pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox")
@pytest.mark.parametrize("name", ["sha256", "gzip", "sh", "churn"])
@pytest.mark.parametrize("damage", [False, True])
def test_workload_checks_itself(
    tmp_path: Path, name: str, damage: bool
) -> None:
    """The functions of /init, run here: right data pass, wrong ones do not."""
    (tmp_path / "tmp").mkdir()
    settings = initramfs.settings("riscv64", "virt")
    table = initramfs.sha256_table()
    if damage:
        settings = re.sub(r"(?<=_SUM=|_CRC=|_MD5=)", "1", settings)
        table = table.replace("\n4 ", "\n4 0")
    (tmp_path / "sha256").write_text(table)
    functions = TEXT[TEXT.index("workload_sha256()") :]
    functions = functions[: functions.index("workload_shell()")]
    functions = functions.replace("/tmp/", f"{tmp_path}/tmp/")
    functions = functions.replace("/etc/sha256", f"{tmp_path}/sha256")
    functions = functions.replace("/bin/busybox", str(shutil.which("busybox")))
    quiet = "marker() { echo \"$2\" >>marks; }"
    script = f"mib=4\nrounds=3\nseconds=0\nbegan=0\n{quiet}\n"
    script += f"{settings}{functions}\nworkload_{name}\n"
    run = subprocess.run(
        ["busybox", "sh", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout.startswith(f"{name} ")
    assert run.returncode == (1 if damage else 0)
    if name in ("sha256", "churn"):
        marks = (tmp_path / "marks").read_text().split()
        assert marks == (["n=0"] if damage else ["n=0", "n=1", "n=2", "n=3"])
