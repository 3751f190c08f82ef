"""A root file system of Debian packages of a foreign architecture.

apt resolves what the packages need, from an empty system. Their files are taken out of
them, and no code of them is run: no maintainer's script, no program. What a script of
theirs would make, an alternative as /usr/bin/awk or a user's entry, is made here.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.build import Context, SetupError
from bench.guests.packages import Package, foreign_apt
from bench.guests.roots import tree
from bench.guests.roots.ext4 import image_name, make_image
from bench.guests.roots.tree import Tree, TreeError
from bench.guests.sources import Architecture

VERSIONS = "versions.json"

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


def make(ctx: Context, architecture: Architecture, root: DebianRoot, own: Tree) -> None:
    """Make the disk in `ctx.out`, with the entries of `own` above all others."""
    with foreign_apt(ctx, architecture.debian, architecture.suite) as apt:
        packages = apt.closure(root.packages, root.without)
        debs = apt.download_all(packages)
    made = skeleton()
    try:
        for deb in debs:
            add_package(ctx, made, deb, root.needless)
        for path, target in root.links.items():
            made.put(path, tree.link(target))
        for path, entry in own.entries.items():
            made.put(path, entry)
    except TreeError as error:
        raise SetupError(
            f"the packages of {root.name} do not fit together",
            str(error),
            "report this, with the versions of the packages",
        ) from error
    label = f"{root.name}-{architecture.name}"
    make_image(ctx, made, ctx.out / image_name(label), label)
    (ctx.out / VERSIONS).write_text(_versions(packages), encoding="utf-8")


def skeleton() -> Tree:
    """The folders, links and files of every root."""
    made = Tree()
    for name in _FOLDERS:
        made.put(name, tree.directory())
    made.put("tmp", tree.directory(0o1777))
    for name in _MERGED:
        made.put(name, tree.link(f"usr/{name}"))
    made.put("etc/passwd", tree.file(_PASSWD))
    made.put("etc/group", tree.file(_GROUP))
    made.put("etc/hosts", tree.file(_HOSTS))
    return made


def add_package(
    ctx: Context, made: Tree, deb: Path, needless: Iterable[str] = ()
) -> None:
    """Add the files of a package, but for documentation and what is needless.

    Its archive stays in the step's scratch directory until the tree is written.
    """
    archive = ctx.work / f"{deb.stem}.tar"
    packed = ctx.work / f"{deb.stem}.unpacked"
    command = 'dpkg-deb --fsys-tarfile "$1" >"$2"'
    ctx.run(["sh", "-c", command, "sh", str(deb), str(packed)])
    packed.rename(archive)
    patterns = (*_NEEDLESS, *needless)

    def wanted(path: str) -> bool:
        return not any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)

    made.add_archive(archive, wanted)


def _versions(packages: Iterable[Package]) -> str:
    versions = {package.name: package.version for package in packages}
    return json.dumps(versions, indent=2, sort_keys=True) + "\n"
