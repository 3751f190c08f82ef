"""The relay as a process: who may connect, what guests reach, which faults it survives.

TIERLAB_RELAY names the program; without it the tests use the product.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bench.engines.relay.tests import wire
from bench.engines.relay.tests.wire import GUEST, HOST, Relay, Stream, WebSocket, answer
from bench.harness.products import obtain

USAGE, SETUP = 2, 3
FRAME_MAX = 1514


@pytest.fixture(scope="session")
def program() -> Path:
    """The relay to test."""
    named = os.environ.get("TIERLAB_RELAY")
    if named:
        return Path(named)
    return obtain(["relay"], Console(stderr=True))["relay"] / "bin" / "tierlab-relay"


Start = Callable[..., Relay]


@pytest.fixture
def start(program: Path) -> Iterator[Start]:
    """Start relays; each must end with status 0, silently, when its input ends."""
    started: list[Relay] = []

    def begin(*arguments: str) -> Relay:
        started.append(Relay(program, *arguments))
        return started[-1]

    yield begin
    for relay in started:
        assert relay.end() == (0, "")


def connect(relay: Relay) -> WebSocket:
    """Connect a guest, which knows the relay's right address."""
    link = WebSocket(relay.port, relay.path)
    assert link.status == 101
    return link


def has_network(link: wire.Link) -> bool:
    """Whether a guest gets an address."""
    return wire.is_dhcp_offer(answer(link, wire.dhcp_discover(), wire.is_dhcp_offer))


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a server on 127.0.0.1 that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def own_address() -> str | None:
    """An address of this machine that is not loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def test_only_loopback_listens(start: Start) -> None:
    relay = start()
    listening = {
        line.split()[1]
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{relay.port:04X}")
    }
    assert listening == {f"0100007F:{relay.port:04X}"}


def test_a_guest_gets_an_address(start: Start) -> None:
    offer = answer(connect(start()), wire.dhcp_discover(), wire.is_dhcp_offer)
    data = offer[42:]
    assert socket.inet_ntoa(data[16:20]) == GUEST
    assert data[28:34] == wire.MAC


def test_arp(start: Start) -> None:
    reply = answer(connect(start()), wire.arp(1, HOST), wire.is_arp_reply)
    assert socket.inet_ntoa(reply[28:32]) == HOST


@pytest.mark.parametrize("change", ["", "/", "short", "long", "other", "upper"])
def test_a_wrong_token_is_refused(start: Start, change: str) -> None:
    relay = start()
    path = {
        "": "/",
        "/": relay.path + "/",
        "short": relay.path[:-1],
        "long": relay.path + "0",
        "other": relay.path[:-1] + ("1" if relay.path[-1] == "0" else "0"),
        "upper": "/" + "A" * 32,
    }[change]
    assert WebSocket(relay.port, path).status == 403
    assert has_network(connect(relay))


def test_tokens_are_never_the_same(start: Start) -> None:
    paths = {start().path for _ in range(3)}
    assert len(paths) == 3
    assert all(len(path) == 33 for path in paths)


def test_pages_need_the_right_origin(start: Start) -> None:
    closed, named = start(), start("--origin", "http://localhost:8080")
    assert WebSocket(closed.port, closed.path, "http://localhost:8080").status == 403
    assert WebSocket(named.port, named.path, "http://localhost:8081").status == 403
    assert WebSocket(named.port, named.path, "null").status == 403
    link = WebSocket(named.port, named.path, "http://localhost:8080")
    assert link.status == 101
    assert has_network(link)


def test_nothing_else_is_served(start: Start) -> None:
    relay = start()
    with socket.create_connection(("127.0.0.1", relay.port), 20) as plain:
        plain.sendall(f"GET {relay.path} HTTP/1.0\r\n\r\n".encode())
        assert plain.recv(4096).split()[1] in (b"403", b"404")
    assert has_network(connect(relay))


def test_a_port_that_was_named_is_reached(start: Start, server: int) -> None:
    link = connect(start("--host", str(server)))
    reply = answer(link, wire.tcp_syn(HOST, server), wire.is_ipv4)
    assert wire.is_syn_ack(reply)


@pytest.mark.parametrize("outside", [(), ("--outside",)])
def test_no_other_way_to_this_machine(
    start: Start, server: int, outside: tuple[str, ...]
) -> None:
    other = start("--host", str(server + 1 if server < 65535 else 1), *outside)
    link = connect(other)
    targets = [HOST, "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.2.4"]
    targets += [a for a in [own_address()] if a]
    for target in targets:
        reply = answer(link, wire.tcp_syn(target, server), wire.is_ipv4)
        assert wire.is_refusal(reply), target
        reply = answer(link, wire.udp(target, server, b"x"), wire.is_ipv4)
        assert wire.is_refusal(reply), target


def test_other_machines_only_when_asked(start: Start) -> None:
    link = connect(start())
    for frame in (wire.tcp_syn("192.0.2.1", 80), wire.udp("10.0.2.3", 53, b"x")):
        assert wire.is_refusal(answer(link, frame, wire.is_ipv4))


def test_the_host_answers_echo_requests(start: Start) -> None:
    reply = answer(connect(start()), wire.echo(HOST), wire.is_ipv4)
    assert reply[34] == 0


def test_guests_do_not_meet(start: Start) -> None:
    relay = start()
    first, second = connect(relay), connect(relay)
    assert has_network(first)
    second.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        second.receive()
    second.socket.settimeout(wire.TIMEOUT_S)
    assert has_network(second)


def test_more_guests_than_it_takes(start: Start) -> None:
    relay = start()
    links = [connect(relay) for _ in range(16)]
    with pytest.raises(ConnectionError):
        WebSocket(relay.port, relay.path).receive()
    links.pop().close()
    assert has_network(links[0])
    while True:
        try:
            assert has_network(connect(relay))
            break
        except ConnectionError:
            continue


def test_pieces_make_a_frame(start: Start) -> None:
    link = connect(start())
    frame = wire.dhcp_discover()
    link.piece(frame[:1], final=False)
    link.piece(frame[1:200], 0, final=False)
    link.piece(frame[200:], 0)
    assert wire.is_dhcp_offer(link.receive())


def test_half_a_frame_and_gone(start: Start) -> None:
    relay = start()
    link = connect(relay)
    link.piece(wire.dhcp_discover()[:100], final=False)
    link.close()
    link = connect(relay)
    link.socket.sendall(b"\x82\xfe\x05")
    link.close()
    assert has_network(connect(relay))


def test_frames_that_are_too_long_end_the_connection(start: Start) -> None:
    relay = start()
    link = connect(relay)
    link.send(bytes(FRAME_MAX))
    assert has_network(link)
    link.send(bytes(FRAME_MAX + 1))
    assert link.close_code() == 1009
    link = connect(relay)
    link.piece(bytes(FRAME_MAX), final=False)
    link.piece(b"x", 0)
    assert link.close_code() == 1009
    assert has_network(connect(relay))


def test_text_ends_the_connection(start: Start) -> None:
    relay = start()
    link = connect(relay)
    link.piece(b"hello", wire.TEXT)
    assert link.close_code() == 1003
    assert has_network(connect(relay))


def test_bad_frames_do_no_harm(start: Start, server: int) -> None:
    relay = start("--host", str(server), "--outside")
    link = connect(relay)
    rng = random.Random(1)
    whole = [wire.dhcp_discover(), wire.arp(1, HOST), wire.echo(HOST)]
    whole += [wire.tcp_syn(HOST, server), wire.udp(HOST, 67, b"x" * 300)]
    for frame in whole:
        for size in range(0, min(len(frame), 120)):
            link.send(frame[:size])
    for _ in range(2000):
        frame = bytearray(rng.choice(whole))
        # Never at the destination: no machine outside shall see this test.
        places = [*range(14, 30), *range(34, len(frame))]
        for _ in range(rng.randrange(1, 6)):
            frame[rng.choice(places)] = rng.randrange(256)
        link.send(bytes(frame))
    assert relay.alive()
    assert has_network(connect(relay))


def test_stream(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    start("--stream", str(path))
    link = Stream(path)
    assert has_network(link)
    frame = wire.dhcp_discover()
    for byte in len(frame).to_bytes(4) + frame:
        link.socket.sendall(bytes([byte]))
    assert wire.is_dhcp_offer(link.receive())
    link.send(b"")
    link.send(b"x" * 13)
    assert has_network(link)
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


@pytest.mark.parametrize("size", [FRAME_MAX + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_size_of_no_frame_ends_the_stream(
    start: Start, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "stream"
    start("--stream", str(path))
    link = Stream(path)
    link.socket.sendall(size.to_bytes(4) + b"x")
    with pytest.raises(ConnectionError):
        link.receive()
    assert has_network(Stream(path))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it(program: Path, tmp_path: Path, number: int) -> None:
    path = tmp_path / "stream"
    relay = Relay(program, "--stream", str(path))
    link = connect(relay)
    assert has_network(link)
    relay.process.send_signal(number)
    assert relay.process.wait(wire.TIMEOUT_S) == 0
    assert not path.exists()
    relay.end()


def test_a_port_in_use(start: Start, program: Path) -> None:
    relay = start()
    done = run(program, "--port", str(relay.port))
    assert done.returncode == SETUP
    assert "127.0.0.1" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "0"],
        ["--host", "65536"],
        ["--host", "80x"],
        ["--host", ""],
        ["--port", "-1"],
        ["--host"],
        ["--unknown"],
        ["word"],
        ["--host", "1"] * 17,
        ["--origin", "o"] * 9,
    ],
)
def test_usage(program: Path, arguments: list[str]) -> None:
    done = run(program, *arguments)
    assert done.returncode == USAGE
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_help(program: Path) -> None:
    done = run(program, "--help")
    assert done.returncode == 0
    assert "--outside" in done.stdout


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the relay to its end; it must not begin to serve."""
    return subprocess.run(
        [str(program), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=wire.TIMEOUT_S,
        check=False,
    )
