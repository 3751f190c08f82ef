"""The WebSocket of guests' networks: it serves only our page, and changes no bytes."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bench.cli.main import main
from bench.guests.devices.network import PRODUCT, Network
from bench.harness.products import obtain
from bench.page.server import PageServer
from bench.page.tests.browsers import serving
from bench.page.tests.sites import make_site

SECRET = "/0123456789abcdef"
KEY = base64.b64encode(bytes(16)).decode()


class Relay(threading.Thread):
    """A fake relay: takes one connection, keeps its head, and echoes all data twice."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}{SECRET}"
        self.head = ""
        self.ended = threading.Event()

    def run(self) -> None:
        """Serve until the client goes or sends `end`."""
        link, _ = self._listener.accept()
        with link:
            head = b""
            while b"\r\n\r\n" not in head:
                head += link.recv(1)
            self.head = head.decode()
            link.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            while (data := link.recv(100)) and data != b"end":
                link.sendall(data * 2)
        self.ended.set()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of fakes."""
    return make_site(tmp_path_factory.mktemp("page"))


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A fake relay, which is running."""
    relay = Relay()
    relay.start()
    yield relay


@pytest.fixture
def server(site: Path, relay: Relay) -> Iterator[PageServer]:
    """Our server of the page, with a network."""
    with serving(site) as server:
        server.relay = relay.url
        yield server


def request(server: PageServer, **changed: str | None) -> socket.socket:
    """Send the request with which a browser opens a WebSocket."""
    host = f"127.0.0.1:{server.server_port}"
    fields: dict[str, str | None] = {
        "Host": host,
        "Origin": f"http://{host}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Key": KEY,
        "Sec_WebSocket_Version": "13",
        "Cookie": "none of the relay's business",
    }
    fields |= changed
    lines = [f"{k.replace('_', '-')}: {v}" for k, v in fields.items() if v is not None]
    link = socket.create_connection(("127.0.0.1", server.server_port), 20)
    link.sendall("\r\n".join(["GET /network HTTP/1.1", *lines, "", ""]).encode())
    return link


def status(link: socket.socket) -> int:
    """The status of the answer."""
    response = http.client.HTTPResponse(link)
    response.begin()
    return response.status


def exactly(link: socket.socket, n: int) -> bytes:
    """Receive exactly `n` bytes."""
    data = b""
    while len(data) < n and (piece := link.recv(n - len(data))):
        data += piece
    return data


def test_bytes_are_handed_on(server: PageServer, relay: Relay) -> None:
    with request(server) as link:
        assert exactly(link, 36) == b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        link.sendall(b"\x82\x01x")
        assert exactly(link, 6) == b"\x82\x01x\x82\x01x"
        lines = relay.head.split("\r\n")
        assert lines[0] == f"GET {SECRET} HTTP/1.1"
        assert f"Sec-WebSocket-Key: {KEY}" in lines
        assert "Origin" not in relay.head and "Cookie" not in relay.head
        link.sendall(b"end")
        assert link.recv(1) == b""
    assert relay.ended.wait(20)


def test_relay_learns_that_the_page_went(server: PageServer, relay: Relay) -> None:
    with request(server) as link:
        exactly(link, 36)
    assert relay.ended.wait(20)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Upgrade": None}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Sec_WebSocket_Key": None}, 426),
        ({"Sec_WebSocket_Key": "x\r\n Smuggled: y"}, 426),
    ],
)
def test_others_are_refused(
    server: PageServer, relay: Relay, changed: dict[str, str | None], expected: int
) -> None:
    with request(server, **changed) as link:
        assert status(link) == expected
    assert relay.head == ""


def test_without_a_network_there_is_none(site: Path) -> None:
    with serving(site) as server, request(server) as link:
        assert status(link) == 404


def test_relay_that_is_gone(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with serving(site) as server:
        server.relay = f"ws://127.0.0.1:{port}{SECRET}"
        with request(server) as link:
            assert status(link) == 502


def test_the_real_relay(site: Path) -> None:
    products = obtain([PRODUCT], Console(stderr=True))
    with (
        serving(site) as server,
        Network((os.getpid() % 60000 + 1,)).relayed(products) as url,
    ):
        server.relay = url
        with request(server) as link:
            assert status(link) == 101


def test_not_for_other_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--net", "host=80"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "this machine's network" in error
    assert main(["serve", "--net", "everything"]) == 2
    assert "nothing to reach" in capsys.readouterr().err
