"""The targets that the recipe builds QEMU for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.build import SetupError
from bench.build.recipes import qemu as recipe

DEVICES = ROOT / "qemu/overlay/configs/devices"
SHARED = {"PVPANIC_PCI", "VIRTIO_PCI", "VIRTIO_BLK", "VIRTIO_NET", "VIRTIO_RNG"}
SHARED |= {"VIRTIO_9P", "GENERIC_LOADER"}
MACHINES = {
    "riscv64": {"RISCV_VIRT"},
    "x86_64": {"I440FX", "MICROVM", "Q35"},
    "aarch64": {"ARM_VIRT", "RASPI"},
}


def _lines(path: Path) -> list[str]:
    """The lines of a list of devices and of the lists that it includes."""
    found = []
    for line in path.read_text().splitlines():
        if line.startswith("include "):
            found += _lines(path.parent / line.removeprefix("include "))
        elif not line.startswith("#"):
            found.append(line)
    return found


def _symbols(target: recipe.Target) -> set[str]:
    lines = _lines(DEVICES / target.cpu_target / "tierlab.mak")
    found = [re.fullmatch(r"CONFIG_(\w+)=y", line) for line in lines]
    assert all(found), lines
    return {match[1] for match in found if match}


@pytest.mark.parametrize("target", recipe.TARGETS, ids=lambda target: target.arch)
def test_devices_of_every_target(target: recipe.Target) -> None:
    symbols = _symbols(target)
    assert symbols >= SHARED
    assert symbols >= MACHINES[target.arch]


def test_each_list_of_devices_is_of_a_target() -> None:
    there = {path.name for path in DEVICES.iterdir()}
    assert there == {target.cpu_target for target in recipe.TARGETS}


def test_one_configuration_for_all_targets() -> None:
    line = recipe._configure(Path("sysroot"), Path("emcc"))
    lists = [word for word in line if word.startswith("--target-list=")]
    wanted = ",".join(target.cpu_target for target in recipe.TARGETS)
    assert lists == [f"--target-list={wanted}"]
    for target in recipe.TARGETS:
        assert f"--with-devices-{target.arch}=tierlab" in line


def test_a_guest_needs_the_qemu_of_its_architecture_only() -> None:
    steps = {step.name: step for step in recipe.STEPS}
    for target in recipe.TARGETS:
        needs = steps[target.product].needs
        assert not [need for need in needs if need.startswith("qemu-wasm-")]


@pytest.mark.skipif(
    not recipe.FIRMWARE[0].is_dir(), reason="outside the reference environment"
)
def test_packages_bring_all_firmware() -> None:
    for target in recipe.TARGETS:
        for name in target.firmware:
            assert recipe._firmware(name).stat().st_size > 0


def test_firmware_is_looked_for_where_debian_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    (second / "bios.bin").write_bytes(b"bios")
    monkeypatch.setattr(recipe, "FIRMWARE", (first, second))
    assert recipe._firmware("bios.bin") == second / "bios.bin"
    with pytest.raises(SetupError, match=r"other\.bin is missing"):
        recipe._firmware("other.bin")
