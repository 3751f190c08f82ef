"""The root that a user gave with --image or --root, for the guests of a command.

The disk is made once for each architecture, and kept in the cache.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.base.consoles import err_console
from bench.base.errors import USAGE, TierlabError
from bench.base.places import default_cache
from bench.base.progress import Progress
from bench.guests.catalogue import IMAGES, roots_of
from bench.guests.devices.base import split_settings, virtio_bus
from bench.guests.disk.refusal import BadRoot
from bench.guests.guest import Guest
from bench.guests.images import store
from bench.guests.images.command import Command, command
from bench.guests.images.refusal import ForeignRoot, OtherArchitecture
from bench.guests.images.root import Given, with_root
from bench.guests.images.store import Made
from bench.guests.names import GuestEntry
from bench.harness.products import install

# The guest of each architecture that boots a root if the user names none.
DEFAULT_GUESTS = {
    "riscv64": "riscv64-debian",
    "aarch64": "aarch64-debian",
    "x86_64": "x86_64-debian",
    "i386": "i386-debian",
}
# What may follow an image's file, behind commas.
IMAGE_SETTINGS = ("name",)
# The group of packages.txt with what mke2fs needs.
PACKAGES = "disks"


@dataclass(frozen=True)
class _Prepared:
    made: Made
    command: Command


@dataclass
class ChosenRoot:
    """An image or a folder, and what is to run in it."""

    option: str
    path: Path
    # Which of an image file's images.
    name: str = ""
    words: tuple[str, ...] = ()
    interactive: bool = False
    _prepared: dict[str, _Prepared] = field(default_factory=dict)

    @property
    def given(self) -> str:
        """The option's value, for a command line."""
        return f"{self.path},name={self.name}" if self.name else str(self.path)

    @property
    def file(self) -> str:
        """What results call the file or the folder, without the folders above it."""
        return self.path.resolve().name + (f",name={self.name}" if self.name else "")

    @property
    def label(self) -> str:
        """What the names of guests with this root end in."""
        stem = self.name or re.sub(
            r"\.(tar|oci|tgz|gz|zst|tar\..*)$", "", self.path.resolve().name
        )
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")
        return plain[:40] or "root"

    def named(self, guest: str) -> str:
        """The name of a guest with this root."""
        return f"{guest}+{self.label}"

    def prepare(self, arches: Sequence[str]) -> str:
        """Make the disk for the first of these architectures that there is a root for.

        Gives that architecture.
        """
        for arch in arches:
            if arch in self._prepared:
                return arch
        install([PACKAGES], err_console())
        progress = Progress(err_console(), 1)
        config: Mapping[str, Any] = {}
        cache = default_cache()
        if self.option == store.IMAGE:
            image = store.image(self.path, list(arches), self.name, cache, progress)
            made, config, arch = image.made, image.config, image.arch
        else:
            made = store.folder(self.path, cache, progress)
            arch = made.arch or arches[0]
            if arch not in arches:
                why = f"its programs are for {arch}, and not {', '.join(arches)}"
                next_step = "name a guest of that architecture"
                raise OtherArchitecture(why, next_step).as_error(self.option, self.path)
        for note in made.notes:
            progress.say(f"{self.path}: {note}")
        try:
            found = command(
                config, made.accounts, self.words, interactive=self.interactive
            )
        except BadRoot as error:
            raise error.as_error(self.option, self.path) from error
        self._prepared[arch] = _Prepared(made, found)
        return arch

    def check(self, entry: GuestEntry, workloads: Iterable[str]) -> None:
        """Refuse a guest that cannot have a root, before anything is built."""
        if entry.guest is not None:
            why = f"guest '{entry.name}' has no /init of ours"
            raise self._refusal(why, "name one that `tierlab guests` lists")
        if entry.machine:
            virtio_bus(entry.machine, "the disk of a root", self.option)
        if not entry.has_overlays:
            why = f"the kernel of guest '{entry.name}' has no overlayfs"
            raise self._refusal(why, f"name {DEFAULT_GUESTS[arch_of(entry)]}")
        for workload in workloads:
            if roots_of(workload):
                why = f"workload '{workload}' brings a root of its own"
                raise self._refusal(why, "leave out one of them")

    def fitting(self, entries: Sequence[GuestEntry]) -> list[GuestEntry]:
        """Those of the guests that the root is for; an error if there is none."""
        refusal: TierlabError | None = None
        fits = []
        for entry in entries:
            self.check(entry, ())
        for arch in dict.fromkeys(map(arch_of, entries)):
            same = [entry for entry in entries if arch_of(entry) == arch]
            try:
                self.prepare([arch])
            except ForeignRoot as error:
                refusal = error
                continue
            fits += same
        if refusal is not None and not fits:
            raise refusal
        return fits

    def on(self, entry: GuestEntry, guest: Guest) -> Guest:
        """The guest with this root."""
        prepared = self._prepared[self.prepare([arch_of(entry)])]
        cache = default_cache()
        given = Given(self.option, self.file, self.label)
        return with_root(guest, given, prepared.made, prepared.command, cache)

    def _refusal(self, why: str, next_step: str) -> TierlabError:
        what = f"{self.option} {self.path}"
        return TierlabError(what, why, next_step, status=USAGE)


def arch_of(entry: GuestEntry) -> str:
    """The architecture of a guest's programs."""
    return entry.spec.userland if entry.spec else entry.arch


def default_guest(given: ChosenRoot) -> str:
    """The guest for a root if the user names none."""
    return DEFAULT_GUESTS[given.prepare(list(DEFAULT_GUESTS))]


def given_root(
    image: str | None,
    folder: Path | None,
    words: tuple[str, ...] | None,
    *,
    interactive: bool = False,
) -> ChosenRoot | None:
    """The root of a command's options; None without any, or a usage error."""
    if image is not None and folder is not None:
        raise TierlabError(
            f"{store.IMAGE} and {store.ROOT} exclude each other",
            next_step="leave out one of them",
            status=USAGE,
        )
    if image is None and folder is None:
        if words is not None:
            raise TierlabError(
                f"a command behind -- needs {store.IMAGE} or {store.ROOT}",
                next_step="add one, or leave the command out",
                status=USAGE,
            )
        return None
    if words == ():
        raise TierlabError(
            "there is no command behind --",
            next_step="give one, or leave -- out",
            status=USAGE,
        )
    if folder is not None:
        return ChosenRoot(store.ROOT, folder, "", words or (), interactive)
    path, settings = split_settings(image or "", store.IMAGE, IMAGE_SETTINGS)
    name = settings.get("name", "")
    return ChosenRoot(store.IMAGE, path, name, words or (), interactive)


def check_workloads(given: ChosenRoot | None, workloads: Iterable[str]) -> None:
    """Refuse to run an image's command without an image."""
    for workload in workloads:
        if given is None and workload.partition(":")[0] in IMAGES:
            raise TierlabError(
                f"workload '{workload}' runs the command of an image",
                next_step=f"add {store.IMAGE} FILE or {store.ROOT} FOLDER",
                status=USAGE,
            )
