"""`--disk`: images as virtio disks of the guest, in place."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.guests.devices.base import (
    Device,
    Places,
    Plan,
    quoted,
    repeatable,
    split_settings,
    switch,
    unfit,
    virtio_bus,
)
from bench.guests.devices.images import Image, inspect, make_overlay
from bench.guests.devices.locks import locked

OPTION = "--disk"
SETTINGS = ("format", "readonly", "snapshot", "mount")
# Linux names so many disks by one letter: vda to vdz.
MAX_DISKS = 26
_SERIAL_BYTES = 20
# Requests under way at once: each is a coroutine, and in Node a thread. All engines
# have the same number, so that the machine is the same.
_QUEUE = "num-queues=1,queue-size=32"

HELP = (
    "Plug in an image as a disk: FILE and, with commas, format=raw|qcow2, "
    "readonly=on, snapshot=on (what is written is forgotten), mount=TYPE (our guests "
    "mount it at /mnt/vda); repeatable."
)


@dataclass(frozen=True)
class Disk:
    """A disk, and what a boot may do with its image."""

    image: Image
    readonly: bool = False
    snapshot: bool = False
    # The file system that the project's own guests are to mount.
    mount: str = ""
    # Whether that file system is a root, or a layer of one: see userland/root.
    root: bool = False
    # The file that takes the guest's writes while the disk has snapshot=on.
    overlay: Image | None = None
    products = ()

    @contextmanager
    def served(self, products: Mapping[str, Path], scratch: Path) -> Iterator[Device]:
        """The disk with its files locked; a snapshot gets an overlay to write to."""
        writes = not (self.readonly or self.snapshot)
        with ExitStack() as stack:
            for path in self.image.files:
                mine = path == self.image.path
                stack.enter_context(locked(path, writing=writes and mine))
            if self.snapshot:
                place = scratch.resolve() / f"{self._id}.qcow2"
                overlay = make_overlay(self.image, place)
                yield replace(self, overlay=overlay)
            else:
                yield self

    def check(self, plan: Plan) -> None:
        """Check that the machine has a place, and that the plan allows the image."""
        name = self.image.path
        self._bus(plan.machine)
        disks = [d for d in plan.devices if isinstance(d, Disk)]
        if len(disks) > MAX_DISKS:
            raise unfit(OPTION, f"{len(disks)} are too many", f"give {MAX_DISKS}")
        for other in disks:
            if other is not self and self._same_files(other):
                why = f"{name} is plugged in twice"
                raise unfit(OPTION, why, "copy it, or leave one out")
        if plan.repeating and not (self.readonly or self.snapshot):
            raise unfit(
                OPTION,
                f"each boot would find on {name} what the one before it wrote",
                "add snapshot=on or readonly=on",
            )
        if plan.saving and self.snapshot:
            raise unfit(
                OPTION,
                f"what was written to {name} would be gone when the machine is resumed",
                "take readonly=on, or neither",
            )

    def kernel_words(self, devices: tuple[Device, ...]) -> list[str]:
        """The word that tells /init what to mount."""
        if not self.mount:
            return []
        number = [d for d in devices if isinstance(d, Disk)].index(self)
        name = f"vd{chr(ord('a') + number)}"
        if self.root:
            return [f"tierlab.root={name}:{self.mount}"]
        read = ":ro" if self.readonly else ""
        return [f"tierlab.disk={name}:{self.mount}{read}"]

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        """A virtio disk, whose image the harness locks: bench.guests.devices.locks."""
        image = self.overlay or self.image
        for path in image.backing:
            places.live(path, f"/disks/{path.name}", writable=False)
        inside = f"/disks/{image.path.name}"
        writable = not self.readonly
        file = places.live(
            image.path, inside, writable=writable, kept=not self.snapshot
        )
        drive = f"if=none,id={self._id},file={quoted(file)},format={image.format}"
        drive += ",file.locking=off" + (",readonly=on" if self.readonly else "")
        # An error is reported to the guest; by default a full host stops the machine.
        device = f"virtio-blk-{self._bus(machine)},drive={self._id}"
        device += f",{_QUEUE},serial={self._serial},werror=report,rerror=report"
        return ["-drive", drive, "-device", device]

    def as_json(self) -> dict[str, Any]:
        """The image's name without its folder, which a result does not tell."""
        return {
            "kind": "disk",
            "file": self.image.path.name,
            "format": self.image.format,
            "bytes": self.image.size,
            "readonly": self.readonly,
            "snapshot": self.snapshot,
        }

    @property
    def _id(self) -> str:
        """QEMU's name for the disk: there is one disk of each file."""
        return "disk-" + hashlib.sha256(str(self.image.path).encode()).hexdigest()[:12]

    @property
    def _serial(self) -> str:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", self.image.path.stem)
        return name[:_SERIAL_BYTES]

    def _bus(self, machine: str) -> str:
        return virtio_bus(machine, "a disk", OPTION)

    def _same_files(self, other: Disk) -> bool:
        """Whether one disk writes a file that the other uses, or both are one image."""
        for mine, theirs in ((self, other), (other, self)):
            writes = not (mine.readonly or mine.snapshot)
            files = theirs.image.files if writes else [theirs.image.path]
            if any(mine.image.path.samefile(file) for file in files):
                return True
        return False


def make_disk(
    path: Path,
    form: str | None = None,
    *,
    readonly: bool = False,
    snapshot: bool = False,
    mount: str = "",
    option: str = OPTION,
) -> Disk:
    """The disk of an image file, or a usage error."""
    if readonly and snapshot:
        why = "readonly=on and snapshot=on exclude each other"
        raise unfit(option, why, "leave out one of them")
    image = inspect(option, path, form)
    if not (readonly or snapshot) and not os.access(image.path, os.W_OK):
        why = f"{image.path} may not be written"
        raise unfit(option, why, "add readonly=on or snapshot=on")
    return Disk(image, readonly, snapshot, mount)


def parse_disk(text: str) -> Disk:
    """FILE[,format=raw|qcow2][,readonly=on][,snapshot=on][,mount=TYPE]."""
    path, settings = split_settings(text, OPTION, SETTINGS)
    mount = settings.get("mount", "")
    if "mount" in settings and not re.fullmatch(r"[a-z0-9]+", mount):
        raise unfit(OPTION, f"mount={mount} is no file system", "give one as ext4")
    return make_disk(
        path,
        settings.get("format"),
        readonly=switch(OPTION, settings, "readonly"),
        snapshot=switch(OPTION, settings, "snapshot"),
        mount=mount,
    )


KIND = repeatable(OPTION, "FILE", HELP, parse_disk)
