"""`--share`: its meaning, its refusals, QEMU's arguments."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench.base.errors import USAGE, TierlabError
from bench.engines.base import BootRequest
from bench.engines.native import HostPlaces, NativeEngine
from bench.engines.node import NodeEngine
from bench.guests.devices.base import Plan, check_plan
from bench.guests.devices.share import Share, parse_share
from bench.guests.guest import Guest


def refused(text: str) -> str:
    with pytest.raises(TierlabError) as error:
        parse_share(text)
    assert error.value.status == USAGE and error.value.next_step
    return str(error.value)


def test_settings(tmp_path: Path) -> None:
    assert parse_share(str(tmp_path)) == Share(tmp_path)
    share = parse_share(f"{tmp_path},tag=work.1,readonly=on")
    assert share == Share(tmp_path, "work.1", True)
    (tmp_path / "link").symlink_to(tmp_path)
    assert parse_share(f"{tmp_path}/link").path == tmp_path


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (",tag=", "tag= will not do"),
        (",tag=a/b", "tag=a/b will not do"),
        (",tag=..", "tag=.. will not do"),
        (",tag=" + "x" * 32, "will not do"),
        (",readonly=1", "readonly=1 will not do"),
        (",security_model=passthrough", "is no setting"),
        ("/missing", "No such file"),
        ("/file", "is no folder"),
    ],
)
def test_what_will_not_do(tmp_path: Path, settings: str, why: str) -> None:
    (tmp_path / "file").touch()
    assert why in refused(f"{tmp_path}{settings}")


def test_a_path_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"odd\xff")
    path.mkdir()
    assert "not UTF-8" in refused(str(path))


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bench.guests.devices.share.os.access", lambda _, how: not how & os.W_OK
    )
    assert "may not be written" in refused(str(tmp_path))
    assert parse_share(f"{tmp_path},readonly=on").readonly
    monkeypatch.setattr("bench.guests.devices.share.os.access", lambda *_: False)
    assert "may not be read" in refused(f"{tmp_path},readonly=on")


def test_qemu_arguments(tmp_path: Path) -> None:
    path = tmp_path / "a,b"
    path.mkdir()
    share = parse_share(f"{path},tag=x")
    assert share.qemu_arguments("riscv64", "virt", HostPlaces()) == [
        "-fsdev",
        f"local,id=share-x,path={tmp_path}/a,,b,security_model=none",
        "-device",
        "virtio-9p-pci,fsdev=share-x,mount_tag=x",
    ]
    argv = Share(path, "y", True).qemu_arguments("x86_64", "microvm", HostPlaces())
    assert argv[1].endswith(",readonly=on")
    assert argv[3].startswith("virtio-9p-device,")


def test_engines(guest: Guest, tmp_path: Path) -> None:
    made = {"node": tmp_path, f"qemu-wasm-{guest.arch}": tmp_path}
    devices = (Share(tmp_path / "w"), Share(tmp_path / "r", "r", True))
    request = BootRequest(guest, devices=devices)
    argv = NodeEngine().command(request, made).argv
    assert argv[argv.index("--live") + 1] == f"{tmp_path}/w"
    assert argv[argv.index("--live-read") + 1] == f"{tmp_path}/r"
    assert argv.count("-fsdev") == 2
    assert "--live" not in NativeEngine().command(request, {}).argv
    assert [d.as_json() for d in devices] == [
        {"kind": "share", "tag": "share", "readonly": False},
        {"kind": "share", "tag": "r", "readonly": True},
    ]


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (Plan("raspi3ap", (Share(Path("/a")),)), "no place for a shared folder"),
        (Plan("virt", (Share(Path("/a")), Share(Path("/b")))), "the tag 'share'"),
        (Plan("virt", (Share(Path("/a")),), repeating=True), "each boot would find"),
        (
            Plan("virt", (Share(Path("/a"), readonly=True),), saving=True),
            "cannot be saved",
        ),
    ],
)
def test_conflicts(plan: Plan, why: str) -> None:
    with pytest.raises(TierlabError) as error:
        check_plan(plan)
    assert error.value.status == USAGE and why in str(error.value)


def test_no_conflict() -> None:
    shares = (Share(Path("/a"), readonly=True), Share(Path("/a"), "b", readonly=True))
    plan = Plan("microvm,acpi=off", shares, repeating=True)
    check_plan(plan)
    # It is the parts that make it good: each of them matters.
    for other in (
        replace(plan, machine="raspi3ap"),
        replace(plan, devices=(shares[0], shares[0])),
        replace(plan, devices=(replace(shares[0], readonly=False), shares[1])),
    ):
        with pytest.raises(TierlabError):
            check_plan(other)
