"""A web server for the page: it answers GET and HEAD for the page's files only.

If the user asked for a network, the server also has a WebSocket to the relay of guests'
networks (tunnel.py).

The server lists its files when it starts, so no path leads out of the directory. A
request must name a host that the server was started for: otherwise a foreign page could
read this one by a host name that it makes point here.
"""

from __future__ import annotations

import hashlib
import re
import socket
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench.base.errors import USAGE, TierlabError
from bench.page import headers
from bench.page.describe import NETWORK
from bench.page.site import INDEX, PACKED
from bench.page.tunnel import is_websocket, tunnel

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Served:
    """A file to serve, and its packed form if there is one."""

    path: Path
    packed: Path | None
    tag: str


class PageServer(ThreadingHTTPServer):
    """A server that listens from its creation on.

    The constructor raises a TierlabError if the server cannot listen.
    """

    daemon_threads = True
    # A browser opens several connections at once.
    request_queue_size = 64

    def __init__(self, host: str, port: int) -> None:
        self.files: dict[str, Served] = {}
        # The relay's address, with its secret.
        self.relay: str | None = None
        self.hosts = _hosts(host)
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), PageHandler)
        except OSError as error:
            raise TierlabError(
                f"cannot listen on {host} port {port}",
                error.strerror or str(error),
                "choose another with --port or --host",
                status=USAGE,
            ) from error

    def offer(self, site: Path) -> None:
        """Serve the files that are in this directory now."""
        self.files = _listed(site)

    def server_bind(self) -> None:
        """Bind without looking up the host's full name, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        name, self.server_port = self.server_address[:2]
        self.server_name = str(name)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing about a browser that closed its connection."""

    @property
    def url(self) -> str:
        """The page's address for a browser on this machine."""
        host = str(self.server_address[0])
        if host in ("0.0.0.0", "::"):
            host = "localhost"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}/"


class PageHandler(BaseHTTPRequestHandler):
    """One connection."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version = "tierlab"
    sys_version = ""
    timeout = 60
    # A small body must not wait for the acknowledgement of its head.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Send a file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Send the head of a file's answer."""
        self._answer(body=False)

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing: the terminal is the user's."""

    def _answer(self, body: bool) -> None:
        if not self._host_is_ours():
            return self._refuse(HTTPStatus.FORBIDDEN, "this is another host's name")
        path = unquote(urlsplit(self.path).path).removeprefix("/") or INDEX
        if path == NETWORK and self.server.relay is not None:
            return self._network(self.server.relay)
        file = self.server.files.get(path)
        if file is None:
            return self._refuse(HTTPStatus.NOT_FOUND, "there is no such file")
        cache = headers.HASHED if headers.is_hashed(path) else headers.FRESH
        packed = file.packed if self._takes_gzip() else None
        tag = f'"{file.tag}{"-gz" if packed else ""}"'
        more = {"Cache-Control": cache, "ETag": tag, "Vary": "Accept-Encoding"}
        if tag in self.headers.get("If-None-Match", ""):
            return self._head(HTTPStatus.NOT_MODIFIED, more)
        source = packed or file.path
        size = source.stat().st_size
        start, end = 0, size
        status = HTTPStatus.OK
        if packed:
            more["Content-Encoding"] = "gzip"
            more["X-Unpacked-Length"] = str(file.path.stat().st_size)
        else:
            more["Accept-Ranges"] = "bytes"
            asked = self._range(size)
            if asked == (0, 0):
                more["Content-Range"] = f"bytes */{size}"
                return self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, more)
            if asked:
                start, end = asked
                status = HTTPStatus.PARTIAL_CONTENT
                more["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        more["Content-Type"] = headers.content_type(path)
        self._head(status, more, end - start)
        if body:
            self._send(source, start, end)

    def _network(self, relay: str) -> None:
        """Serve a WebSocket to our own page; refuse other pages, which may try, too."""
        if self.headers.get("Origin") != f"http://{self.headers.get('Host')}":
            return self._refuse(HTTPStatus.FORBIDDEN, "this is for the page only")
        if self.command != "GET" or not is_websocket(self.headers):
            return self._refuse(HTTPStatus.UPGRADE_REQUIRED, "this is a WebSocket")
        self.close_connection = True
        if not tunnel(self.connection, self.rfile, self.headers, relay):
            self._refuse(HTTPStatus.BAD_GATEWAY, "the relay does not answer")

    def _host_is_ours(self) -> bool:
        name = self.headers.get("Host", "")
        name = re.sub(r":\d+$", "", name).lower()
        return not self.server.hosts or name in self.server.hosts

    def _takes_gzip(self) -> bool:
        asked = self.headers.get("Accept-Encoding", "").lower().replace(" ", "")
        return any(
            word.split(";")[0] == "gzip" and not word.endswith(";q=0")
            for word in asked.split(",")
        )

    def _range(self, size: int) -> tuple[int, int] | None:
        """The part of the file that is requested; (0, 0) if there is no such part."""
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if not match or match.group() == "bytes=-":
            return None
        first, last = match.groups()
        if not first:
            return max(0, size - int(last)), size
        start = int(first)
        end = min(size, int(last) + 1 if last else size)
        return (start, end) if start < end else (0, 0)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        text = f"{why}\n".encode()
        more = {"Content-Type": headers.TYPES[".txt"], "Cache-Control": "no-store"}
        self._head(status, more, len(text))
        if self.command != "HEAD":
            self.wfile.write(text)

    def _head(
        self, status: HTTPStatus, more: dict[str, str], size: int | None = 0
    ) -> None:
        self.send_response(status)
        for name, value in (*headers.common().items(), *more.items()):
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(size))
        self.end_headers()

    def _send(self, source: Path, start: int, end: int) -> None:
        with source.open("rb") as file:
            file.seek(start)
            left = end - start
            while left > 0 and (piece := file.read(min(_PIECE, left))):
                self.wfile.write(piece)
                left -= len(piece)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens at `host`."""
    return host in LOOPBACK or host == "::1"


def _hosts(host: str) -> tuple[str, ...]:
    """The host names that a request may use; an empty set allows any."""
    if host in ("0.0.0.0", "::", ""):
        return ()
    own = f"[{host}]" if ":" in host else host.lower()
    return (own, *LOOPBACK) if own in LOOPBACK or host == "::1" else (own,)


def _listed(site: Path) -> dict[str, Served]:
    found: dict[str, Served] = {}
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.is_file() and not name.startswith((".", "_")):
            packed = path.with_name(path.name + PACKED)
            with path.open("rb") as file:
                tag = hashlib.file_digest(file, "sha256").hexdigest()[:16]
            found[name] = Served(path, packed if packed.is_file() else None, tag)
    return found
