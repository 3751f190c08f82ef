"""Pages in real browsers: servers of a page, and a driver that uses the page."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bench.page.server import PageServer

DRIVE = Path(__file__).with_name("drive.mjs")
# The browsers' commands in Debian's packages.
PROGRAMS = {"chromium": "chromium", "firefox": "firefox-esr"}
# The browsers of tests that boot guests. Firefox starts slowly, so tests whose code is
# the same in both browsers run there only in the whole matrix.
BROWSERS = ("chromium", pytest.param("firefox", marks=pytest.mark.full))
PATIENCE_S = 600


def need(browser: str) -> str:
    """The browser, if it is installed; else the test is skipped."""
    if shutil.which(PROGRAMS[browser]) is None:
        pytest.skip(f"{PROGRAMS[browser]} is not installed")
    return browser


class Stoppable(PageServer):
    """Our server, which a test can stop together with its open connections."""

    def __init__(self, host: str, port: int) -> None:
        self._links: list[socket.socket] = []
        super().__init__(host, port)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and remember it for vanish()."""
        link, address = super().get_request()
        self._links.append(link)
        return link, address

    def vanish(self) -> None:
        """Stop the server and cut its connections, as if the network were cut."""
        self.shutdown()
        self.socket.close()
        for link in self._links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(site: Path) -> Iterator[Stoppable]:
    """Run our server for this directory."""
    with Stoppable("127.0.0.1", 0) as server:
        server.offer(site)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Plain(http.server.SimpleHTTPRequestHandler):
    """A static host, without our headers and our packed files."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


@contextmanager
def static_host(directory: Path) -> Iterator[str]:
    """Run a plain server of files; gives its address."""
    handler = functools.partial(_Plain, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def drive(
    node: Path,
    library: Path,
    browser: str,
    url: str,
    scenario: str,
    more: Sequence[str] = (),
    does: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Play a scenario; gives its findings.

    `does` is called with the name of each event that the scenario waits for.
    """
    binary = shutil.which(PROGRAMS[browser])
    assert binary, f"{PROGRAMS[browser]} is not installed"
    argv = [str(node), str(DRIVE), "--browser", browser, "--binary", binary]
    argv += ["--library", str(library), "--url", url, "--scenario", scenario, *more]
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin and process.stdout
    found: dict[str, Any] | None = None
    timer = threading.Timer(PATIENCE_S, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if line.startswith("now "):
                if does:
                    does(line.removeprefix("now ").strip())
                process.stdin.write("\n")
                process.stdin.flush()
            else:
                found = json.loads(line)
        status = process.wait()
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    assert status == 0 and found is not None, f"{scenario}: status {status}"
    return found
