"""What can be found out about a disk's image before QEMU opens it for a guest."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.base.errors import TierlabError
from bench.guests.devices.base import host_path, unfit

FORMATS = ("raw", "qcow2")
QEMU_IMG = "qemu-img"
SECTOR = 512
# A chain of more backing files than this is taken for a loop.
MAX_CHAIN = 64

_QCOW2 = b"QFI\xfb"
# Beginnings of files that are no raw disks, although any bytes could be one.
_OTHERS = {
    b"\x1f\x8b": "packed by gzip",
    b"\xfd7zXZ\x00": "packed by xz",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
    b"BZh": "packed by bzip2",
    b"KDMV": "a VMDK image",
    b"vhdxfile": "a VHDX image",
    b"conectix": "a VHD image",
    b"<<< ": "a VDI image",
    b"PK\x03\x04": "a ZIP archive",
}


@dataclass(frozen=True)
class Image:
    """A file that holds the contents of a disk."""

    path: Path
    format: str
    # Size of the disk, not of the file.
    size: int
    # The backing files: this image has only differences to them.
    backing: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that a guest reads."""
        return (self.path, *self.backing)


def inspect(option: str, path: Path, wanted: str | None) -> Image:
    """The image in a file, or a usage error.

    Without `wanted`, the name *and* the contents must tell the format. The contents
    alone do not decide: a guest may write another format's header to a raw disk, and
    name any file of the host as the backing file in that header.
    """
    path = host_path(option, path)
    head = _head(option, path)
    form = _format(option, path, head, wanted)
    if form == "raw":
        size = path.stat().st_size
        if not size or size % SECTOR:
            why = f"{path} is no disk image: {size} bytes are not whole sectors"
            raise unfit(option, why, f"give a file of n times {SECTOR} bytes")
        return Image(path, form, size)
    if not head.startswith(_QCOW2):
        raise unfit(option, f"{path} is no qcow2 image", "correct format=")
    said = _info(option, path, form)
    return Image(path, form, int(said["virtual-size"]), _chain(option, path, said))


def make_overlay(base: Image, path: Path) -> Image:
    """A new image at `path` that takes writes, while `base` stays as it is."""
    _qemu_img(
        f"cannot make {path}",
        ["create", "-q", "-f", "qcow2", "-u", "-b", str(base.path), "-F", base.format]
        + [str(path), str(base.size)],
    )
    return Image(path, "qcow2", base.size, base.files)


def _head(option: str, path: Path) -> bytes:
    if not path.is_file():
        raise unfit(option, f"{path} is no file", "give an image file")
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        why = f"cannot read {path}: {error.strerror}"
        raise unfit(option, why, "see its permissions") from error


def _format(option: str, path: Path, head: bytes, wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in FORMATS:
            raise unfit(option, f"format={wanted} is unknown", "give raw or qcow2")
        return wanted
    named = path.suffix == ".qcow2"
    if named != head.startswith(_QCOW2):
        why = f"{path} has the {'name' if named else 'contents'} of a qcow2 image only"
        raise unfit(option, why, "say what it is: format=raw or format=qcow2")
    for magic, other in _OTHERS.items():
        if head.startswith(magic):
            next_step = "unpack or convert it (qemu-img convert), or give format=raw"
            raise unfit(option, f"{path} is {other}, no raw disk", next_step)
    return "qcow2" if named else "raw"


def _chain(option: str, path: Path, said: dict[str, Any]) -> tuple[Path, ...]:
    """The backing files. Each is checked, because their names come from the image."""
    found: list[Path] = []
    while True:
        _refuse_strange(option, path, said)
        name = said.get("full-backing-filename")
        if name is None:
            return tuple(found)
        if not str(name).startswith("/"):
            raise unfit(option, f"the backing file of {path} is {name}", "flatten it")
        form = said.get("backing-filename-format")
        if form not in FORMATS:
            why = f"{path} does not say the format of its backing file {name}"
            raise unfit(option, why, "say it: qemu-img rebase -u -F raw or -F qcow2")
        path = host_path(option, Path(name))
        if str(path) != str(name):
            why = f"the backing file {name} is reached by links"
            raise unfit(option, why, f"name it {path}: qemu-img rebase -u -b")
        _head(option, path)
        found.append(path)
        if len(found) > MAX_CHAIN:
            raise unfit(option, f"{path} is part of a loop of images", "flatten it")
        said = _info(option, path, form) if form == "qcow2" else {}


def _refuse_strange(option: str, path: Path, said: dict[str, Any]) -> None:
    data = (said.get("format-specific") or {}).get("data") or {}
    if data.get("data-file"):
        raise unfit(option, f"{path} has an external data file", "convert it")
    if said.get("encrypted"):
        raise unfit(option, f"{path} is encrypted", "convert it")
    if data.get("corrupt"):
        raise unfit(option, f"{path} is marked corrupt", "run qemu-img check -r all")


def _info(option: str, path: Path, form: str) -> dict[str, Any]:
    argv = ["info", "--output=json", "-U", "-f", form, str(path)]
    try:
        said: dict[str, Any] = json.loads(_qemu_img(f"cannot look at {path}", argv))
    except TierlabError as error:
        raise unfit(option, f"{path}: {error.why}", "give another image") from error
    return said


def _qemu_img(what: str, argv: Sequence[str]) -> str:
    if shutil.which(QEMU_IMG) is None:
        next_step = "run through ./tierlab, or install Debian's qemu-utils"
        raise TierlabError(what, f"{QEMU_IMG} is not in PATH", next_step)
    done = subprocess.run(
        [QEMU_IMG, *argv], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        why = done.stderr.strip().removeprefix(f"{QEMU_IMG}: ")
        raise TierlabError(what, why or f"status {done.returncode}", "see the image")
    return done.stdout
