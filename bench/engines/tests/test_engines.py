"""Command lines of the engine drivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from bench.engines import x86_clock as tsc
from bench.engines.base import (
    BootRequest,
    Engine,
    Streams,
    Switches,
    first_line,
    qemu_arguments,
)
from bench.engines.native import HostPlaces, NativeEngine
from bench.engines.node import (
    MODULES,
    MODULES_VARIABLE,
    RUNNER,
    NodeEngine,
    NodePlaces,
)
from bench.guests import devices
from bench.guests.devices.base import Device, Kind, Places
from bench.guests.guest import Guest, GuestFile


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
    argv = qemu_arguments(request, HostPlaces())
    words = "console=ttyS0 tierlab.workload=sha256 tierlab.mib=8"
    assert option(argv, "-append") == words
    assert option(argv, "-accel") == "tcg"
    for role in ("kernel", "initrd"):
        assert option(argv, f"-{role}") == str(guest.files[0].path.parent / role)
    assert (option(argv, "-m"), option(argv, "-smp")) == ("64", "1")
    assert option(argv, "-seed") == "7"
    assert "-icount" not in argv


def test_the_clocks_frequency_is_told(
    guest: Guest, products: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Native QEMU's TSC is the processor's, except under -icount."""
    monkeypatch.setattr(tsc, "native_khz", lambda: 2_300_000)
    own = replace(guest, arch="x86_64")
    products = {**products, "qemu-wasm-x86_64": products["qemu-wasm-riscv64"]}

    def told(request: BootRequest, engine: Engine) -> str:
        words = option(engine.command(request, products).argv, "-append").split()
        found = [w for w in words if w.startswith("tsc_early_khz=")]
        return " ".join(found).partition("=")[2]

    request = BootRequest(own)
    counted = replace(request, icount=1)
    assert told(request, NodeEngine()) == told(counted, NodeEngine()) == "1000000"
    assert told(request, NativeEngine()) == "2300000"
    assert told(counted, NativeEngine()) == "1000000"
    assert not told(BootRequest(guest), NodeEngine())
    assert not told(BootRequest(replace(own, workloads=False)), NodeEngine())


def test_names_for_profilers_are_asked_for_by_the_environment(
    guest: Guest, products: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    word = "TIERLAB_NAMES=on"
    assert word not in NodeEngine().command(BootRequest(guest), products).argv
    monkeypatch.setenv("TIERLAB_NAMES", "on")
    argv = NodeEngine().command(BootRequest(guest), products).argv
    assert argv[argv.index(word) - 1] == "--env"


def test_modules_are_written_if_the_environment_names_a_folder(
    guest: Guest, products: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MODULES_VARIABLE, raising=False)
    flag = f"--import={MODULES}"
    assert flag not in NodeEngine().command(BootRequest(guest), products).argv
    monkeypatch.setenv(MODULES_VARIABLE, "/tmp/modules")
    argv = NodeEngine().command(BootRequest(guest), products).argv
    assert argv.index(flag) < argv.index(str(RUNNER))
    assert "TIERLAB_NAMES=on" in argv


def test_a_saved_machines_counter_goes_on_as_fast(
    guest: Guest, products: dict[str, Path]
) -> None:
    own = replace(guest, arch="x86_64")
    products = {**products, "qemu-wasm-x86_64": products["qemu-wasm-riscv64"]}
    saved = BootRequest(own, tsc_khz=2_300_000)
    argv = NodeEngine().command(saved, products).argv
    assert argv[argv.index("TIERLAB_TSC_KHZ=2300000") - 1] == "--env"
    assert "tsc_early_khz=2300000" in option(argv, "-append").split()
    # Without a machine to resume, the runtime's own frequency is right.
    argv = NodeEngine().command(BootRequest(own), products).argv
    assert not [word for word in argv if word.startswith("TIERLAB_TSC_KHZ")]


def test_native_qemu_resumes_no_counter_of_another_speed(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tsc, "native_khz", lambda: 2_300_000)
    request = BootRequest(replace(guest, arch="x86_64"))
    refuses = NativeEngine().refuses
    assert refuses(request) is None
    # A second measurement differs a little.
    assert refuses(replace(request, tsc_khz=2_300_100)) is None
    said = refuses(replace(request, tsc_khz=1_000_000))
    assert said is not None and "1000 MHz" in said and "2300" in said
    # Instructions are counted at one frequency everywhere.
    assert refuses(replace(request, tsc_khz=1_000_000, icount=1)) is None
    # A processor that cannot be measured may have any frequency.
    monkeypatch.setattr(tsc, "native_khz", lambda: None)
    assert refuses(replace(request, tsc_khz=1_000_000)) is None


def test_the_processors_own_counter() -> None:
    """Two measurements agree; only the processor knows the right frequency."""
    first = tsc.native_khz()
    tsc.native_khz.cache_clear()
    again = tsc.native_khz()
    if first is None:
        pytest.skip("this processor has no such counter, or does not tell")
    assert again == pytest.approx(first, rel=0.001)
    assert 100_000 < first < 20_000_000


def test_a_guests_own_machine(guest: Guest, tmp_path: Path) -> None:
    image = GuestFile("loader", tmp_path / "a,b=c.bin", "0" * 64, 1, "addr=0x1000")
    own = replace(
        guest,
        files=(image,),
        cpu="max",
        smp=4,
        firmware="none",
        append="",
        workloads=False,
        arguments=("-semihosting",),
    )
    argv = qemu_arguments(BootRequest(own, workload="sh"), HostPlaces())
    assert (option(argv, "-cpu"), option(argv, "-smp")) == ("max", "4")
    assert option(argv, "-bios") == "none"
    assert option(argv, "-device") == f"loader,file={tmp_path}/a,,b=c.bin,addr=0x1000"
    assert "-append" not in argv and argv[-1] == "-semihosting"
    assert option(qemu_arguments(BootRequest(own, smp=2), HostPlaces()), "-smp") == "2"
    places = NodePlaces()
    assert "loader,file=/guest/loader0,addr=0x1000" in qemu_arguments(
        BootRequest(own), places
    )
    assert places.files == {"/guest/loader0": image.path}
    file = replace(image, role="bios", options="")
    argv = qemu_arguments(BootRequest(replace(own, files=(file,))), HostPlaces())
    assert option(argv, "-bios") == str(image.path)


class Plugged:
    """A device that needs a file."""

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        path = places.file(Path("/host/disk"), "/device/disk")
        return ["-device", f"{arch}-{machine}-{places.engine},file={path}"]

    def as_json(self) -> dict[str, Any]:
        return {"kind": "plugged"}


def test_devices_get_their_arguments_and_files(
    guest: Guest, products: dict[str, Path]
) -> None:
    request = BootRequest(guest, devices=(Plugged(),))
    native = NativeEngine().command(request, {}).argv
    assert option(native, "-device") == "riscv64-virt-native,file=/host/disk"
    node = NodeEngine().command(request, products).argv
    assert option(node, "-device") == "riscv64-virt-node,file=/device/disk"
    assert "/host/disk=/device/disk" in node[: node.index("--")]


def test_device_options_become_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(given: Mapping[str, Any]) -> tuple[Device, ...]:
        return (Plugged(),) * int(given["plugs"])

    kind = Kind({"plugs": click.option("--plugs", type=int, default=0)}, make)
    monkeypatch.setattr(devices, "KINDS", (kind,))
    seen: list[dict[str, Any]] = []

    def command(**given: Any) -> int:
        seen.append(given)
        return 0

    program = click.command()(click.option("--other")(devices.device_options(command)))
    program.main([], standalone_mode=False)
    program.main(["--plugs", "1", "--other", "x"], standalone_mode=False)
    assert seen[0] == {"other": None, "devices": ()}
    assert seen[1]["other"] == "x" and isinstance(seen[1]["devices"][0], Plugged)


def test_icount_leaves_no_host_clock_in_the_guest(guest: Guest) -> None:
    argv = qemu_arguments(BootRequest(guest, icount=3), HostPlaces())
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
    for file in guest.files:
        assert f"{file.path}=/guest/{file.role}" in ours
    assert option(ours, "--stats") == str(tmp_path / "s.json")


def test_node_gets_the_runtimes_switches(
    guest: Guest, products: dict[str, Path], tmp_path: Path
) -> None:
    request = BootRequest(
        guest,
        tier="profile:from=/profiles/earlier-boot,n=9",
        switches=Switches(chain="tail", fault="no-memory:13"),
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


def test_a_machine_that_is_saved_or_resumed(
    guest: Guest, products: dict[str, Path], tmp_path: Path
) -> None:
    socket, read, written = (tmp_path / name for name in ("qmp", "in", "out"))
    request = BootRequest(guest, control=socket, stream_in=read, stream_out=written)
    native = NativeEngine().command(request, {})
    assert option(native.argv, "-incoming") == "defer"
    assert option(native.argv, "-qmp").startswith(f"unix:{socket},")
    assert native.streams == Streams(str(read), str(written))
    node = NodeEngine().command(request, products)
    ours = node.argv[node.argv.index("--") :]
    assert option(ours, "-incoming") == "defer"
    assert option(ours, "-chardev") == "stdio,id=control"
    assert option(node.argv, "--control") == str(socket)
    assert f"{read}={node.streams.incoming}" in node.argv
    assert option(node.argv, "--fetch") == f"{written}={node.streams.outgoing}"
    # A plain boot must not have these words: it would measure another machine.
    plain = NodeEngine().command(BootRequest(guest), products)
    assert not {"-incoming", "-chardev", "--control", "--fetch"} & set(plain.argv)


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
