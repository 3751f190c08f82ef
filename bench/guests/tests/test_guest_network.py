"""A guest's network, end to end: DHCP, a fetch over HTTP, and what is refused."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.guests.devices.network import PRODUCT, Network
from bench.testing.guest_boots import ENGINES, OTHERS, boot, products_of, said

pytestmark = pytest.mark.guest

ARCH = "riscv64"
# The card's driver is a module.
GUEST = f"{ARCH}-debian"
CONTENT = random.Random(1).randbytes(1_500_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FETCH = "wget -q -T 60 -O"


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    return products_of(GUEST, ARCH, PRODUCT)


class Server(ThreadingHTTPServer):
    """A server of CONTENT on loopback; `seen` are the requested paths."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        if self.path == "/end-relay":
            end_relay()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with Server() as first, Server() as second:
        for server in (first, second):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield first, second
        for server in (first, second):
            server.shutdown()


def relays() -> list[int]:
    """The relay processes that this test started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "stat").read_text().split()
        except OSError:
            continue
        if words[1] == "(tierlab-relay)" and int(words[3]) == os.getpid():
            found.append(int(entry.name))
    return found


def end_relay() -> None:
    """End the relay in the middle of a boot."""
    (relay,) = relays()
    os.kill(relay, signal.SIGKILL)


def boot_with(
    network: Network | None,
    products: dict[str, Path],
    engine: str,
    commands: Sequence[str],
    tmp_path: Path,
    guest: str = GUEST,
) -> dict[str, Any]:
    """Type commands at the guest's prompt; check that the relay ends with it."""
    devices = () if network is None else (network,)
    result = boot(products, guest, engine, devices, commands, tmp_path)
    assert not relays()
    return result


@pytest.mark.parametrize("engine", ENGINES)
def test_a_guest_fetches_from_the_server_that_was_named(
    products: dict[str, Path],
    servers: tuple[Server, Server],
    tmp_path: Path,
    engine: str,
) -> None:
    named, other = servers
    result = boot_with(
        Network((named.port,)),
        products,
        engine,
        [
            f"{FETCH} /tmp/got http://10.0.2.2:{named.port}/file; echo named $?",
            "sha256sum /tmp/got",
            f"{FETCH} - http://10.0.2.2:{other.port}/file; echo other $?",
            "ip addr show eth0",
        ],
        tmp_path,
    )
    assert said(result, "named 0")
    assert said(result, f"{DIGEST}  /tmp/got")
    assert said(result, "other 1")
    assert said(result, r" *inet 10\.0\.2\.15/24 .*eth0")
    assert (named.seen, other.seen) == (["/file"], [])


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("guest", "arch"), [o for o in OTHERS if o[0] != GUEST])
def test_other_guests(
    guest: str,
    arch: str,
    engine: str,
    servers: tuple[Server, Server],
    tmp_path: Path,
) -> None:
    named = servers[0]
    fetch = f"{FETCH} - http://10.0.2.2:{named.port}/file | sha256sum"
    products = products_of(guest, arch, PRODUCT)
    network = Network((named.port,))
    result = boot_with(network, products, engine, [fetch], tmp_path, guest)
    assert said(result, f"{DIGEST}  -")
    assert said(result, r"@tierlab net .* device=eth0 address=10\.0\.2\.15/24 status=0")


def test_there_is_no_network_unless_asked_for(
    products: dict[str, Path], tmp_path: Path
) -> None:
    result = boot_with(
        None, products, "node", ["ls -d /sys/class/net/eth0; echo card $?"], tmp_path
    )
    assert said(result, "card 1")


def test_an_isolated_guest_has_an_address_only(
    products: dict[str, Path], servers: tuple[Server, Server], tmp_path: Path
) -> None:
    result = boot_with(
        Network(),
        products,
        "node",
        [
            f"{FETCH} - http://10.0.2.2:{servers[0].port}/; echo host $?",
            f"{FETCH} - http://192.0.2.1/; echo outside $?",
            "ip addr show eth0",
        ],
        tmp_path,
    )
    assert said(result, "host 1") and said(result, "outside 1")
    assert said(result, r" *inet 10\.0\.2\.15/24 .*eth0")
    assert servers[0].seen == []


def test_the_boot_goes_on_without_its_relay(
    products: dict[str, Path], servers: tuple[Server, Server], tmp_path: Path
) -> None:
    port = servers[0].port
    result = boot_with(
        Network((port,)),
        products,
        "node",
        [
            "echo before $(cat /sys/class/net/eth0/carrier)",
            f"wget -q -T 3 -O - http://10.0.2.2:{port}/end-relay; echo end $?",
            "echo after $(cat /sys/class/net/eth0/carrier)",
        ],
        tmp_path,
    )
    assert said(result, "before 1") and said(result, "end 1")
    assert said(result, "after 0")
    lines = result["stderr"]["text"].splitlines()
    assert [line for line in lines if "relay" in line] == [
        "tierlab: the network relay is gone (code 1006): the guest's link is down"
    ]
