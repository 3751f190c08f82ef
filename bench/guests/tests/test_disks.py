"""`--disk`: its meaning, its refusals, QEMU's arguments, the image's locks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.base.errors import USAGE, TierlabError
from bench.engines.base import BootRequest, command_line
from bench.engines.native import HostPlaces
from bench.engines.node import NodeEngine, NodePlaces
from bench.guests.devices.base import Device, Plan, check_plan
from bench.guests.devices.disk import Disk, make_disk, parse_disk
from bench.guests.devices.locks import locked
from bench.guests.guest import Guest
from bench.harness.run.boot import Boot, run_boot
from bench.testing.fakes import FakeEngine

SIZE = 1 << 20


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "raw.img"
    path.write_bytes(bytes(SIZE))
    return path


@pytest.fixture
def qcow2(tmp_path: Path) -> Path:
    return make_qcow2(tmp_path / "disk.qcow2")


def make_qcow2(path: Path, *options: str, size: str = "1M") -> Path:
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", *options, str(path)]
    subprocess.run([*argv, *([size] if size else [])], check=True)
    return path


def refused(text: str) -> str:
    with pytest.raises(TierlabError) as error:
        parse_disk(text)
    assert error.value.status == USAGE and error.value.next_step
    assert "\n" not in str(error.value)
    return str(error.value)


def served(disk: Disk, scratch: Path, places: HostPlaces | NodePlaces) -> list[str]:
    """QEMU's arguments for a disk, while the disk is served."""
    with disk.served({}, scratch) as device:
        return device.qemu_arguments("riscv64", "virt", places)


def test_settings(raw: Path, qcow2: Path) -> None:
    disk = parse_disk(str(raw))
    assert (disk.image.format, disk.image.size) == ("raw", SIZE)
    assert not (disk.readonly or disk.snapshot or disk.mount)
    disk = parse_disk(f"{qcow2},snapshot=on,mount=ext4")
    assert (disk.image.format, disk.image.size) == ("qcow2", SIZE)
    assert disk.snapshot and disk.mount == "ext4"
    assert parse_disk(f"{raw},format=raw,readonly=on").readonly
    assert not parse_disk(f"{raw},readonly=off").readonly


def test_a_name_may_have_commas(tmp_path: Path) -> None:
    path = tmp_path / "a,b=c,d.img"
    path.write_bytes(bytes(SIZE))
    disk = parse_disk(f"{path},readonly=on")
    assert disk.image.path == path and disk.readonly
    drive = disk.qemu_arguments("riscv64", "virt", HostPlaces())[1]
    assert f"file={tmp_path}/a,,b=c,,d.img,format=raw" in drive


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("readonly=yes", "readonly=yes will not do"),
        ("format=vmdk", "format=vmdk is unknown"),
        ("format=qcow2", "is no qcow2 image"),
        ("readonly=on,snapshot=on", "exclude each other"),
        ("readonly=on,readonly=on", "twice"),
        ("cache=none", "'cache=none' is no setting"),
        ("mount=", "no file system"),
        ("mount=a b", "no file system"),
    ],
)
def test_settings_that_will_not_do(raw: Path, settings: str, why: str) -> None:
    assert why in refused(f"{raw},{settings}")


def test_what_is_no_image(tmp_path: Path, raw: Path, qcow2: Path) -> None:
    assert "No such file" in refused(str(tmp_path / "missing.img"))
    assert "is no file" in refused(str(tmp_path))
    assert "first" in refused("")
    for name, data, why in (
        ("empty.img", b"", "0 bytes are not whole sectors"),
        ("odd.img", b"x" * 513, "not whole sectors"),
        ("packed.img", b"\x1f\x8b".ljust(512), "packed by gzip"),
        ("raw.qcow2", bytes(512), "the name of a qcow2 image only"),
        ("secret.img", qcow2.read_bytes(), "the contents of a qcow2 image only"),
        ("cut.qcow2", qcow2.read_bytes()[:40], "cut.qcow2"),
    ):
        (tmp_path / name).write_bytes(data)
        assert why in refused(str(tmp_path / name)), name
    assert parse_disk(f"{tmp_path}/packed.img,format=raw").image.size == 512
    assert parse_disk(f"{tmp_path}/secret.img,format=qcow2").image.format == "qcow2"


def test_backing_files(tmp_path: Path, raw: Path, qcow2: Path) -> None:
    middle = make_qcow2(
        tmp_path / "middle.qcow2", "-b", "raw.img", "-F", "raw", size=""
    )
    top = make_qcow2(tmp_path / "top.qcow2", "-b", str(middle), "-F", "qcow2", size="")
    disk = parse_disk(str(top))
    assert disk.image.files == (top, middle, raw)
    places = NodePlaces()
    served(disk, tmp_path, places)
    assert places.live_paths == {str(top): True, str(middle): False, str(raw): False}
    raw.unlink()
    assert "raw.img" in refused(str(top))


def test_backing_files_that_are_refused(tmp_path: Path, raw: Path) -> None:
    unsafe = make_qcow2(
        tmp_path / "a.qcow2", "-u", "-b", "nbd://127.0.0.1:1/x", "-F", "raw"
    )
    assert "nbd://" in refused(str(unsafe))
    loop = tmp_path / "loop.qcow2"
    make_qcow2(loop)
    rebase = ["qemu-img", "rebase", "-u", "-b", str(loop), "-F", "qcow2", str(loop)]
    subprocess.run(rebase, check=True)
    assert "loop" in refused(str(loop))
    (tmp_path / "link").symlink_to(raw)
    linked = make_qcow2(tmp_path / "b.qcow2", "-b", "link", "-F", "raw", size="")
    assert "links" in refused(str(linked))
    data = make_qcow2(tmp_path / "c.qcow2", "-o", f"data_file={tmp_path}/data")
    assert "external data file" in refused(str(data))


def test_qemu_arguments(raw: Path, tmp_path: Path) -> None:
    argv = served(Disk(parse_disk(str(raw)).image), tmp_path, HostPlaces())
    assert argv[0] == "-drive"
    name = argv[1].split(",")[1].removeprefix("id=")
    assert argv[1] == (f"if=none,id={name},file={raw},format=raw,file.locking=off")
    assert argv[2:] == [
        "-device",
        f"virtio-blk-pci,drive={name},num-queues=1,queue-size=32,serial=raw,"
        "werror=report,rerror=report",
    ]
    argv = served(parse_disk(f"{raw},readonly=on"), tmp_path, HostPlaces())
    assert argv[1].endswith(",readonly=on")


def test_machines(raw: Path) -> None:
    disk = parse_disk(str(raw))
    microvm = disk.qemu_arguments("x86_64", "microvm,acpi=off", HostPlaces())
    assert microvm[3].startswith("virtio-blk-device,")
    with pytest.raises(TierlabError) as error:
        check_plan(Plan("raspi3ap", (disk,)))
    assert error.value.status == USAGE and "no place for a disk" in str(error.value)


@pytest.mark.parametrize("settings", ["", ",readonly=on"])
def test_node_is_allowed_the_image_alone(
    guest: Guest, raw: Path, tmp_path: Path, settings: str
) -> None:
    made = {"node": tmp_path, f"qemu-wasm-{guest.arch}": tmp_path}
    request = BootRequest(guest, devices=(parse_disk(f"{raw}{settings}"),))
    argv = NodeEngine().command(request, made).argv
    option = "--live-read" if settings else "--live"
    assert argv[argv.index(option) + 1] == str(raw)
    assert not any(f"{raw}=" in word for word in argv)


@pytest.mark.parametrize("settings", ["snapshot=on", "readonly=on"])
def test_a_page_reads_the_image_in_ranges(
    raw: Path, tmp_path: Path, settings: str
) -> None:
    places = NodePlaces(engine="chromium")
    with parse_disk(f"{raw},{settings}").served({}, tmp_path) as device:
        device.qemu_arguments("riscv64", "virt", places)
    assert places.files == {} and places.live_paths[str(raw)] is False
    assert len(places.live_paths) == (2 if settings == "snapshot=on" else 1)


def test_a_page_cannot_write_to_an_image(raw: Path) -> None:
    with pytest.raises(TierlabError) as error:
        parse_disk(str(raw)).qemu_arguments(
            "riscv64", "virt", NodePlaces(engine="chromium")
        )
    assert error.value.status == USAGE and "snapshot=on" in error.value.line()


def test_a_snapshot_writes_elsewhere(raw: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    disk = parse_disk(f"{raw},snapshot=on")
    places = NodePlaces()
    with disk.served({}, scratch) as device:
        argv = device.qemu_arguments("riscv64", "virt", places)
        (overlay,) = scratch.iterdir()
        info = subprocess.run(
            ["qemu-img", "info", "-U", str(overlay)], capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        assert f"backing file: {raw}" in info and "1 MiB" in info
    assert f"file={overlay},format=qcow2" in argv[1]
    assert places.live_paths == {str(raw): False, str(overlay): True}


def test_mounting(guest: Guest, raw: Path, qcow2: Path) -> None:
    devices = (parse_disk(f"{raw}"), parse_disk(f"{qcow2},readonly=on,mount=ext4"))
    words = command_line(BootRequest(guest, devices=devices)).split()
    assert [w for w in words if w.startswith("tierlab.disk")] == [
        "tierlab.disk=vdb:ext4:ro"
    ]


def conflict(*devices: Device, repeating: bool = False, saving: bool = False) -> str:
    with pytest.raises(TierlabError) as error:
        check_plan(Plan("virt", devices, repeating, saving))
    assert error.value.status == USAGE and error.value.next_step
    return str(error.value)


def test_conflicts(raw: Path, tmp_path: Path) -> None:
    writes, snapshot = parse_disk(str(raw)), parse_disk(f"{raw},snapshot=on")
    reads = parse_disk(f"{raw},readonly=on")
    (tmp_path / "hard.img").hardlink_to(raw)
    hard = parse_disk(f"{tmp_path}/hard.img,readonly=on")
    top = make_qcow2(tmp_path / "top.qcow2", "-b", "raw.img", "-F", "raw", size="")
    for other in (snapshot, reads, hard, parse_disk(str(top))):
        assert "twice" in conflict(writes, other)
    check_plan(Plan("virt", (reads, parse_disk(f"{top},readonly=on"))))
    assert "each boot would find" in conflict(writes, repeating=True)
    assert "would be gone" in conflict(snapshot, saving=True)
    check_plan(Plan("virt", (reads,), repeating=True, saving=True))
    check_plan(Plan("virt", (snapshot,), repeating=True))
    check_plan(Plan("virt", (writes,), saving=True))


HOLD = """
import sys
from pathlib import Path
from bench.guests.devices.locks import locked
with locked(Path(sys.argv[1]), writing=sys.argv[2] == "writing"):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("theirs", "ours", "fits"),
    [
        ("reading", "reading", True),
        ("reading", "writing", False),
        ("writing", "reading", False),
        ("writing", "writing", False),
    ],
)
def test_an_image_in_use(raw: Path, theirs: str, ours: str, fits: bool) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(raw), theirs],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"locked\n"
        if fits:
            with locked(raw, writing=ours == "writing"):
                pass
        else:
            with pytest.raises(TierlabError, match="in use") as error:
                with locked(raw, writing=ours == "writing"):
                    raise AssertionError("locked")
            assert error.value.status == USAGE
    finally:
        holder.communicate()
    with locked(raw, writing=True):
        pass


def test_locks_are_qemus_own(raw: Path) -> None:
    argv = ["qemu-io", "-f", "raw", "-c", "write 0 512", str(raw)]
    with locked(raw, writing=True):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "lock" in done.stderr
    with locked(raw, writing=False):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "lock" in done.stderr
        reads = ["qemu-io", "-r", "-f", "raw", "-c", "read 0 512", str(raw)]
        subprocess.run(reads, capture_output=True, check=True)
    subprocess.run(argv, capture_output=True, check=True)


def test_a_boot_says_what_it_had(
    guest: Guest, fake: FakeEngine, raw: Path, products: None
) -> None:
    disk = parse_disk(f"{raw},snapshot=on")
    boot = Boot(fake, BootRequest(guest, tier="never", devices=(disk,)), {}, 60)
    result = run_boot(boot, {"git": None})
    assert result["ok"]
    wanted: Mapping[str, object] = {
        "kind": "disk",
        "file": "raw.img",
        "format": "raw",
        "bytes": SIZE,
        "readonly": False,
        "snapshot": True,
    }
    assert result["config"]["devices"] == [wanted]
    (plugged,) = fake.requests[-1].devices
    assert isinstance(plugged, Disk) and plugged.overlay is not None
    assert not plugged.overlay.path.exists()


def test_write_permission(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.guests.devices.disk.os.access", lambda *_: False)
    assert "may not be written" in refused(str(raw))
    assert make_disk(raw, readonly=True).readonly
    assert make_disk(raw, snapshot=True).snapshot
