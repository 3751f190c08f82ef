"""`--share`: folders of the host in the guest, by virtio's 9p.

QEMU's 9p server never follows a link, and opens one component of a name at a time.
So a guest cannot get out of the folder (docs/disks.md).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.guests.devices.base import (
    Places,
    Plan,
    host_path,
    quoted,
    repeatable,
    split_settings,
    switch,
    unfit,
    virtio_bus,
)

OPTION = "--share"
SETTINGS = ("tag", "readonly")
DEFAULT_TAG = "share"
# Files belong to the user who runs QEMU; the guest sets their modes.
SECURITY = "none"

# Linux's 9p takes tags of 31 bytes; our guests name a folder by the tag.
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}")

HELP = (
    "Show a folder to the guest: FOLDER and, with commas, tag=NAME (our guests mount "
    f"it at /mnt/NAME; default {DEFAULT_TAG}), readonly=on; repeatable."
)


@dataclass(frozen=True)
class Share:
    """A folder of the host, and the tag by which the guest knows it."""

    path: Path
    tag: str = DEFAULT_TAG
    readonly: bool = False

    def check(self, plan: Plan) -> None:
        """Check that machine and plan allow the share, and that its tag is unique."""
        self._bus(plan.machine)
        shares = [d for d in plan.devices if isinstance(d, Share)]
        if sum(share.tag == self.tag for share in shares) > 1:
            why = f"two folders have the tag '{self.tag}'"
            raise unfit(OPTION, why, "give one another tag=NAME")
        if plan.repeating and not self.readonly:
            raise unfit(
                OPTION,
                f"each boot would find in {self.path} what the one before it wrote",
                "add readonly=on",
            )
        if plan.saving:
            why = "a machine with a shared folder cannot be saved"
            raise unfit(OPTION, why, "leave out --share, or copy files to a --disk")

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        """QEMU's server, and the guest's device that speaks to it."""
        name = f"share-{self.tag}"
        inside = f"/shares/{self.tag}"
        path = places.live(self.path, inside, writable=not self.readonly)
        server = f"local,id={name},path={quoted(path)},security_model={SECURITY}"
        server += ",readonly=on" if self.readonly else ""
        device = f"virtio-9p-{self._bus(machine)},fsdev={name},mount_tag={self.tag}"
        return ["-fsdev", server, "-device", device]

    def as_json(self) -> dict[str, Any]:
        """What the guest sees; a result does not tell where the folder lies."""
        return {"kind": "share", "tag": self.tag, "readonly": self.readonly}

    def _bus(self, machine: str) -> str:
        return virtio_bus(machine, "a shared folder", OPTION)


def parse_share(text: str, *, copied: bool = False) -> Share:
    """Read FOLDER[,tag=NAME][,readonly=on]; a folder that is `copied` is only read."""
    given, settings = split_settings(text, OPTION, SETTINGS)
    path = host_path(OPTION, given)
    readonly = switch(OPTION, settings, "readonly")
    tag = settings.get("tag", DEFAULT_TAG)
    if not _TAG.fullmatch(tag):
        why = f"tag={tag} will not do"
        raise unfit(OPTION, why, "give up to 31 letters, digits and any of . _ -")
    if not path.is_dir():
        raise unfit(OPTION, f"{path} is no folder", "give a folder")
    if not os.access(path, os.R_OK | os.X_OK):
        raise unfit(OPTION, f"{path} may not be read", "see its permissions")
    if not (readonly or copied) and not os.access(path, os.W_OK):
        raise unfit(OPTION, f"{path} may not be written", "add readonly=on")
    return Share(path, tag, readonly)


KIND = repeatable(OPTION, "FOLDER", HELP, parse_share)
