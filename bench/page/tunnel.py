"""Hands on a WebSocket of the page to the relay of guests' networks.

The page may connect to its own server only, and need not know the relay's secret. The
server checks the request before; the tunnel hands on bytes unchanged.
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
# Headers of a handshake; the tunnel sends no others to the relay.
_HANDED_ON = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


def is_websocket(headers: Message) -> bool:
    """Whether the request asks for a WebSocket."""
    values = [str(headers.get(name, "")) for name in _HANDED_ON]
    upgrade = str(headers.get("Upgrade", "")).lower()
    # A header's value with a line end could add headers to the relay's request.
    return upgrade == "websocket" and all(v and v.isprintable() for v in values)


def tunnel(
    client: socket.socket,
    reader: BufferedIOBase,
    headers: Message,
    relay: str,
) -> bool:
    """Hand on bytes until one side closes; False if the relay cannot be reached.

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
    # Close the target, so that the thread of the other direction ends as well.
    _end(target)


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
