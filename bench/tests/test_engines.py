"""Command lines of the engine drivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.engines.base import BootRequest, Switches, first_line, qemu_arguments
from bench.engines.native import NativeEngine
from bench.engines.node import NodeEngine
from bench.guests.manifest import Guest


def option(argv: tuple[str, ...] | list[str], name: str) -> str:
    """The value after an option that must appear exactly once."""
    assert argv.count(name) == 1
    return argv[argv.index(name) + 1]


@pytest.fixture
def products(tmp_path: Path) -> dict[str, Path]:
    node, qemu = tmp_path / "node-1", tmp_path / "qemu-1"
    (node / "bin").mkdir(parents=True)
    (node / "bin" / "node").touch()
    qemu.mkdir()
    (qemu / "qemu-system-riscv64.js").touch()
    return {"node": node, "qemu-wasm-riscv64": qemu}


def test_the_machine_is_the_same_under_every_engine(
    guest: Guest, products: dict[str, Path]
) -> None:
    request = BootRequest(guest, workload="sh", tier="never", smp=2)
    native = NativeEngine().command(request, {}).argv
    node = NodeEngine().command(request, products).argv
    ours = list(node[node.index("--") + 1 :])
    for name in ("-kernel", "-initrd"):
        ours[ours.index(name) + 1] = option(native, name)
    assert ours == list(native[1:])


def test_qemu_arguments(guest: Guest) -> None:
    request = BootRequest(guest, workload="sha256:mib=8", seed=7)
    argv = qemu_arguments(request, "K", "I")
    words = "console=ttyS0 tierlab.workload=sha256 tierlab.mib=8"
    assert option(argv, "-append") == words
    assert option(argv, "-accel") == "tcg"
    assert (option(argv, "-kernel"), option(argv, "-initrd")) == ("K", "I")
    assert (option(argv, "-m"), option(argv, "-smp")) == ("64", "1")
    assert option(argv, "-seed") == "7"
    assert "-icount" not in argv


def test_icount_leaves_no_host_clock_in_the_guest(guest: Guest) -> None:
    argv = qemu_arguments(BootRequest(guest, icount=3), "K", "I")
    assert option(argv, "-icount") == "shift=3,sleep=off"
    assert "clock=vm" in option(argv, "-rtc")


def test_node_gets_flags_policy_files_and_stats(
    guest: Guest, products: dict[str, Path], tmp_path: Path
) -> None:
    request = BootRequest(
        guest,
        tier="threshold:n=250",
        seed=3,
        engine_flags=("--no-liftoff",),
        stats=tmp_path / "s.json",
    )
    argv = NodeEngine().command(request, products).argv
    assert argv[:2] == (str(products["node"] / "bin" / "node"), "--no-liftoff")
    assert argv[2].endswith("bench/engines/node/run.mjs")
    ours = argv[: argv.index("--")]
    assert "TIERLAB_TIER=threshold:n=250" in ours and "TIERLAB_SEED=3" in ours
    assert f"{guest.kernel}=/guest/kernel" in ours
    assert f"{guest.initrd}=/guest/initrd" in ours
    assert option(ours, "--stats") == str(tmp_path / "s.json")


def test_node_gets_the_runtimes_switches(
    guest: Guest, products: dict[str, Path], tmp_path: Path
) -> None:
    request = BootRequest(
        guest,
        tier="profile:from=/profiles/earlier-boot,n=9",
        switches=Switches("tail", None, "no-memory:13"),
        tb_size_mib=16,
        profile=tmp_path / "p",
        timeline=tmp_path / "t",
    )
    argv = NodeEngine().command(request, products).argv
    ours = argv[: argv.index("--")]
    assert "TIERLAB_CHAIN=tail" in ours and "TIERLAB_FAULT=no-memory:13" in ours
    assert not any(word.startswith("TIERLAB_COUNTS") for word in ours)
    assert f"{tmp_path / 'p'}=/profiles/earlier-boot" in ours
    assert option(ours, "--timeline") == str(tmp_path / "t")
    assert option(argv, "-accel") == "tcg,tb-size=16"


def test_native_takes_flags_for_qemu(guest: Guest) -> None:
    request = BootRequest(guest, engine_flags=("-d", "unimp"))
    argv = NativeEngine().command(request, {}).argv
    assert argv[0] == "qemu-system-riscv64" and argv[-2:] == ("-d", "unimp")


def test_node_that_is_not_built_says_what_to_do(products: dict[str, Path]) -> None:
    (products["node"] / "bin" / "node").unlink()
    missing = NodeEngine().available("riscv64", products)
    assert missing is not None
    assert missing.why == "node is missing"
    assert missing.next_step == "run `tierlab build`"


def test_native_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    missing = NativeEngine().available("riscv64", {})
    assert missing is not None and "qemu-system-riscv64" in missing.why


def test_first_line_of_what_cannot_be_run() -> None:
    assert first_line(["/nowhere/at/all"]) == ""
    assert first_line(["false"]) == ""
