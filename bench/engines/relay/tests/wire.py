"""A guest in Python: frames, and the two ways to send them to a relay."""

from __future__ import annotations

import base64
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

MAC = bytes.fromhex("525400123456")
GUEST, HOST, DNS = "10.0.2.15", "10.0.2.2", "10.0.2.3"
TIMEOUT_S = 20.0

TEXT, BINARY, CLOSE = 1, 2, 8


class Relay:
    """A relay process, whose standard input stays open."""

    def __init__(self, program: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.split(":")[2].split("/")[0])
        self.path = "/" + self.url.rpartition("/")[2]

    def end(self) -> tuple[int, str]:
        """Close the input; gives the exit status and the output."""
        try:
            _, errors = self.process.communicate(timeout=TIMEOUT_S)
        finally:
            self.process.kill()
        return self.process.returncode, errors

    def alive(self) -> bool:
        """Whether the relay still runs."""
        return self.process.poll() is None


class Link(Protocol):
    """A connection of one guest."""

    def send(self, frame: bytes) -> None:
        """Send a frame to the relay."""

    def receive(self) -> bytes:
        """The next frame; ConnectionError if the relay closed the connection."""

    def close(self) -> None:
        """Pull the cable."""


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or a ConnectionError."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError("hung up")
        data += piece
    return data


class WebSocket:
    """A client of RFC 6455, with the parts that the tests need."""

    def __init__(self, port: int, path: str, origin: str | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += ["Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"Origin: {origin}"] if origin is not None else []
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += read_exactly(self.socket, 1)
        self.status = int(head.split()[1])

    def piece(self, data: bytes, kind: int = BINARY, final: bool = True) -> None:
        """One WebSocket frame: all or a piece of a message."""
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        size = len(data)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 0x10000:
            length = struct.pack(">BH", 0x80 | 126, size)
        else:
            length = struct.pack(">BQ", 0x80 | 127, size)
        self.socket.sendall(bytes([final << 7 | kind]) + length + mask + masked)

    def send(self, frame: bytes) -> None:
        """Send a frame as one message."""
        self.piece(frame)

    def receive_message(self) -> tuple[int, bytes]:
        """Kind and content of the next message."""
        first, size = read_exactly(self.socket, 2)
        if size > 125:
            width, form = (2, ">H") if size == 126 else (8, ">Q")
            (size,) = struct.unpack(form, read_exactly(self.socket, width))
        return first & 15, read_exactly(self.socket, size)

    def receive(self) -> bytes:
        """The next frame."""
        kind, data = self.receive_message()
        if kind != BINARY:
            raise ConnectionError(f"message of kind {kind}")
        return data

    def close_code(self) -> int:
        """The code with which the relay closes; skips frames before that."""
        kind, data = self.receive_message()
        while kind != CLOSE:
            kind, data = self.receive_message()
        return int.from_bytes(data[:2])

    def close(self) -> None:
        """Pull the cable."""
        self.socket.close()


class Stream:
    """A connection as QEMU's: sizes and frames over a Unix socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(str(path))

    def send(self, frame: bytes) -> None:
        """Send the frame's size, then the frame."""
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)

    def receive(self) -> bytes:
        """The next frame."""
        (size,) = struct.unpack(">I", read_exactly(self.socket, 4))
        return read_exactly(self.socket, size)

    def close(self) -> None:
        """Pull the cable."""
        self.socket.close()


def answer(link: Link, frame: bytes, wanted: Callable[[bytes], bool]) -> bytes:
    """Send a frame; gives the first answer that `wanted` accepts."""
    link.send(frame)
    while True:
        got = link.receive()
        if wanted(got):
            return got
        if is_arp_request(got):
            link.send(arp(2, socket.inet_ntoa(got[28:32])))


def checksum(data: bytes) -> int:
    """The Internet checksum."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(kind: int, payload: bytes) -> bytes:
    """An Ethernet broadcast."""
    return b"\xff" * 6 + MAC + struct.pack(">H", kind) + payload


def ipv4(protocol: int, to: str, payload: bytes, source: str = GUEST) -> bytes:
    """A frame with an IPv4 packet."""
    addresses = socket.inet_aton(source) + socket.inet_aton(to)
    head = struct.pack(">BBHHHBBH", 69, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    total = checksum(head + addresses)
    head = head[:10] + struct.pack(">H", total) + addresses
    return ethernet(0x0800, head + payload)


def udp(to: str, port: int, data: bytes, source: str = GUEST, own: int = 68) -> bytes:
    """A datagram without a checksum."""
    head = struct.pack(">HHHH", own, port, 8 + len(data), 0)
    return ipv4(17, to, head + data, source)


def tcp_syn(to: str, port: int) -> bytes:
    """The first packet of a connection."""
    head = struct.pack(">HHIIBBHHH", 40000, port, 7, 0, 5 << 4, 2, 8192, 0, 0)
    pseudo = socket.inet_aton(GUEST) + socket.inet_aton(to)
    pseudo += struct.pack(">BBH", 0, 6, len(head))
    total = checksum(pseudo + head)
    return ipv4(6, to, head[:16] + struct.pack(">H", total) + head[18:])


def echo(to: str) -> bytes:
    """An echo request."""
    head = struct.pack(">BBHHH", 8, 0, 0, 1, 1)
    return ipv4(1, to, head[:2] + struct.pack(">H", checksum(head)) + head[4:])


def arp(operation: int, target: str) -> bytes:
    """An ARP packet: 1 asks who has an address, 2 says that this guest has it."""
    head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    own = MAC + socket.inet_aton(GUEST)
    return ethernet(0x0806, head + own + b"\0" * 6 + socket.inet_aton(target))


def dhcp_discover() -> bytes:
    """The first question of a guest that has no address."""
    head = struct.pack(">BBBBIHH", 1, 1, 6, 0, 0x1234, 0, 0) + b"\0" * 16
    options = bytes.fromhex("63825363 350101 ff")
    data = head + MAC + b"\0" * (10 + 64 + 128) + options
    return udp("255.255.255.255", 67, data, "0.0.0.0")


def is_arp_request(frame: bytes) -> bool:
    """Whether libslirp asks who has an address."""
    return frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1"


def is_arp_reply(frame: bytes) -> bool:
    """Whether libslirp answers who has an address."""
    return frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2"


def is_dhcp_offer(frame: bytes) -> bool:
    """Whether the frame answers dhcp_discover()."""
    return frame[23:24] == b"\x11" and frame[34:38] == b"\0\x43\0\x44"


def is_ipv4(frame: bytes) -> bool:
    """Whether the frame is an IPv4 packet."""
    return frame[12:14] == b"\x08\0"


def is_refusal(frame: bytes) -> bool:
    """Whether the frame is a well-formed "administratively filtered"."""
    return (
        frame[23:24] == b"\1"
        and frame[34:36] == b"\3\x0d"
        and checksum(frame[14:34]) == 0
        and checksum(frame[34:]) == 0
    )


def is_syn_ack(frame: bytes) -> bool:
    """Whether the frame accepts a connection."""
    return frame[23:24] == b"\6" and frame[47] == 0x12
