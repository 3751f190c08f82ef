"""The page with a real guest: boot to the prompt, type, read, another policy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.load import run_from_json, unpack_tbs
from bench.cli.main import main
from bench.guests.devices.network import PRODUCT as RELAY
from bench.guests.devices.network import Network
from bench.guests.names import known_guests
from bench.harness.products import obtain
from bench.harness.snapshots.file import read_snapshot
from bench.page.disks import plugged
from bench.page.make import contents, write_site
from bench.page.server import Served
from bench.page.snapshots import offered
from bench.page.tests.browsers import BROWSERS, PROGRAMS, need, serving
from bench.page.tests.test_browser import PRODUCTS, User, no_trouble
from bench.testing.schema import check_form

pytestmark = pytest.mark.guest

GUEST = "riscv64-tiny"
TIERS = ("--tier", "region:n=100", "--tier", "threshold")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with one guest, as `tierlab serve` makes it."""
    out = tmp_path_factory.mktemp("page") / "site"
    out.mkdir()
    write_site(out, contents([known_guests()[GUEST]]))
    return out


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def user_of(browser: str, site: Path) -> User:
    return User(obtain(PRODUCTS, Console(stderr=True)), site, need(browser))


@pytest.fixture(params=BROWSERS)
def user(request: pytest.FixtureRequest, site: Path) -> User:
    """A user of the page, in each browser."""
    return user_of(str(request.param), site)


@pytest.mark.parametrize("browser", sorted(PROGRAMS))
def test_tour(browser: str, site: Path) -> None:
    found = user_of(browser, site)("tour", more=TIERS)
    for facts in (found["one"], found["two"], found["after"]):
        no_trouble(facts)
    assert found["foreign"] == []
    assert found["one"]["tier"] == "region:n=100"
    assert found["two"]["tier"] == "threshold"
    expected = ["firmware", "kernel", "init", "workload-start", "prompt"]
    assert found["one"]["phases"] == found["two"]["phases"] == expected
    assert found["compared"] == ["threshold", "region:n=100"]
    assert found["kept"]["tier"] == "threshold"


def test_guest_learns_the_size(user: User) -> None:
    found = user("resize")
    assert found["before"] != found["after"]


def test_stop(user: User) -> None:
    found = user("stop")
    assert found["state"] == "ended" and found["stats"]
    no_trouble(found["facts"])


def test_result_is_one_of_ours(user: User) -> None:
    result = user("result")["result"]
    check_form(result, "run")
    run = run_from_json(result)
    assert run.ok and run.engine == user.browser and run.guest == GUEST
    assert list(run.phases) == [
        "firmware", "kernel", "init", "workload-start", "workload-end",
    ]  # fmt: skip
    assert run.boot_ms and run.counters["tbs_translated"] > 10_000
    assert len(unpack_tbs(result["stats"]["tbs"])["id"]) > 10_000
    timeline = result["timeline"]
    last = dict(zip(timeline["columns"], timeline["rows"][-1], strict=True))
    assert 0 < last["tbs_compiled"] < last["tbs_translated"]
    assert last["exec_tier0"] > 0 and last["exec_tier1"] > 0
    assert last["compile_ns"] > 0
    assert "Linux version" in result["console"]["text"]
    assert result["console"]["sha256"]


def test_without_a_network(user: User) -> None:
    with serving(user.site) as server:
        found = user.at(server.url, "offline", does=lambda what: server.vanish())
    assert found["state"] == "running" and found["isExpected"] is True
    no_trouble(found)


def typed(user: User, site: Path, command: str, hash: str, **more: str) -> str:
    """The console's text after a command was typed at the prompt."""
    words = ["--type", f"{command}; echo status $?", "--hash", hash]
    with serving(site) as server:
        server.relay = more.get("relay")
        found = user.at(server.url, "script", more=words)
    no_trouble(found["facts"])
    return str(found["facts"]["text"])


class _Said(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"from here")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a web server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Said) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def site_of(
    out: Path, network: Network | None = None, machines: Sequence[Path] = (),
    disks: Sequence[str] = (),
) -> Path:  # fmt: skip
    """The page with one guest, and the given network, machines and disks."""
    out.mkdir()
    entries = [known_guests()[GUEST]]
    made_of = contents(entries, [], network, offered(machines), plugged(disks))
    write_site(out, made_of)
    return out


def test_network(user: User, port: int, tmp_path: Path) -> None:
    network = Network((port,))
    site = site_of(tmp_path / "site", network)
    fetch = f"wget -q -T 20 -O - http://10.0.2.2:{port}/"
    with network.relayed(obtain([RELAY], Console(stderr=True))) as relay:
        on, off = (
            typed(user, site, f"{fetch}; ls /sys/class/net", f"#net={net}", relay=relay)
            for net in ("on", "off")
        )
        # The guest reaches no other port of this machine.
        other = f"wget -q -T 20 -O - http://10.0.2.2:{port - 1}/ || echo no"
        assert "no" in typed(user, site, other, "#net=on", relay=relay).split("\n")
    assert "from here" in on and "eth0" in on
    assert "from here" not in off and "eth0" not in off


def test_saved_machines_go_on_in_the_page(user: User, tmp_path: Path) -> None:
    first = tmp_path / "first.snap"
    assert main(["boot", GUEST, "--save", str(first), "--smp", "2"]) == 0
    site = site_of(tmp_path / "site", machines=[first])
    found = user.at_site(site, "resume", ["--hash", "#from=first&tier=region"])
    no_trouble(found["facts"])
    assert found["failure"] is None
    assert found["facts"]["phases"] == ["resume", "workload-start", "prompt"]
    assert found["result"]["config"]["smp"] == 2
    assert run_from_json(found["result"]).resumed
    # The page can resume a machine that it has saved.
    second = tmp_path / "second.snap"
    second.write_bytes(base64.b64decode(found["saved"]))
    assert read_snapshot(second).facts.workload == "shell"
    site = site_of(tmp_path / "again", machines=[second])
    found = user.at_site(site, "resume", ["--hash", "#from=second"])
    assert found["failure"] is None
    assert found["facts"]["phases"][0] == "resume"


class Asked(dict[str, Served]):
    """A server's files, and which of them were asked for."""

    def __init__(self, files: dict[str, Served]) -> None:
        super().__init__(files)
        self.names: list[str] = []

    def get(self, name: str, default: Any = None) -> Any:
        """As of any dict."""
        self.names.append(name)
        return super().get(name, default)


# Where a page's disk has something that no file system knows of.
FAR = 5 << 30


def make_disk(folder: Path, files: dict[str, bytes]) -> Path:
    """An image of 6 GiB that begins with a file system."""
    (folder / "files").mkdir()
    for name, data in files.items():
        (folder / "files" / name).write_bytes(data)
    image = folder / "large.img"
    argv = ["mke2fs", "-q", "-t", "ext4", "-b", "4096"]
    argv += ["-d", str(folder / "files"), str(image)]
    subprocess.run([*argv, "64M"], check=True)
    with image.open("r+b") as file:
        file.truncate(6 << 30)
        file.seek(FAR)
        file.write(b"far" * 1000)
    return image


def lose(site: Path, data: bytes) -> list[str]:
    """Remove the pieces that consist of these data; gives the names of the others."""
    blocks = {data[at : at + 4096] for at in range(0, len(data), 4096)}
    left = []
    for path in site.glob("disk-large-*/*.gz"):
        piece = gzip.decompress(path.read_bytes())
        if all(piece[at : at + 4096] in blocks for at in range(0, len(piece), 4096)):
            path.unlink()
        else:
            left.append(path.relative_to(site).as_posix())
    return left


@pytest.mark.skipif(shutil.which("mke2fs") is None, reason="no mke2fs")
def test_disk(user: User, tmp_path: Path) -> None:
    """A disk that is written; and a large one, of which a part is missing."""
    image = tmp_path / "disk.img"
    argv = ["mke2fs", "-q", "-t", "ext4", str(image), "16M"]
    subprocess.run(argv, check=True)
    before = image.read_bytes()
    rng = random.Random(1)
    sizes = {"wanted": 1, "lost": 2, "rest": 32}
    files = {name: rng.randbytes(size << 20) for name, size in sizes.items()}
    large = make_disk(tmp_path, files)
    disks = [f"{image},mount=ext4", f"{large},readonly=on,mount=ext4"]
    site = site_of(tmp_path / "site", disks=disks)
    there = lose(site, files["lost"])
    commands = [
        "cd /mnt/vda",
        "seq 1 50000 >numbers",
        "sync; cd /; umount /mnt/vda",
        "cat /sys/block/vda/serial; echo",
        "md5sum /mnt/vdb/wanted",
        f"dd if=/dev/vdb bs=4096 skip={FAR // 4096} count=1 2>/dev/null | md5sum",
        "md5sum /mnt/vdb/lost || echo gone",
        "ls /mnt/vdb; echo status $?",
    ]
    with serving(site) as server:
        asked = server.files = Asked(server.files)
        words = ["--type", "; ".join(commands), "--hash", "#workload=shell"]
        found = user.at(server.url, "script", more=words)
    assert found["facts"]["seen"]["violations"] == []
    said = found["facts"]["text"].split("\n")
    assert "disk" in said and "gone" in said
    assert f"{md5(files['wanted'])}  /mnt/vdb/wanted" in said
    assert f"{md5((b'far' * 1000).ljust(4096, bytes(1)))}  -" in said
    assert any("Input/output error" in line for line in said)
    fetched = {name for name in asked.names if name in there}
    assert len(there) > 128 and len(fetched) < len(there) / 3
    assert re.fullmatch(
        r"The disk large\.img: bytes \d+ to \d+ cannot be read \(piece \w+ cannot be "
        r"fetched: 404 Not Found\): the guest sees an I/O error\.",
        found["notice"],
    )
    ((name, data),) = found["disks"]
    assert name == "disk.img" and image.read_bytes() == before
    image.write_bytes(base64.b64decode(data))
    assert subprocess.run(["e2fsck", "-fn", str(image)], check=False).returncode == 0
    argv = ["debugfs", "-R", "cat numbers", str(image)]
    numbers = subprocess.run(argv, capture_output=True, check=True).stdout
    assert numbers == b"".join(b"%d\n" % n for n in range(1, 50001))
