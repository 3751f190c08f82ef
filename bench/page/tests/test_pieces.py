"""Disks in pieces: splitting, and what a page makes of them, in Node."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import json
import os
import random
import re
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.base.errors import TierlabError
from bench.harness.products import obtain
from bench.page import pieces
from bench.page.disks import plugged
from bench.page.pieces import HEAD, HOLE, PIECE, split
from bench.page.tests.sites import make_contents, make_site

CHECK = Path(__file__).with_name("disk-check.mjs")
Steps = list[list[Any]]
QUICK = {"retryMs": [1, 1], "givenUpMs": 0}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pattern(at: int, size: int) -> bytes:
    return bytes(1 + (at + i) % 251 for i in range(size))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a folder, and fails where the test wants it."""

    server: Host

    def do_GET(self) -> None:  # noqa: N802
        """Answer, and note the request."""
        name = self.path.strip("/")
        host = self.server
        host.asked.append(name)
        path = host.folder / name
        if name in host.missing or not path.is_file():
            return self.send_error(404)
        if host.failures.get(name, 0) > 0:
            host.failures[name] -= 1
            return self.send_error(503)
        data = host.damaged.pop(name, None)
        status = 200
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if data is None and match:
            first, last = map(int, match.groups())
            with path.open("rb") as file:
                file.seek(first)
                data, status = file.read(last + 1 - first), 206
        elif data is None:
            data = path.read_bytes()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        return None

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


class Host(http.server.ThreadingHTTPServer):
    """A host of a disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.asked: list[str] = []
        self.missing: set[str] = set()
        # How often a file fails, and what it is once before it is right.
        self.failures: dict[str, int] = {}
        self.damaged: dict[str, bytes] = {}


@contextmanager
def hosting(folder: Path) -> Iterator[Host]:
    with Host(folder) as host:
        thread = threading.Thread(target=host.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield host
        finally:
            host.shutdown()
            thread.join()


@dataclass
class Made:
    """An image, and its pieces on a host."""

    image: Path
    contents: bytes
    made: pieces.Pieces
    host: Host
    source: dict[str, Any] = field(default_factory=dict)

    def name(self, n: int) -> str:
        """The name of the n-th piece's file."""
        return self.piece(n).hex() + ".gz"

    def piece(self, n: int) -> bytes:
        """The n-th digest of the index."""
        at = HEAD.size + 32 * n
        return self.made.index[at : at + 32]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """Eight pieces: 1 and 5 are holes, 2 and 3 equal; the last one is short."""
    rng = random.Random(1)
    parts = [rng.randbytes(PIECE) for _ in range(8)]
    parts[1] = parts[5] = bytes(PIECE)
    parts[3] = parts[2]
    parts[7] = parts[7][:4608]
    image, out = tmp_path / "a.img", tmp_path / "out"
    image.write_bytes(b"".join(parts))
    out.mkdir()
    done = split(image, out)
    with hosting(out) as host:
        index = {
            "url": host.url + pieces.INDEX,
            "sha256": sha256(done.index),
            "bytes": len(done.index),
            "packed": done.packed_index,
        }
        yield Made(image, b"".join(parts), done, host, {"index": index})


@functools.cache
def node_program() -> Path:
    return obtain(["node"], Console(stderr=True))["node"] / "bin" / "node"


def use(
    source: dict[str, Any], *steps: Sequence[Any], **options: Any
) -> dict[str, Any]:
    """What a page's disk does in these steps."""
    asked = {**source, "steps": steps, "options": {**QUICK, **options}}
    done = subprocess.run(
        [str(node_program()), str(CHECK)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_split(made: Made) -> None:
    magic, version, piece, size, count, rest = HEAD.unpack_from(made.made.index)
    assert (magic, version, piece, rest) == (b"TLPIECES", 1, PIECE, 0)
    assert (size, count) == (len(made.contents), 8)
    again = b""
    for n in range(count):
        data = bytes(min(PIECE, size - n * PIECE))
        if made.piece(n) != HOLE:
            data = gzip.decompress((made.host.folder / made.name(n)).read_bytes())
            assert hashlib.sha256(data).digest() == made.piece(n)
        again += data
    assert again == made.contents
    assert [made.piece(n) == HOLE for n in range(8)] == [n in (1, 5) for n in range(8)]
    files = {p.name for p in made.host.folder.iterdir()}
    assert files == set(made.made.names) and len(files) == 1 + 5
    packed = [p.stat().st_size for p in made.host.folder.iterdir()]
    assert sum(packed) == made.made.packed + made.made.packed_index


def test_a_sparse_image_is_split_quickly(tmp_path: Path) -> None:
    image, out = tmp_path / "big.img", tmp_path / "out"
    with image.open("wb") as file:
        file.truncate(40 << 30)
        file.seek((33 << 30) + 5)
        file.write(b"here")
    out.mkdir()
    done = split(image, out)
    assert len(done.names) == 2 and done.packed_index < 1 << 20
    with hosting(out) as host:
        index = {"url": host.url + pieces.INDEX, "sha256": sha256(done.index)}
        at = (33 << 30) + 5
        found = use({"index": {**index, "packed": 1}}, ["read", at - 1, 6], ["fetched"])
    assert found["found"] == [sha256(b"\0here\0"), 1]


def test_what_is_read_is_fetched(made: Made) -> None:
    """One piece for a byte, none for holes and for what is there already."""
    size = len(made.contents)
    steps: Steps = [
        ["read", 3 * PIECE - 1, 2],
        ["fetched"],
        ["read", PIECE, PIECE],
        ["read", 2 * PIECE, 4096],
        ["fetched"],
        ["read", size - 10, 100],
        ["read", size, 100],
        ["read", 0, size],
    ]
    found = use(made.source, *steps)["found"]
    one = made.contents[3 * PIECE - 1 : 3 * PIECE + 1]
    assert found[0] == sha256(one)
    assert found[1] == 2 and found[4] == 2
    assert found[2] == sha256(bytes(PIECE))
    assert found[3] == sha256(made.contents[2 * PIECE : 2 * PIECE + 4096])
    assert found[5:] == [
        sha256(made.contents[-10:]),
        sha256(b""),
        sha256(made.contents),
    ]


@pytest.mark.parametrize("kind", ["pieces", "ranges", "file"])
def test_random_calls_answer_as_a_file(made: Made, kind: str) -> None:
    """Reads, writes and cuts beside a model, with a small cache of pieces."""
    rng = random.Random(kind)
    model = bytearray(made.contents)
    sources = {
        "pieces": made.source,
        "ranges": {"url": made.host.url + "../a.img", "bytes": len(model)},
        "file": {"file": str(made.image)},
    }
    if kind == "ranges":
        made.host.folder = made.image.parent
        sources["ranges"]["url"] = made.host.url + "a.img"
    steps: Steps = []
    expected: list[Any] = []
    for _ in range(150):
        what = rng.choice(["read", "read", "write", "write", "truncate"])
        at = rng.randrange(len(model) + 5000)
        size = rng.choice([1, 512, 4096, 5000, 70000, 2 * PIECE])
        if rng.random() < 0.5:
            at -= at % 4096
        if what == "read":
            expected.append(sha256(bytes(model[at : at + size])))
            steps.append(["read", at, size])
        elif what == "write":
            model.extend(bytes(max(0, at + size - len(model))))
            model[at : at + size] = pattern(at, size)
            steps.append(["write", at, size])
            expected.append(len(model))
        elif rng.random() < 0.3:
            size = rng.randrange(len(model) // 2, len(model) + PIECE)
            model = bytearray(model[:size].ljust(size, b"\0"))
            steps.append(["truncate", size])
            expected.append(size)
    steps.append(["image"])
    expected.append([len(model), sha256(bytes(model))])
    found = use(sources[kind], *steps, keptBytes=2 * PIECE)
    assert found == {"found": expected, "troubles": []}


def test_whole_blocks_are_written_without_a_fetch(made: Made) -> None:
    steps: Steps = [
        ["write", 4096, 8192],
        ["fetched"],
        ["write", 2 * PIECE + 1, 1],
        ["fetched"],
    ]
    assert use(made.source, *steps)["found"][1::2] == [0, 1]


def test_a_reader_in_order_finds_pieces_there(made: Made) -> None:
    """Reading ahead fetches what comes next, and a cache has its bound."""
    steps = [["read", n * PIECE, PIECE] for n in range(8)]
    found = use(made.source, *steps, ["pause", 200], ["fetched"], ["kept"])["found"]
    assert found[-2] == 6
    asked = [name for name in made.host.asked if name != pieces.INDEX]
    assert sorted(asked) == sorted(made.name(n) for n in (0, 2, 3, 4, 6, 7))
    steps = [["read", n * PIECE, 1] for n in (6, 2, 0)]
    found = use(made.source, *steps, ["pause", 200], ["fetched"])["found"]
    assert found[-1] <= 5  # nothing ahead of a reader that jumps but after piece 0


def test_failures_that_pass(made: Made) -> None:
    made.host.failures[made.name(0)] = 2
    made.host.damaged[made.name(2)] = gzip.compress(b"something else")
    made.host.damaged[made.name(4)] = b"no gzip"
    steps = [["read", n * PIECE, PIECE] for n in (0, 2, 4)]
    found = use(made.source, *steps)
    assert found["found"] == [
        sha256(made.contents[n * PIECE : (n + 1) * PIECE]) for n in (0, 2, 4)
    ]
    assert found["troubles"] == []


def test_a_missing_piece_fails_the_read_only(made: Made) -> None:
    made.host.missing.add(made.name(4))
    steps = [["read", 4 * PIECE, 10], ["read", 0, 10], ["read", 4 * PIECE + 99, 10]]
    steps += [["write", 4 * PIECE + 1, 1], ["write", 4 * PIECE, 4096]]
    steps += [["read", 4 * PIECE, 100], ["image"]]
    found = use(made.source, *steps)
    first, second, third, part, whole, overlaid, image = found["found"]
    for error in (first, third, part):
        assert made.name(4)[:12] in error["error"] and "404" in error["error"]
    assert second == sha256(made.contents[:10]) and whole == len(made.contents)
    assert overlaid == sha256(pattern(4 * PIECE, 100))
    assert "the disk a.img cannot be saved" in image["error"]
    assert made.host.asked.count(made.name(4)) >= 2
    (line,) = found["troubles"]
    start = f"bytes {4 * PIECE} to {5 * PIECE - 1} cannot be read ("
    assert line.startswith(start) and "\n" not in line
    assert line.endswith("the guest sees an I/O error")


def test_a_network_that_is_gone(made: Made) -> None:
    """One line, however many pieces do not come; and reads fail soon."""
    host = made.host
    names = [made.name(n) for n in (0, 2, 4, 6, 7)]
    host.failures = {name: 1000 for name in names}
    steps = [["read", n * PIECE, 1] for n in (0, 2, 4, 6, 7, 0)]
    found = use(made.source, *steps, givenUpMs=60000)
    assert all("503" in one["error"] for one in found["found"])
    assert len(found["troubles"]) == 1
    # The first was tried three times, each other one once, and the first not again.
    assert [host.asked.count(name) for name in names] == [3, 1, 1, 1, 1]


def test_a_guest_that_writes_too_much(made: Made) -> None:
    steps: Steps = [["write", 0, 8192], ["write", 1 << 30, 4096], ["write", 0, 8192]]
    first, second, third = use(made.source, *steps, writtenBytes=8192)["found"]
    assert second["errno"] == 28 and "wrote more" in second["error"]
    assert first == len(made.contents) and third == len(made.contents)


def test_an_index_that_is_none(made: Made) -> None:
    index, folder = made.source["index"], made.host.folder

    def complaint(data: bytes, **more: Any) -> str:
        (folder / "other.gz").write_bytes(gzip.compress(data))
        digest = {"sha256": sha256(data), "bytes": len(data)}
        url = made.host.url + "other.gz"
        (found,) = use({"index": {**index, **digest, "url": url, **more}})["found"]
        assert "\n" not in found["error"]
        return str(found["error"])

    good = made.made.index
    assert "no index" in complaint(b"something else")
    assert "version 9" in complaint(good[:8] + struct.pack("<I", 9) + good[12:])
    assert "damaged" in complaint(good[:-1])
    assert "reload the page" in complaint(good, sha256="0" * 64)


def test_an_own_file_that_is_gone(made: Made) -> None:
    """The browser does not give what the file had."""
    steps: Steps = [["read", 0, 10], ["cut"], ["read", 6 * PIECE, 10]]
    found = use({"file": str(made.image)}, *steps)
    assert found["found"][0] == sha256(made.contents[:10])
    assert "changed or removed" in found["found"][2]["error"]


def test_two_disks_with_one_content(tmp_path: Path) -> None:
    for name in ("a.img", "a.raw"):
        (tmp_path / name).write_bytes(b"1" * 512)
    disks = plugged([str(tmp_path / "a.img"), str(tmp_path / "a.raw")])
    site = make_site(tmp_path, make_contents(tmp_path, disks=tuple(disks)))
    assert len(list(site.glob("disk-a-*/index.gz"))) == 1
    assert not (site / "disk").exists()


def test_an_image_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "a.img"
    image.write_bytes(bytes(1024))
    disks = plugged([str(image)])

    def shorter(*_given: object) -> tuple[int, int]:
        os.truncate(image, 512)
        return 0, 1024

    monkeypatch.setattr(pieces, "_data", shorter)
    with pytest.raises(TierlabError) as error:
        make_site(tmp_path, make_contents(tmp_path, disks=tuple(disks)))
    assert "became shorter" in error.value.line()
