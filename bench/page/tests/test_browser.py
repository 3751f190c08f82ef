"""The page in Chromium and Firefox, with a fake machine."""

from __future__ import annotations

import base64
import io
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.load import run_from_json, unpack_tbs
from bench.build.recipes.page import PRODUCT as LIBRARIES
from bench.guests.devices.network import PRODUCT as RELAY
from bench.guests.devices.network import Network
from bench.harness.products import obtain
from bench.harness.snapshots.file import read_snapshot
from bench.page.disks import plugged
from bench.page.tests.browsers import PROGRAMS, drive, need, serving, static_host
from bench.page.tests.sites import FAKE_MACHINE, make_contents, make_shares, make_site
from bench.testing.schema import check_form

PRODUCTS = ("node", "browser-driver", LIBRARIES)
SAVED = "booted"
NETWORK = Network((8000, 8080), outside=True)


@pytest.fixture(scope="session")
def products() -> dict[str, Path]:
    """Node, the browsers' driver, and the page's libraries."""
    return obtain(PRODUCTS, Console(stderr=True))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, products: dict[str, Path]) -> Path:
    """A whole page, of which only the machine is a fake."""
    scratch = tmp_path_factory.mktemp("page")
    modules = {"engines/web/machine.mjs": FAKE_MACHINE}
    libraries, shares = products[LIBRARIES], make_shares(scratch)
    image = scratch / "big.img"
    image.write_bytes(bytes(2048))
    disks = tuple(plugged([f"{image},mount=ext4"]))
    made_of = make_contents(
        scratch, libraries, modules, shares, NETWORK, (SAVED,), disks
    )
    return make_site(scratch, made_of)


@pytest.fixture(params=sorted(PROGRAMS))
def browser(request: pytest.FixtureRequest) -> str:
    """Each browser that is installed."""
    return need(str(request.param))


class User:
    """Plays scenarios in a browser."""

    def __init__(self, products: dict[str, Path], site: Path, browser: str) -> None:
        self.products, self.site, self.browser = products, site, browser

    def at(self, url: str, scenario: str, **more: Any) -> dict[str, Any]:
        """Play a scenario at an address."""
        node = self.products["node"] / "bin" / "node"
        library = self.products["browser-driver"]
        return drive(node, library, self.browser, url, scenario, **more)

    def at_site(self, site: Path, scenario: str, more: Sequence[str]) -> dict[str, Any]:
        """Play a scenario with our server and another page."""
        with serving(site) as server:
            return self.at(server.url, scenario, more=more)

    def __call__(self, scenario: str, **more: Any) -> dict[str, Any]:
        """Play a scenario with our server."""
        with serving(self.site) as server:
            return self.at(server.url, scenario, **more)


@pytest.fixture
def user(products: dict[str, Path], site: Path, browser: str) -> User:
    """A user of the page."""
    return User(products, site, browser)


def no_trouble(facts: dict[str, Any]) -> None:
    """Check that the page violated no policy and logged no error."""
    assert facts["seen"]["violations"] == []
    assert facts["seen"]["errors"] == []


def test_tour(user: User) -> None:
    found = user("tour")
    for facts in (found["one"], found["two"], found["after"]):
        no_trouble(facts)
    assert found["foreign"] == []
    assert found["before"]["bytes"] < 300_000
    assert found["one"]["tier"] == "threshold:n=7"
    assert found["one"]["phases"][-1] == "prompt"
    # Firefox bears fewer modules, so the page adds a budget.
    budget = ",max-modules=8000" if user.browser == "firefox" else ""
    assert f"tier threshold:n=7{budget} smp 1" in found["one"]["text"]
    assert found["two"]["tier"] == "never"
    assert f"tier never{budget.replace(',', ':')} smp 1" in found["two"]["text"]
    assert "an$" not in found["two"]["text"]
    assert found["compared"] == ["never", "threshold:n=7"]
    assert found["kept"] == {"policy": "never", "tier": "never"}
    assert "tier=never" in found["after"]["hash"]


def test_a_run_that_seems_to_be_wanted_is_loaded_ahead(user: User) -> None:
    found = user("ahead")
    no_trouble(found["facts"])
    assert found["one"] == {"tier": "threshold", "shown": False}
    # QEMU is loaded, and its guest does nothing before the click.
    assert found["waits"] == {"state": "starting", "printed": 0}
    assert found["forgotten"] is True
    assert found["two"] == {"tier": "never", "shown": False}
    assert found["taken"] is True
    assert found["facts"]["tier"] == "never"


def test_settings(user: User) -> None:
    found = user("settings")
    assert found["dropped"] == {
        "guest": "riscv64-tiny",
        "tier": "threshold:n=5",
        "workload": "shell",
        "share": "none",
        "disk": "none",
    }
    assert found["refused"]["runs"] is False
    assert found["refused"]["invalid"] == "policy-params-n"
    assert "from 1 to 1000" in found["refused"]["says"]
    assert "tier=threshold:n=9" in found["hash"]
    assert found["command"] == (
        "./tierlab boot riscv64-tiny --tier threshold:n=9 --interactive"
    )


def test_guest_cannot_reach_out_of_its_terminal(user: User) -> None:
    found = user("hostile")
    no_trouble(found["facts"])
    assert found["facts"]["title"] == "Tierlab"
    assert found["links"] == 0 and found["foreign"] == []
    assert "green" in found["facts"]["text"]


def test_guest_learns_the_size(user: User) -> None:
    found = user("resize")
    assert found["before"] != found["after"]


def test_small_screen(user: User) -> None:
    found = user("small")
    assert found["idle"]["wide"] <= 0 and found["wide"] <= 0
    no_trouble(found["facts"])


def test_without_a_network(user: User) -> None:
    with serving(user.site) as server:

        def stop(what: str) -> None:
            assert what == "the server stops"
            server.vanish()

        found = user.at(server.url, "offline", does=stop)
    assert found["state"] == "running"
    no_trouble(found)


def test_host_that_sends_no_headers(user: User, tmp_path: Path) -> None:
    shutil.copytree(user.site, tmp_path / "some" / "folder")
    with static_host(tmp_path) as url:
        found = user.at(f"{url}some/folder/", "fallback")
    assert found["state"] == "running"
    no_trouble(found)


def files_of(archive: str) -> dict[str, tarfile.TarInfo]:
    """The entries of an archive that the page made, by name."""
    data = io.BytesIO(base64.b64decode(archive))
    with tarfile.open(fileobj=data) as opened:
        return {entry.name: entry for entry in opened.getmembers()}


def test_folders(user: User, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "one").write_text("one")
    found = user("folders", more=["--folder", str(mine)])
    no_trouble(found["facts"])
    assert found["offered"]["names"] == ["my docs", "fixed"]
    assert found["offered"]["checked"] == [True, True]
    assert "share" in found["offered"]["workloads"]
    assert "--share 'my docs,tag=docs'" in found["command"]
    assert "--share fixed,tag=fixed,readonly=on" in found["command"]
    own = "mine" if user.browser == "chromium" else "files"
    text = found["facts"]["text"]
    for line in (
        "local,id=share-docs,path=/shares/docs,security_model=none",
        "local,id=share-fixed,path=/shares/fixed,security_model=none,readonly=on",
        f"virtio-9p-pci,fsdev=share-{own},mount_tag={own}",
        "/shares/docs/sub/grüße free",
        "/shares/fixed/only fixed",
        f"/shares/{own}/one free",
    ):
        assert line in text.split("\n"), line
    assert found["button"]
    assert [d["tag"] for d in found["devices"]] == ["docs", "fixed", own]
    files = files_of(found["saved"])
    assert files.keys() == files_of(found["atEnd"]).keys()
    assert files["docs/sub/grüße"].size == 10_240
    assert files["docs/sub/prog"].mode == 0o755
    assert files["docs/link"].linkname == "sub/prog"
    assert files[f"{own}/one"].size == 3
    assert "share=fixed" in found["hash"] and found["kept"] == ["fixed"]


def test_network(user: User) -> None:
    products = obtain([RELAY], Console(stderr=True))
    with serving(user.site) as server, NETWORK.relayed(products) as url:
        server.relay = url
        found = user.at(server.url, "network")
    off, on = found["off"], found["on"]
    assert off["shown"] and not off["on"]
    assert "net=on" not in off["hash"] and "--net" not in off["command"]
    assert "net" not in off["workloads"] and "net" in on["workloads"]
    assert not any("virtio-net" in word for word in found["without"])
    assert "net=on" in on["hash"] and on["command"].endswith(
        " --net host=8000,host=8080,outside"
    )
    assert "127.0.0.1:8000 of this machine, as 10.0.2.2:8000" in on["about"]
    card = NETWORK.card("virt")
    at = found["argv"].index(card[1]) - 1
    assert found["argv"][at : at + len(card)] == card
    assert found["devices"] == [NETWORK.as_json()]
    assert "network open" in found["facts"]["text"]
    no_trouble(found["facts"])
    assert found["foreign"] == []
    assert found["kept"]["on"]


def test_without_a_network_to_offer(
    user: User, products: dict[str, Path], tmp_path: Path
) -> None:
    modules = {"engines/web/machine.mjs": FAKE_MACHINE}
    site = make_site(tmp_path, make_contents(tmp_path, products[LIBRARIES], modules))
    found = User(products, site, user.browser)("network")
    assert not found["off"]["shown"]
    assert not any("netdev" in word for word in found["without"])


def test_resume(user: User, tmp_path: Path) -> None:
    found = user("resume", more=["--hash", f"#from={SAVED}&smp=3&share=none&disk=none"])
    no_trouble(found["facts"])
    settled = found["settled"]
    assert settled["smp"] and settled["memory"] == "300"
    assert not settled["workload"] and settled["from"] == ["", SAVED]
    assert f"--restore {SAVED}.snap --interactive" in settled["command"]
    assert "--smp" not in settled["command"]
    text = found["facts"]["text"]
    assert text.startswith("the last line\n") and "shell\n" in text
    assert "Linux version" not in text
    assert found["facts"]["phases"] == ["resume", "workload-start", "prompt"]
    assert (found["state"], found["button"], found["failure"]) == (
        "running",
        True,
        None,
    )
    check_form(found["result"], "run")
    run = run_from_json(found["result"])
    assert run.resumed and run.workload == "shell resumed"
    assert found["result"]["config"]["smp"] == 2
    # The page accepts a machine that it saved, and refuses other files.
    assert "mine.snap cannot be resumed: it is not a saved" in found["complaint"]
    argv, at = found["opened"]["argv"], found["opened"]["devices_at"]
    assert argv[at - 2 : at] == ["-incoming", "defer"]
    assert argv[argv.index("-m") + 1] == "300" and argv[argv.index("-seed") + 1] == "7"
    assert "tierlab.workload=wait" in argv[argv.index("-append") + 1].split()
    assert "from=" not in found["opened"]["hash"]
    # The harness can read a machine that the page saved.
    path = tmp_path / "again.snap"
    path.write_bytes(base64.b64decode(found["saved"]))
    snapshot = read_snapshot(path)
    facts = snapshot.facts
    assert (facts.workload, facts.booted_for, facts.seed) == ("shell", "wait", 7)
    assert (facts.memory_mib, facts.smp, facts.engine) == (300, 2, user.browser)
    assert facts.phases == ["init", "prompt", "resume", "workload-start", "prompt"]
    snapshot.unpack(tmp_path / "stream")
    assert (tmp_path / "stream").read_bytes() == b"the state"


def test_disks(user: User) -> None:
    found = user("disks")
    no_trouble(found["facts"])
    assert "513 bytes are not whole sectors" in found["complaint"]
    both, one = found["both"], found["one"]
    assert both["names"] == ["big.img", "mine.img"]
    assert both["abouts"][0] == "raw, /dev/vda, at /mnt/vda"
    assert both["abouts"][1].startswith("raw, /dev/vdb ")
    assert "--disk big.img,mount=ext4,snapshot=on" in both["command"]
    assert "disk" in both["workloads"] and "disk" not in one["workloads"]
    argv = found["run"]["argv"]
    drives = [word for word in argv if word.startswith("if=none")]
    assert [word.split("file=")[1].split(",")[0] for word in drives] == [
        "/disks/0-big.img",
        "/disks/1-mine.img",
    ]
    assert "tierlab.disk=vda:ext4" in argv[argv.index("-append") + 1].split()
    (path, url), mine = found["run"]["disks"]
    assert path == "/disks/0-big.img" and re.fullmatch(r"disk-big-\w+/index\.gz", url)
    assert mine == ["/disks/1-mine.img", 1024]
    assert [d["file"] for d in found["run"]["devices"]] == ["big.img", "mine.img"]
    assert found["left"] == [["big.img", 2048, "site"], ["mine.img", 1024, "own"]]
    assert found["button"]
    assert one["abouts"][1].startswith("raw, /dev/vda ")
    assert "disk=none" in found["facts"]["hash"] and "snapshot=on" in one["command"]


def test_profile(user: User) -> None:
    found = user("profile")
    assert found["refused"]["runs"] is False
    assert "Choose a file" in found["refused"]["says"]
    assert "--tier profile:from=seed.profile" in found["command"]
    assert "/profiles/given" in found["files"]
    assert "from=/profiles/given" in found["facts"]["text"]
    assert "from" not in found["facts"]["hash"]
    no_trouble(found["facts"])


def test_stop(user: User) -> None:
    found = user("stop")
    assert found["state"] == "ended" and found["stats"]
    no_trouble(found["facts"])


def test_result_is_one_of_ours(user: User) -> None:
    found = user("result")
    check_form(found["result"], "run")
    run = run_from_json(found["result"])
    assert run.ok and run.engine == user.browser
    assert run.guest == "riscv64-tiny" and run.tier == "threshold"
    assert run.boot_ms and run.counters["tbs_translated"] == 5400
    assert run.wait_ms == 2.0
    tbs = unpack_tbs(found["result"]["stats"]["tbs"])
    assert tbs == {"id": [0, 1], "wait_ns": [0, 2_000_000]}
    timeline = found["result"]["timeline"]
    assert len(timeline["rows"][0]) == len(timeline["columns"])
