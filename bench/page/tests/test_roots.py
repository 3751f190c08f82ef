"""A page plugs in the disks of a workload's programs by itself, as the harness does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.engines.base import BootRequest, qemu_arguments
from bench.guests.devices.disk import Disk
from bench.guests.devices.images import Image
from bench.harness.products import obtain
from bench.page.places import PagePlaces
from bench.page.tests.sites import GUESTS, make_contents, make_site
from bench.page.tests.test_modules import ask

ROOT_BYTES = 8192


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    """Node, which runs the page's modules."""
    return obtain(["node"], Console(stderr=True))


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """The disk of a root file system."""
    path = tmp_path / "lua-riscv64.img"
    path.write_bytes(b"root" * (ROOT_BYTES // 4))
    image = Image(path, "raw", ROOT_BYTES)
    return Disk(image, readonly=True, mount="ext4", root=True)


@pytest.fixture
def site(tmp_path: Path, disk: Disk) -> dict[str, Any]:
    """The description of a page whose first guest has this root, its second none."""
    contents = replace(make_contents(tmp_path), roots={GUESTS[0]: {"lua": disk}})
    (path,) = make_site(tmp_path, contents).glob("site-*/site.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_workload_has_its_disk_and_memory(
    products: dict[str, Path], tmp_path: Path, site: dict[str, Any], disk: Disk
) -> None:
    found = ask(products, ask="chosen", site=site, workload="lua:rounds=5")
    assert "lua" in found["workloads"] and "python" not in found["workloads"]
    guest = make_contents(tmp_path / "again").guests[0]
    request = BootRequest(guest, "lua:rounds=5", devices=(disk,), memory_mib=512)
    wanted = qemu_arguments(request, PagePlaces())
    argv = found["arguments"]
    for option in ("-append", "-m"):
        assert argv[argv.index(option) + 1] == wanted[wanted.index(option) + 1]
    assert ",readonly=on" in argv[argv.index("-drive") + 1]
    # nobody has to give the disk to the harness
    assert "--disk" not in found["summary"] and "lua:rounds=5" in found["summary"]
    assert any("lua-riscv64" in part["url"] for part in found["parts"])


def test_other_workloads_fetch_no_disk(
    products: dict[str, Path], site: dict[str, Any]
) -> None:
    found = ask(products, ask="chosen", site=site, workload="sha256")
    assert "-drive" not in found["arguments"] and not found["parts"]


def test_a_page_without_programs_does_not_offer_them(
    products: dict[str, Path], site: dict[str, Any]
) -> None:
    site["guests"][0]["roots"] = {}
    found = ask(products, ask="chosen", site=site, workload="lua")
    assert not {"lua", "programs"} & set(found["workloads"])
    assert "tierlab.workload=shell" in " ".join(found["arguments"])
