"""The peer v86: which boots it takes, its command line, its runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.base.errors import USAGE, TierlabError
from bench.build.recipes.v86 import BIOS, LIBRARY, PROGRAM, VERSIONS
from bench.engines.base import BootRequest
from bench.engines.tests.test_engines import option
from bench.engines.v86 import RUNNER, V86Engine
from bench.guests.devices.base import Places
from bench.guests.guest import Guest, GuestFile, file_sha256
from bench.harness.products import product_variable
from bench.harness.run.boot import require

FAKE = Path(__file__).with_name("fake_v86.mjs")
NODE = os.environ.get(product_variable("node"), "")
LIMIT_S = 120

# Imports env.get_rand_int and exports it as `random`.
RANDOM = bytes.fromhex(
    "0061736d01000000 0105016000017f"
    "021401 03656e76 0c6765745f72616e645f696e74 0000"
    "070a01 0672616e646f6d 0000"
)

EXIT_DEVICE = ("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04")


def bzimage(flags: int) -> bytes:
    """The header of a Linux image for x86."""
    header = bytearray(0x238)
    header[0x202:0x206] = b"HdrS"
    header[0x236] = flags
    return bytes(header)


def made(path: Path, role: str, data: bytes) -> GuestFile:
    path.write_bytes(data)
    return GuestFile(role, path, file_sha256(path), len(data))


@pytest.fixture
def pc(guest: Guest, tmp_path: Path) -> Guest:
    """A guest that v86 boots, by all that its description tells."""
    kernel = made(tmp_path / "vmlinuz", "kernel", bzimage(0))
    initrd = made(tmp_path / "initrd.img", "initrd", bytes(3 << 20))
    arguments = ("-vga", "none", *EXIT_DEVICE)
    return replace(
        guest,
        name="i386-mine",
        arch="x86_64",
        machine="pc",
        memory_mib=256,
        files=(kernel, initrd),
        arguments=arguments,
    )


@pytest.fixture
def products(tmp_path: Path) -> dict[str, Path]:
    node, v86 = tmp_path / "node-1", tmp_path / "v86-1"
    (node / "bin").mkdir(parents=True)
    (node / "bin" / "node").touch()
    v86.mkdir()
    (v86 / LIBRARY).touch()
    (v86 / VERSIONS).write_text(json.dumps({"v86": "0.5", "firmware": "seabios 1"}))
    return {"node": node, "v86": v86}


def test_the_command_line(pc: Guest, products: dict[str, Path]) -> None:
    flags = ("--no-liftoff",)
    request = BootRequest(pc, workload="sha256:mib=8", seed=7, engine_flags=flags)
    assert V86Engine().refuses(request) is None
    argv = V86Engine().command(request, products).argv
    node = str(products["node"] / "bin" / "node")
    assert argv[:3] == (node, "--no-liftoff", str(RUNNER))
    words = "console=ttyS0 tierlab.workload=sha256 tierlab.mib=8"
    assert f"--append={words}" in argv
    for role in ("kernel", "initrd"):
        file = pc.file(role)
        assert file is not None and option(argv, f"--{role}") == str(file.path)
    assert (option(argv, "--memory"), option(argv, "--seed")) == ("256", "7")
    assert option(argv, "--exit-port") == "0xf4"
    plain = V86Engine().command(BootRequest(replace(pc, arguments=())), products).argv
    assert "--exit-port" not in plain


class Plugged:
    """A device that v86 does not have."""

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        raise AssertionError("there is no QEMU")

    def as_json(self) -> dict[str, Any]:
        return {"kind": "disk"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"machine": "microvm"}, "v86 is a 32-bit PC, not x86_64 microvm"),
        ({"arch": "riscv64", "machine": "virt"}, "a 32-bit PC, not riscv64 virt"),
        ({"cpu": "max"}, "has a CPU of its own, not 'max'"),
        ({"firmware": "none"}, "has firmware of its own"),
        ({"smp": 2}, "has one CPU"),
        ({"arguments": ("-device", "ich9-ahci")}, "nothing like 'ich9-ahci'"),
        ({"arguments": ("-s",)}, "nothing like '-s'"),
        ({"memory_mib": 64}, "needs at least 68 MiB"),
    ],
)
def test_what_v86_is_not(pc: Guest, change: dict[str, Any], why: str) -> None:
    refusal = V86Engine().refuses(BootRequest(replace(pc, **change)))
    assert refusal is not None and why in refusal


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"smp": 2}, "one CPU"),
        ({"icount": 1}, "no clock that counts instructions"),
        ({"devices": (Plugged(),)}, "device 'disk' cannot be plugged"),
        ({"memory_mib": 32}, "MiB of memory"),
        ({"control": Path("/tmp/control")}, "saving and resuming"),
    ],
)
def test_what_a_boot_cannot_ask_of_it(
    pc: Guest, change: dict[str, Any], why: str
) -> None:
    refusal = V86Engine().refuses(BootRequest(pc, **change))
    assert refusal is not None and why in refusal


@pytest.mark.parametrize("data", [bzimage(1), b"\x7fELF", b""])
def test_only_32_bit_kernels(pc: Guest, tmp_path: Path, data: bytes) -> None:
    kernel = made(tmp_path / "other", "kernel", data)
    refusal = V86Engine().refuses(BootRequest(replace(pc, files=(kernel,))))
    assert refusal is not None and "no 32-bit bzImage" in refusal


def test_a_refusal_is_one_line_about_the_guest(guest: Guest) -> None:
    with pytest.raises(TierlabError) as refused:
        require(V86Engine(), BootRequest(guest), {})
    assert refused.value.status == USAGE
    assert refused.value.line() == (
        "engine 'v86' cannot do this boot of 'fake64-tiny': v86 is a 32-bit PC, not "
        "riscv64 virt; choose another engine, guest or setting"
    )


def test_what_is_missing(pc: Guest, products: dict[str, Path]) -> None:
    assert V86Engine().available(pc.arch, products) is None
    (products["v86"] / LIBRARY).unlink()
    missing = V86Engine().available(pc.arch, products)
    assert missing is not None and missing.why == "v86 is missing"
    assert V86Engine().products("riscv64") == ()


def test_the_version_is_that_of_its_product(products: dict[str, Path]) -> None:
    facts = V86Engine().version("x86_64", products)
    assert (facts["engine"], facts["firmware"]) == ("v86 0.5", "seabios 1")
    assert facts["qemu"] == ""
    (products["v86"] / VERSIONS).unlink()
    assert "v86" not in V86Engine().version("x86_64", products)


Runner = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """Run the runner with a fake v86, which does what its kernel file says."""
    node = f"{NODE}/bin/node" if NODE else shutil.which("node")
    if node is None:
        pytest.skip("no Node in PATH")
    v86 = tmp_path / "fake"
    v86.mkdir()
    shutil.copyfile(FAKE, v86 / LIBRARY)
    (v86 / PROGRAM).write_bytes(RANDOM)
    (v86 / BIOS).touch()
    initrd = tmp_path / "initrd"
    initrd.touch()

    def boot(
        script: str, *more: str, typed: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        kernel = tmp_path / "script"
        kernel.write_text(script)
        argv = [node, str(RUNNER), "--v86", str(v86), "--kernel", str(kernel)]
        argv += ["--initrd", str(initrd), "--append=a=b -- c", "--memory", "128"]
        argv += ["--seed", "5", "--exit-port", "0xf4", *more]
        return subprocess.run(
            argv, input=typed, capture_output=True, timeout=LIMIT_S, check=False
        )

    return boot


@pytest.mark.parametrize(
    ("script", "status"), [("halt", 0), ("reset", 0), ("exit", 7), ("trap", 134)]
)
def test_how_a_guest_ends(run: Runner, script: str, status: int) -> None:
    done = run(f"last-words {script}")
    assert done.returncode == status
    # The last line is kept although it has no end.
    assert done.stdout == b"128 MiB, a=b -- c\nlast-words"
    why = b"v86 stopped: Error: unreachable\n"
    assert done.stderr.endswith(why) == (script == "trap")


def test_the_seed_is_the_guests_randomness(run: Runner) -> None:
    first, again = run("random halt"), run("random halt")
    other = run("random halt", "--seed", "6")
    assert first.stdout == again.stdout != other.stdout
    numbers = first.stdout.split()[-2:]
    assert len(set(numbers)) == 2


def test_keys_reach_the_guest_and_ctrl_a_x_quits(run: Runner) -> None:
    done = run("wait", typed=b"ls\n\x01\x01\x01x")
    assert done.returncode == 0
    assert done.stdout.endswith(b"0:ls\n\x01\n")


def test_a_file_that_cannot_be_read(run: Runner) -> None:
    done = run("wait", "--initrd", "/nowhere")
    assert done.returncode == 3
    assert done.stderr == b"tierlab: cannot read /nowhere: ENOENT\n"
    assert run("wait", "--such", "option").returncode == 2
