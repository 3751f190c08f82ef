"""The page's server over real connections: its answers and its refusals."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.base.errors import USAGE, TierlabError
from bench.page.server import PageServer
from bench.page.tests.sites import make_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of fakes."""
    return make_site(tmp_path_factory.mktemp("page"))


@pytest.fixture
def server(site: Path) -> Iterator[PageServer]:
    """Our server of the page."""
    with PageServer("127.0.0.1", 0) as server:
        server.offer(site)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: PageServer, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """Make one request on a connection of its own.

    In names of headers, `_` stands for `-`.
    """
    link = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    link.request(method, path, headers=named)
    response = link.getresponse()
    body = response.read()
    link.close()
    return response, body


def one(site: Path, pattern: str) -> str:
    """The address of the one file that matches."""
    (path,) = site.glob(pattern)
    return "/" + path.relative_to(site).as_posix()


def test_index(server: PageServer, site: Path) -> None:
    response, body = ask(server, "/")
    assert response.status == 200 and body == (site / "index.html").read_bytes()
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/sw.js", "/nowhere"])
def test_every_answer_isolates_and_restricts(server: PageServer, path: str) -> None:
    headers = ask(server, path)[0].headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_types(server: PageServer, site: Path) -> None:
    for pattern, kind in (
        ("app-*/page/app/main.mjs", "text/javascript; charset=utf-8"),
        ("qemu-riscv64-*/*.js", "text/javascript; charset=utf-8"),
        ("qemu-riscv64-*/*.wasm", "application/wasm"),
        ("guest-riscv64-tiny-*/kernel.gz", "application/gzip"),
        ("app-*/page/app/style.css", "text/css; charset=utf-8"),
    ):
        response, _ = ask(server, one(site, pattern))
        assert response.headers["Content-Type"] == kind
        assert "immutable" in response.headers["Cache-Control"]


def test_packed_for_who_takes_it(server: PageServer, site: Path) -> None:
    path = one(site, "qemu-riscv64-*/*.wasm")
    plain = ask(server, path)
    packed = ask(server, path, Accept_Encoding="br, gzip;q=0.8")
    refused = ask(server, path, Accept_Encoding="gzip;q=0")
    assert packed[0].headers["Content-Encoding"] == "gzip"
    assert len(packed[1]) < len(plain[1])
    assert gzip.decompress(packed[1]) == plain[1] == refused[1]
    assert packed[0].headers["X-Unpacked-Length"] == str(len(plain[1]))
    assert packed[0].headers["ETag"] != plain[0].headers["ETag"]
    # The server sends a file that is packed already as it is.
    kernel = ask(
        server, one(site, "guest-riscv64-tiny-*/kernel.gz"), Accept_Encoding="gzip"
    )
    assert kernel[0].headers["Content-Encoding"] is None
    assert gzip.decompress(kernel[1]) == b"kernel" * 5000


def test_unchanged(server: PageServer) -> None:
    tag = ask(server, "/")[0].headers["ETag"]
    response, body = ask(server, "/", If_None_Match=tag)
    assert response.status == 304 and body == b""


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=5-", 206, 5, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=31999-99999", 206, 31999, None),
        ("bytes=99999-", 416, 0, 0),
        ("bytes=-", 200, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
def test_parts(
    server: PageServer, site: Path, asked: str, status: int, start: int, end: int | None
) -> None:
    path = one(site, "qemu-riscv64-*/*.wasm")
    whole = ask(server, path)[1]
    response, body = ask(server, path, Range=asked)
    assert response.status == status and body == whole[start:end]
    if status == 206:
        assert response.headers["Content-Range"].endswith(f"/{len(whole)}")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/_headers",
        "/.nojekyll",
        "/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/index.html/",
        "/index.html%00",
    ],
)
def test_nothing_else_is_there(server: PageServer, path: str) -> None:
    response, body = ask(server, path)
    assert response.status == 404 and body == b"there is no such file\n"


def test_query_is_none_of_the_path(server: PageServer) -> None:
    assert ask(server, "/?x=1")[0].status == 200


def test_head(server: PageServer, site: Path) -> None:
    response, body = ask(server, "/", "HEAD")
    assert response.status == 200 and body == b""
    size = (site / "index.html").stat().st_size
    assert response.headers["Content-Length"] == str(size)


def test_only_get_and_head(server: PageServer) -> None:
    assert ask(server, "/", "POST")[0].status == 501


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_own_names(server: PageServer, host: str) -> None:
    assert ask(server, "/", Host=host)[0].status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
def test_foreign_names(server: PageServer, host: str) -> None:
    assert ask(server, "/", Host=host)[0].status == 403


def test_everybody_may_ask_who_listens_everywhere(site: Path) -> None:
    with PageServer("0.0.0.0", 0) as server:
        assert server.hosts == () and server.url.startswith("http://localhost:")


def test_connection_is_kept(server: PageServer) -> None:
    link = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    link.connect()
    first = link.sock
    for path, status in (("/", 200), ("/sw.js", 200), ("/nowhere", 404), ("/", 200)):
        link.request("GET", path)
        response = link.getresponse()
        assert response.status == status
        response.read()
        # If the server had closed the connection, the client would have no socket now,
        # or a new one.
        assert first is not None and link.sock is first
    link.close()


def test_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(TierlabError) as refused:
            PageServer("127.0.0.1", port)
    assert refused.value.status == USAGE
    assert f"port {port}" in refused.value.line() and "--port" in refused.value.line()


def test_address_of_another_machine() -> None:
    with pytest.raises(TierlabError) as refused:
        PageServer("192.0.2.1", 0)
    assert "192.0.2.1" in refused.value.line()
    with pytest.raises(TierlabError):
        PageServer("no such host.invalid", 0)
