"""The page with a real guest: boot to the prompt, type, read, another policy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from analysis.load import run_from_json, unpack_tbs
from bench.boot.catalog import known_guests
from bench.boot.products import obtain
from bench.page.make import contents, write_site
from bench.page.tests.browsers import PROGRAMS, serving
from bench.page.tests.test_browser import PRODUCTS, User, no_trouble

pytestmark = pytest.mark.guest

GUEST = "riscv64-tiny"
TIERS = ("--tier", "region:n=100", "--tier", "threshold")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with one guest, as `tierlab serve` has it."""
    out = tmp_path_factory.mktemp("page") / "site"
    out.mkdir()
    write_site(out, contents([known_guests()[GUEST]]))
    return out


@pytest.fixture(params=sorted(PROGRAMS))
def user(request: pytest.FixtureRequest, site: Path) -> User:
    """Somebody at it."""
    browser = str(request.param)
    if shutil.which(PROGRAMS[browser]) is None:
        pytest.skip(f"{PROGRAMS[browser]} is not installed")
    return User(obtain(PRODUCTS, Console(stderr=True)), site, browser)


def test_tour(user: User) -> None:
    found = user("tour", more=TIERS)
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


def test_result_is_one_of_ours(user: User) -> None:
    result = user("result")["result"]
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
    assert found["state"] == "running"
    no_trouble(found)
