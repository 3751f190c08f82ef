"""Names that a user may give: guests and workloads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.base.errors import USAGE, TierlabError, unknown
from bench.guests import catalogue, description
from bench.guests.guest import Guest
from bench.guests.sources import TINY

WORKLOADS = tuple(w.name for w in catalogue.WORKLOADS)
# Workloads that a comparison can run: nobody types at the console.
UNATTENDED = tuple(w.name for w in catalogue.WORKLOADS if not w.interactive)
SHELL = "shell"
# This workload reads another one from the console: for machines that are saved.
WAIT = "wait"

# A guest of each architecture and machine, for tests: Debian's kernels, which need no
# build, and one whose kernel is made here.
EVERY_MACHINE = (
    "riscv64-tiny",
    "aarch64-debian",
    "aarch64-raspi3ap",
    "x86_64-debian",
    "x86_64-debian-microvm",
)

_VARIABLE = "TIERLAB_PRODUCT_GUEST_"


@dataclass(frozen=True)
class GuestEntry:
    """A guest that a user may name, built or not."""

    name: str
    title: str
    arch: str
    # A user's own guest, which a file describes.
    guest: Guest | None = None
    # A guest of the project, as the catalogue declares it.
    spec: catalogue.GuestSpec | None = None

    @property
    def machine(self) -> str:
        """QEMU's machine, as far as it is known before the guest is built."""
        known = self.guest or self.spec
        return known.machine if known else ""

    @property
    def has_overlays(self) -> bool:
        """Whether the kernel has overlayfs, as far as it is known; see tiny.config."""
        made_here = {tiny.name for tiny in TINY}
        return not (self.spec and (self.spec.kernel or self.name) in made_here)

    @property
    def product(self) -> str:
        """The product that holds the guest."""
        return f"guest-{self.name}"


def check_workload(text: str, valid: Sequence[str] = WORKLOADS, where: str = "") -> str:
    """The canonical spec of a workload with its parameters, or a usage error."""
    name = text.partition(":")[0]
    if name not in valid:
        raise unknown("workload", name, valid, where)
    try:
        return catalogue.workload_spec(text)
    except catalogue.GuestError as error:
        prefix = f"{where}: " if where else ""
        raise TierlabError(f"{prefix}{error}", status=USAGE) from error


def is_description(text: str) -> bool:
    """Whether the text names the file of a user's own guest."""
    return text.endswith(description.SUFFIX)


def described(text: str, where: str = "", kernel: Path | None = None) -> GuestEntry:
    """A user's own guest from its file, or a usage error."""
    prefix = f"{where}: " if where else ""
    try:
        guest = description.describe(Path(text), kernel)
    except catalogue.GuestError as error:
        raise TierlabError(f"{prefix}{error}", status=USAGE) from error
    return GuestEntry(guest.name, guest.title, guest.arch, guest)


def known_guests(environ: Mapping[str, str] | None = None) -> dict[str, GuestEntry]:
    """The catalogue's guests, then a developer's own (bench.harness.products)."""
    known = {
        g.name: GuestEntry(g.name, g.title, g.arch, spec=g) for g in catalogue.GUESTS
    }
    for variable in sorted(os.environ if environ is None else environ):
        if variable.startswith(_VARIABLE):
            name = variable.removeprefix(_VARIABLE).lower().replace("_", "-")
            title = "a developer's own, from the environment"
            arch = name.partition("-")[0]
            known.setdefault(name, GuestEntry(name, title, arch))
    return known


def find_guest(name: str, where: str = "") -> GuestEntry:
    """The guest of that name, or a usage error that lists them."""
    known = known_guests()
    if name not in known:
        raise unknown("guest", name, known, where)
    return known[name]


def find_any_guest(
    text: str, where: str = "", kernel: Path | None = None
) -> GuestEntry:
    """A guest by its name, or a user's own by the file that describes it.

    `kernel` replaces the kernel of a described guest; for the project's guests see
    other_kernel().
    """
    if is_description(text):
        return described(text, where, kernel)
    known = known_guests()
    if text not in known:
        names = [*known, "or a file NAME.toml that describes one"]
        raise unknown("guest", text, names, where)
    return known[text]


def other_kernel(entry: GuestEntry, guest: Guest, kernel: Path | None) -> Guest:
    """A guest of the project with a user's kernel, if one is given."""
    if kernel is None or entry.guest is not None:
        return guest
    try:
        return description.with_kernel(guest, kernel, "--kernel")
    except catalogue.GuestError as error:
        raise TierlabError(str(error), status=USAGE) from error
