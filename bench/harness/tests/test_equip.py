"""Boots of workloads with programs get their disks and memory without being told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.base.errors import TierlabError
from bench.engines.base import BootRequest, command_line
from bench.guests.catalogue import PROGRAMS, WORKLOADS, memory_of, roots_of
from bench.guests.devices.disk import Disk, make_disk
from bench.guests.guest import Guest
from bench.guests.manifest import load
from bench.guests.names import find_guest
from bench.guests.roots import programs
from bench.harness.run.equip import equipped, root_disks, root_products
from bench.testing.fakes import make_guest

GUEST = "riscv64-tiny"


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """A guest of fake files."""
    return load(make_guest(tmp_path / "guest", GUEST))


@pytest.fixture
def products(tmp_path: Path) -> dict[str, Path]:
    """Fake disks of all roots."""
    made = {}
    for root in PROGRAMS:
        product = tmp_path / root
        product.mkdir()
        programs.image(product, "riscv64", root).write_bytes(bytes(1024))
        made[programs.product("riscv64", root)] = product
    return made


def test_disks_follow_those_of_the_user(
    guest: Guest, products: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "own.img").write_bytes(bytes(512))
    own = make_disk(tmp_path / "own.img", mount="ext4")
    request = BootRequest(guest, "programs:set=quick", devices=(own,))
    found = equipped(request, products)
    words = command_line(found).split()
    assert [w for w in words if w.startswith(("tierlab.disk", "tierlab.root"))] == [
        "tierlab.disk=vda:ext4",
        "tierlab.root=vdb:ext4",
        "tierlab.root=vdc:ext4",
    ]
    for disk in found.devices[1:]:
        assert isinstance(disk, Disk) and disk.readonly


def test_memory_is_the_workloads_unless_the_user_says(
    guest: Guest, products: dict[str, Path]
) -> None:
    request = BootRequest(guest, "gcc")
    assert equipped(request, products).memory == 1024
    assert equipped(replace(request, memory_mib=300), products).memory == 300
    large = replace(guest, memory_mib=1500)
    assert equipped(replace(request, guest=large), products).memory == 1500


def test_other_workloads_stay_as_they_are(guest: Guest) -> None:
    request = BootRequest(guest, "sha256:rounds=3")
    assert equipped(request, {}) is request


def test_a_saved_machine_has_the_disks_of_all_its_workloads(
    guest: Guest, products: dict[str, Path]
) -> None:
    both = ["lua", "python", "lua:rounds=9"]
    found = equipped(BootRequest(guest, "wait"), products, both)
    assert len(found.devices) == 2 and found.memory == 512
    assert list(root_disks(guest, products, both)) == ["lua", "python"]


def test_products_are_those_of_the_guests_programs() -> None:
    wanted = root_products(find_guest("aarch64-debian"), ["gcc", "build", "none"])
    assert wanted == ["programs-aarch64-c"]
    assert not root_products(find_guest("i386-debian"), ["sha256"])


@pytest.mark.parametrize(
    ("guest_name", "why"),
    [
        ("i386-debian", "no programs"),
        ("aarch64-raspi3ap", "no place"),
        ("riscv64-tiny", "no overlayfs.*name a guest .* riscv64-debian"),
        ("x86_64-tiny-microvm", "no overlayfs"),
    ],
)
def test_guests_that_cannot_have_programs_are_refused(
    guest_name: str, why: str
) -> None:
    with pytest.raises(TierlabError, match=why):
        root_products(find_guest(guest_name), ["python"])


def test_sets_name_roots_that_there_are() -> None:
    for workload in WORKLOADS:
        for roots in workload.roots.values():
            assert set(roots) <= set(programs.ROOTS)
            assert workload.memory_mib
    assert roots_of("programs") == tuple(PROGRAMS)
    assert roots_of("programs:set=quick,rounds=2") == ("python", "sqlite")
    assert roots_of("python:rounds=2") == ("python",)
    assert roots_of("sha256:mib=8") == () and memory_of("sha256:mib=8") == 0
