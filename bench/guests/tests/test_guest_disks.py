"""Disks of real guests: a guest writes, powers off, and the test reads the image."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.devices.disk import parse_disk
from bench.guests.manifest import load
from bench.harness.run.boot import Boot, run_boot
from bench.harness.snapshots.file import read_snapshot
from bench.harness.snapshots.migration import Restore, Save
from bench.testing.guest_boots import (
    ARCH,
    ENGINES,
    GIB,
    GUEST,
    TIMEOUT_S,
    boot,
    every_other_guest,
    products_of,
    said,
)

pytestmark = pytest.mark.guest


@pytest.fixture(scope="module")
def products() -> dict[str, Path]:
    return products_of(GUEST, ARCH)


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def make_ext4(path: Path, *, size: str = "24M") -> Path:
    """An image with a file `hello` in it."""
    content = path.with_suffix(".content")
    content.mkdir()
    (content / "hello").write_text("hello from the host\n")
    output("mke2fs", "-q", "-t", "ext4", "-d", str(content), str(path), size)
    return path


def make_qcow2(path: Path) -> Path:
    raw = make_ext4(path.with_suffix(".raw"))
    output("qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(path))
    return path


def content(image: Path, name: str) -> str:
    """The contents of a file in an image, whose file system must be consistent."""
    output("e2fsck", "-fn", str(image))
    return output("debugfs", "-R", f"cat /{name}", str(image))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_guest_does_to_its_disks(
    products: dict[str, Path], tmp_path: Path, engine: str
) -> None:
    raw = make_ext4(tmp_path / "raw.img")
    qcow2 = make_qcow2(tmp_path / "disk.qcow2")
    big = tmp_path / "big.img"
    with big.open("wb") as file:
        file.truncate(6 * GIB)
        file.seek(5 * GIB)
        file.write(b"beyond 4 GiB")
    forgotten = make_ext4(tmp_path / "forgotten.img")
    fixed = make_ext4(tmp_path / "fixed.img")
    before = {path: digest(path) for path in (forgotten, fixed)}
    result = boot(
        products,
        GUEST,
        engine,
        [
            parse_disk(f"{raw},mount=ext4"),
            parse_disk(f"{qcow2},mount=ext4"),
            parse_disk(f"{big}"),
            parse_disk(f"{forgotten},snapshot=on,mount=ext4"),
            parse_disk(f"{fixed},readonly=on,mount=ext4"),
        ],
        [
            "for d in a b d e; do cat /mnt/vd$d/hello; done | sort | uniq -c",
            "yes raw | head -c 3000000 >/mnt/vda/new && rm /mnt/vda/hello",
            "yes qcow2 | head -c 3000000 >/mnt/vdb/new",
            "yes snapshot | head -c 3000000 >/mnt/vdd/new",
            "echo no >/mnt/vde/new; echo fixed $?",
            "umount /mnt/vdd; mount /dev/vdd /mnt/vdd; wc -c </mnt/vdd/new",
            "cat /sys/block/vdc/size; echo called $(cat /sys/block/vda/serial)",
            "dd if=/dev/vdc bs=1M skip=5120 count=1 2>/dev/null | head -c 12; echo",
            "printf 'from the guest' | dd of=/dev/vdc bs=1M seek=4096 conv=notrunc",
            "umount /mnt/vda /mnt/vdb /mnt/vdd /mnt/vde; echo unmounted $?",
        ],
        tmp_path,
    )
    assert said(result, " *4 hello from the host")
    for line in ("fixed 1", "3000000", "called raw", "beyond 4 GiB", "unmounted 0"):
        assert said(result, line), line
    assert said(result, str(6 * GIB // 512))
    assert content(raw, "new") == "raw\n" * 750_000
    assert not content(raw, "hello")
    output("qemu-img", "check", "-q", str(qcow2))
    flat = tmp_path / "flat.img"
    output("qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(qcow2), str(flat))
    assert content(flat, "new") == "qcow2\n" * 500_000
    assert {path: digest(path) for path in before} == before
    with big.open("rb") as file:
        file.seek(4 * GIB)
        assert file.read(15) == b"from the guest\0"
    # The image was neither copied to memory nor filled.
    assert big.stat().st_blocks * 512 < GIB
    assert result["resources"]["peak_rss_mib"] < 3000


def run_workload(
    products: dict[str, Path], guest: str, engine: str, image: Path
) -> dict[str, Any]:
    driver = find_engine(engine)
    request = BootRequest(
        load(products[f"guest-{guest}"]),
        workload="disk:mib=2",
        tier="never" if driver.has_tiers else None,
        devices=(parse_disk(f"{image},mount=ext4"),),
    )
    result = run_boot(Boot(driver, request, products, TIMEOUT_S), {"git": None})
    assert result["ok"], (result["failure"], result["console"]["text"][-2000:])
    return result


@pytest.mark.parametrize("engine", ENGINES)
def test_the_workload(products: dict[str, Path], tmp_path: Path, engine: str) -> None:
    image = make_ext4(tmp_path / "disk.img")
    result = run_workload(products, GUEST, engine, image)
    assert content(image, "tierlab.data") == "tierlab\n" * (2 << 20 >> 3)
    (device,) = result["config"]["devices"]
    assert (device["kind"], device["file"]) == ("disk", "disk.img")


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
@every_other_guest
def test_other_guests(guest: str, arch: str, engine: str, tmp_path: Path) -> None:
    image = make_ext4(tmp_path / "disk.img")
    run_workload(products_of(guest, arch), guest, engine, image)
    assert content(image, "tierlab.data") == "tierlab\n" * (2 << 20 >> 3)


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
@every_other_guest
def test_disks_are_named_in_the_order_they_are_given(
    guest: str, arch: str, engine: str, tmp_path: Path
) -> None:
    images = [tmp_path / f"{name}.img" for name in ("first", "second", "third")]
    for number, image in enumerate(images, 1):
        with image.open("wb") as file:
            file.truncate(number << 20)
    disks = [parse_disk(str(image)) for image in images]
    look = "for d in /sys/block/vd?; do echo ${d##*/} $(cat $d/serial $d/size); done"
    products = products_of(guest, arch)
    result = boot(products, guest, engine, disks, [look], tmp_path)
    for name, serial, size in (
        ("a", "first", 2048),
        ("b", "second", 4096),
        ("c", "third", 6144),
    ):
        assert said(result, f"vd{name} {serial} ?{size}")


def test_a_full_host(products: dict[str, Path], tmp_path: Path) -> None:
    """The guest gets an error; it does not wait for ever."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        image = place / "disk.img"
        with image.open("wb") as file:
            file.truncate(16 << 20)
        result = boot(
            products,
            GUEST,
            "node",
            [parse_disk(str(image))],
            [
                "dd if=/dev/zero of=/dev/vda bs=1M count=8 conv=fsync; echo dd $?",
                "dd if=/dev/vda of=/dev/null bs=1M count=16; echo read $?",
            ],
            tmp_path,
        )
    finally:
        output("umount", str(place))
    assert said(result, "dd 1") and said(result, "read 0")


def test_resumed_with_its_disk(products: dict[str, Path], tmp_path: Path) -> None:
    """A disk that is written before and after the machine is saved."""
    image = make_ext4(tmp_path / "disk.img")
    saved = tmp_path / "machine.snap"
    driver = find_engine("node")
    request = BootRequest(
        load(products[f"guest-{GUEST}"]),
        workload="wait",
        tier="never",
        devices=(parse_disk(f"{image},mount=ext4"),),
    )
    job = Boot(driver, request, products, TIMEOUT_S)
    result = run_boot(replace(job, save=Save(saved, "prompt")), {"git": None})
    assert result["ok"], result["failure"]
    restore = Restore(read_snapshot(saved), "disk mib=1")
    resumed = replace(job, request=replace(request, workload="disk:mib=1"))
    result = run_boot(replace(resumed, restore=restore), {"git": None})
    assert result["ok"], (result["failure"], result["console"]["text"][-2000:])
    assert content(image, "tierlab.data") == "tierlab\n" * (1 << 20 >> 3)
