"""A WebSocket of the page's, handed on to the relay of guests' networks.

The page may connect to its own server only, and need not know the relay's secret. What
the request may be, the server has checked; bytes are handed on as they are.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from email.message import Message
from io import BufferedIOBase
from urllib.parse import urlsplit

_PIECE = 64 * 1024
_CONNECT_S = 5.0
# What a handshake needs; the relay is told of nothing else.
_HANDED_ON = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


def is_websocket(headers: Message) -> bool:
    """Whether this request wants to become one."""
    values = [str(headers.get(name, "")) for name in _HANDED_ON]
    upgrade = str(headers.get("Upgrade", "")).lower()
    # Nothing that could be a line of its own.
    return upgrade == "websocket" and all(v and v.isprintable() for v in values)


def tunnel(
    client: socket.socket,
    reader: BufferedIOBase,
    headers: Message,
    relay: str,
) -> bool:
    """Until one of them goes; False if the relay is not there.

    `reader` is what the client's request was read from.
    """
    address = urlsplit(relay)
    try:
        other = socket.create_connection(
            (str(address.hostname), int(address.port or 0)), _CONNECT_S
        )
    except OSError:
        return False
    with other:
        for end in (client, other):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"GET {address.path} HTTP/1.1", f"Host: {address.netloc}"]
        lines += [f"{name}: {headers[name]}" for name in _HANDED_ON]
        other.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        back = threading.Thread(target=_pump, args=(other, client), daemon=True)
        back.start()
        with suppress(OSError):
            while piece := reader.read1(_PIECE):
                other.sendall(piece)
        _end(other)
        back.join()
    return True


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    # The other direction must not wait for ever.
    _end(target)


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
