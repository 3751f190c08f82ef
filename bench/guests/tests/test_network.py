"""`--net`: its meaning, QEMU's arguments, and the relay's life."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench.base.errors import SETUP, USAGE, TierlabError
from bench.engines.base import BootRequest
from bench.engines.native import HostPlaces, NativeEngine
from bench.engines.node import RUNNER, NodeEngine, NodePlaces
from bench.guests.devices.base import Served
from bench.guests.devices.network import ADDRESS, PRODUCT, Network, parse_network
from bench.guests.guest import Guest
from bench.harness.products import obtain
from bench.harness.run.boot import Boot, run_boot
from bench.testing import fakes
from bench.testing.fakes import FakeEngine

URL = "ws://127.0.0.1:1/secret"

# A stand-in for the relay that notes its arguments and its end.
FAKE_RELAY = f"""#!{sys.executable}
import sys
log = open({{log!r}}, "a")
print("started", *sys.argv[1:], file=log, flush=True)
print({URL!r}, flush=True)
sys.stdin.read()
print("ended", file=log, flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def products(tmp_path: Path, log: Path) -> dict[str, Path]:
    """The fake relay."""
    return {PRODUCT: make_relay(tmp_path, FAKE_RELAY.format(log=str(log)))}


def make_relay(tmp_path: Path, text: str) -> Path:
    product = tmp_path / "relay-1"
    (product / "bin").mkdir(parents=True)
    program = product / "bin" / "tierlab-relay"
    program.write_text(text)
    program.chmod(0o755)
    return product


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("isolated", Network()),
        ("outside", Network((), True)),
        ("host=80", Network((80,))),
        ("host=8000,outside,host=80,host=8000", Network((80, 8000), True)),
    ],
)
def test_reach(text: str, network: Network) -> None:
    assert parse_network(text) == network


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user",
        "host",
        "host=",
        "host=0",
        "host=65536",
        "host=-1",
        "host=http",
        "host=80,",
        "isolated,outside",
        "outside=1",
        "riscv64-tiny",
        ",".join(f"host={n}" for n in range(1, 18)),
    ],
)
def test_no_reach(text: str) -> None:
    with pytest.raises(TierlabError) as error:
        parse_network(text)
    assert error.value.status == USAGE
    assert error.value.next_step


def test_qemu_itself_uses_a_socket_of_this_boot(
    products: dict[str, Path], log: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "a,b"
    places = HostPlaces()
    with Network((80,), True).served(products, scratch) as network:
        argv = network.qemu_arguments("riscv64", "virt", places)
    assert argv[1].endswith(f"addr.path={tmp_path}/a,,b/network")
    assert argv[3] == "virtio-net-pci,netdev=net0,romfile="
    assert not places.variables
    assert log.read_text().splitlines() == [
        f"started --stream={scratch}/network --host=80 --outside",
        "ended",
    ]


def test_the_runner_gets_the_address_as_a_secret(
    guest: Guest, products: dict[str, Path], tmp_path: Path
) -> None:
    with Network().served(products, tmp_path) as network:
        request = BootRequest(guest, devices=(network,))
        made = {"node": tmp_path, f"qemu-wasm-{guest.arch}": tmp_path}
        command = NodeEngine().command(request, made)
        assert command.env[ADDRESS] == URL
        assert not any("secret" in word for word in command.argv)
        assert "stream,id=net0,addr.type=unix,addr.path=runner" in command.argv
        assert not NativeEngine().command(request, {}).env


def test_machines(products: dict[str, Path], tmp_path: Path) -> None:
    with Network().served(products, tmp_path) as network:
        cards = {
            machine: network.qemu_arguments("any", machine, NodePlaces())[3]
            for machine in ("virt", "pc", "microvm", "microvm,acpi=off")
        }
        with pytest.raises(TierlabError) as error:
            network.qemu_arguments("aarch64", "raspi3ap", NodePlaces())
    assert {m: c.split(",")[0] for m, c in cards.items()} == {
        "virt": "virtio-net-pci",
        "pc": "virtio-net-pci",
        "microvm": "virtio-net-device",
        "microvm,acpi=off": "virtio-net-device",
    }
    assert error.value.status == USAGE


def test_a_boot_has_its_relay(
    guest: Guest, fake: FakeEngine, products: dict[str, Path], log: Path
) -> None:
    network = Network((80,))
    assert isinstance(network, Served)
    result = run_boot(
        Boot(fake, BootRequest(guest, tier="never", devices=(network,)), products, 60),
        {"git": None},
    )
    assert result["ok"]
    assert result["config"]["devices"] == [
        {"kind": "net", "host": [80], "outside": False}
    ]
    (plugged,) = fake.requests[-1].devices
    assert isinstance(plugged, Network) and plugged.relay is not None
    assert plugged.relay.url == URL
    assert log.read_text().splitlines()[-1] == "ended"
    assert "secret" not in str(result)


def test_two_boots_have_two(
    guest: Guest, fake: FakeEngine, products: dict[str, Path], log: Path
) -> None:
    boot = Boot(
        fake, BootRequest(guest, tier="never", devices=(Network(),)), products, 60
    )
    for job in (boot, replace(boot, repetition=2)):
        run_boot(job, {"git": None})
    words = [line.split()[0] for line in log.read_text().splitlines()]
    assert words == ["started", "ended"] * 2


@pytest.mark.parametrize("scenario", [fakes.GOOD, [{"exit": 1}], [{"kill": 9}]])
def test_the_relay_ends_however_the_boot_does(
    guest: Guest,
    fake: FakeEngine,
    products: dict[str, Path],
    log: Path,
    scenario: fakes.Scenario,
) -> None:
    fake.scenarios = {"": scenario}
    request = BootRequest(guest, tier="never", devices=(Network(),))
    run_boot(Boot(fake, request, products, 60), {"git": None})
    assert log.read_text().splitlines()[-1] == "ended"


def test_the_relay_ends_when_we_are_killed(
    products: dict[str, Path], log: Path, tmp_path: Path
) -> None:
    program = products[PRODUCT] / "bin" / "tierlab-relay"
    code = (
        "import sys, time, pathlib; from bench.guests.devices.relay import running\n"
        f"with running(pathlib.Path({str(program)!r}), []):\n"
        "    print('up', flush=True); time.sleep(3600)"
    )
    harness = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert harness.stdout is not None
    assert harness.stdout.readline() == b"up\n"
    os.kill(harness.pid, signal.SIGKILL)
    harness.wait()
    harness.stdout.close()
    deadline = time.monotonic() + 60
    while "ended" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_relay_that_does_not_start(tmp_path: Path) -> None:
    products = {PRODUCT: make_relay(tmp_path, "#!/bin/sh\nexit 3\n")}
    with pytest.raises(TierlabError) as error, Network().served(products, tmp_path):
        raise AssertionError("served")
    assert error.value.status == SETUP
    (products[PRODUCT] / "bin" / "tierlab-relay").unlink()
    with pytest.raises(TierlabError) as error, Network().served(products, tmp_path):
        raise AssertionError("served")
    assert error.value.status == SETUP


def test_a_relay_deaf_to_its_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.guests.devices.relay.END_S", 0.2)
    pid = tmp_path / "pid"
    text = f"#!/bin/sh\necho $$ > {pid}\necho {URL}\nexec sleep 3600\n"
    products = {PRODUCT: make_relay(tmp_path, text)}
    with Network().served(products, tmp_path):
        process = Path("/proc") / pid.read_text().strip()
        assert process.exists()
    # Killed and collected, though its input had ended before without effect.
    assert not process.exists()


def test_rings_of_the_runner() -> None:
    """network.mjs with rings that are full and wrap around, and a real relay."""
    made = obtain(["node", PRODUCT], Console(stderr=True))
    done = subprocess.run(
        [
            str(made["node"] / "bin" / "node"),
            str(RUNNER.parent / "tests" / "network-check.mjs"),
            str(made[PRODUCT] / "bin" / "tierlab-relay"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1500 pings")
