"""A root file system of Debian packages of a foreign architecture.

apt resolves what the packages need, from an empty system. Their files are taken out of
them, and no code of them is run: no maintainer's script, no program. What a script of
theirs would make, an alternative as /usr/bin/awk or a user's entry, is made here.
"""

from __future__ import annotations

import fnmatch
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.build import Context, SetupError
from bench.guests.disk import archives, ext4, tree
from bench.guests.disk.members import Member, members
from bench.guests.disk.refusal import BadRoot
from bench.guests.disk.tree import Inode, Tree
from bench.guests.packages import Package, foreign_apt
from bench.guests.sources import Architecture

VERSIONS = "versions.json"
# The time of every file and of the file system: 1 January 2025. Guests' clocks begin
# later, so make does not find files of the future.
TIME = 1735689600
_NAMESPACE = uuid.UUID("2f8f2c38-5a1f-4d6e-9d0b-0b1f6f0f8a51")

# Folders that all Debian systems have as links since /usr was merged.
_MERGED = ("bin", "lib", "lib64", "sbin")
_FOLDERS = (
    *("dev", "etc", "proc", "root", "run", "sys", "usr", "usr/bin", "usr/lib"),
    *("usr/lib64", "usr/sbin", "var", "var/lib", "var/tmp"),
)
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
_GROUP = b"root:x:0:\nnogroup:x:65534:\n"
_HOSTS = b"127.0.0.1 localhost tierlab\n"

# Nobody reads these in a guest.
_NEEDLESS = (
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/info/*",
    "usr/share/locale/*",
    "usr/share/i18n/*",
    "usr/share/lintian/*",
    "usr/share/bash-completion/*",
    "usr/share/zoneinfo/*",
    "var/lib/dpkg/*",
    "var/cache/*",
)


@dataclass(frozen=True)
class DebianRoot:
    """A root file system by its packages."""

    name: str
    packages: tuple[str, ...]
    # Packages that others ask for and that these programs do not use.
    without: tuple[str, ...] = ()
    # Patterns of paths that are left out, beside documentation.
    needless: tuple[str, ...] = ()
    # Links that alternatives and scripts of packages would make: path -> target.
    links: Mapping[str, str] = field(default_factory=dict)


def image_name(label: str) -> str:
    """The name of a disk's file in its product."""
    return f"{label}.img"


def make(
    ctx: Context, architecture: Architecture, root: DebianRoot, own: Mapping[str, Inode]
) -> None:
    """Make the disk in `ctx.out`, with the files of `own` above all others.

    SetupError if a package is damaged or does not fit the others.
    """
    with foreign_apt(ctx, architecture.debian, architecture.suite) as apt:
        packages = apt.closure(root.packages, root.without)
        debs = apt.download_all(packages)
    unpacked = [_unpacked(ctx, deb) for deb in debs]
    label = f"{root.name}-{architecture.name}"
    try:
        made = merged(unpacked, root.needless)
        for path, target in root.links.items():
            made.put(path, tree.link(target))
        for path, inode in own.items():
            made.put(path, inode)
        _check_whole(made)
        make_disk(made, unpacked, ctx.out / image_name(label), label)
    except BadRoot as error:
        raise SetupError(
            f"the packages of {root.name} do not fit together",
            error.why,
            "report this, with the versions of the packages",
        ) from error
    (ctx.out / VERSIONS).write_text(_versions(packages), encoding="utf-8")


def skeleton() -> Tree:
    """The folders, links and files of every root."""
    made = Tree(links_stay=True)
    for name in _FOLDERS:
        made.put(name, tree.directory())
    made.put("tmp", tree.directory(0o1777))
    for name in _MERGED:
        made.put(name, tree.link(f"usr/{name}"))
    made.put("etc/passwd", tree.file(_PASSWD))
    made.put("etc/group", tree.file(_GROUP))
    made.put("etc/hosts", tree.file(_HOSTS))
    return made


def merged(unpacked: Sequence[Path], needless: Iterable[str] = ()) -> Tree:
    """The root of packages' archives, without documentation and what is needless.

    BadRoot if an archive is damaged or does not fit the others.
    """
    root = skeleton()
    patterns = (*_NEEDLESS, *needless)
    for number, archive in enumerate(unpacked):
        with _members(archive) as found:
            for count, member in enumerate(found):
                path = "/".join(tree.components(member.info.name))
                if path and not any(fnmatch.fnmatchcase(path, p) for p in patterns):
                    archives.add(root, member.info, number, count)
    return root


def make_disk(root: Tree, unpacked: Sequence[Path], out: Path, label: str) -> None:
    """Write the disk; `label` names the file system and gives it its UUID.

    The root's files have the same time on each disk, whenever a package was built.
    """
    for inode in [root.root, *(inode for _, inode in root.walk())]:
        inode.mtime = TIME
    contents = archives.contents(root, lambda number: _members(unpacked[number]))
    identity = ext4.Identity(str(uuid.uuid5(_NAMESPACE, label)), label, TIME)
    ext4.make(root, contents, out, identity)


def _unpacked(ctx: Context, deb: Path) -> Path:
    """The tar archive of a package's files, in the step's scratch directory."""
    archive = ctx.work / f"{deb.stem}.tar"
    part = ctx.work / f"{deb.stem}.part"
    command = 'dpkg-deb --fsys-tarfile "$1" >"$2"'
    ctx.run(["sh", "-c", command, "sh", str(deb), str(part)])
    part.rename(archive)
    return archive


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    with archive.open("rb") as file:
        yield members(file, archive.name)


def _check_whole(root: Tree) -> None:
    """Refuse a root that lacks files of its packages."""
    if root.left_out:
        raise BadRoot("; ".join(root.notes()))


def _versions(packages: Iterable[Package]) -> str:
    versions = {package.name: package.version for package in packages}
    return json.dumps(versions, indent=2, sort_keys=True) + "\n"
