"""Disks of images and folders in the cache, keyed by their contents.

    images/KEY/KEY.img      the disk
    images/KEY/facts.json   what is needed of the root to run a command in it
    images/initrds/KEY      initramfs with a command, see root.py

A disk is whole or absent: it is made in a folder beside its place, under a lock, and
renamed. What a killed process left there is removed before the next attempt.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.base.errors import TierlabError, disk_full, from_os_error
from bench.base.lock import locked
from bench.base.progress import Progress
from bench.guests.disk import ext4, tree
from bench.guests.disk.limits import MAX_TEXT
from bench.guests.disk.refusal import BadRoot
from bench.guests.disk.tree import Inode, Tree
from bench.guests.images import layers, manifest
from bench.guests.images.command import Accounts
from bench.guests.images.elf import architecture
from bench.guests.images.files import opened
from bench.guests.images.folder import Folder

# Raise this number when disks that older code made must not be used any more.
FORMAT = 1
IMAGE, ROOT = "--image", "--root"
_FACTS = "facts.json"
_KEY = 20
# Bytes of a program that tell its architecture.
_HEAD = 64
_PROGRAMS = ("bin/sh", "bin/busybox", "usr/bin/env", "sbin/init")
_PASSWD, _GROUP = "etc/passwd", "etc/group"

Tick = Callable[[str], None]
Contents = Callable[[Tree, Tick], ext4.Contents]


@dataclass(frozen=True)
class Made:
    """A disk that holds a root, and what was found in the root."""

    disk: Path
    accounts: Accounts
    # Our name of the architecture that the root's programs are for; "" if unknown.
    arch: str
    # What was left out, in words.
    notes: tuple[str, ...]
    # Of the image's config, or of the folder's contents: sha256:HEX.
    digest: str


@dataclass(frozen=True)
class Image:
    """An image of a file, of one architecture, with its disk."""

    made: Made
    # The `config` of the image's config: entrypoint, environment, user, ...
    config: Mapping[str, Any]
    arch: str


def image(
    path: Path, arches: list[str], name: str, cache: Path, progress: Progress
) -> Image:
    """The image for the first of these architectures, with its disk."""
    with _refusing(IMAGE, path, cache), opened(path, cache / "images") as files:
        platforms = [manifest.PLATFORMS[arch] for arch in arches]
        found = manifest.find(files, platforms, name)
        config = found.config.get("config") or {}
        if not isinstance(config, dict):
            raise BadRoot("its config is no JSON object", "save the image again")

        def read(tick: Tick) -> Tree:
            return layers.merged(files, found.layers, tick)

        def contents(root: Tree, tick: Tick) -> ext4.Contents:
            return layers.contents(files, found.layers, root, tick)

        made = _made(IMAGE, found.digest, path.name, read, contents, cache, progress)
        arch = next(a for a in arches if manifest.PLATFORMS[a] == found.platform)
        return Image(made, config, arch)


def folder(path: Path, cache: Path, progress: Progress) -> Made:
    """The root in a folder, with its disk."""
    with _refusing(ROOT, path, cache):
        found = Folder(path)

        def read(tick: Tick) -> Tree:
            return found.tree

        def contents(root: Tree, tick: Tick) -> ext4.Contents:
            tick("writing the disk")
            return found.contents()

        with progress.step(f"reading {path}", 0) as shown:
            digest = found.digest(shown.tick)
        return _made(ROOT, digest, path.name, read, contents, cache, progress)


@contextmanager
def _refusing(option: str, path: Path, cache: Path) -> Iterator[None]:
    try:
        yield
    except BadRoot as error:
        raise error.as_error(option, path) from error
    except OSError as error:
        raise from_os_error(error, f"{option} {path}", cache) from error


def _key(option: str, digest: str) -> str:
    text = f"{FORMAT} {option} {digest}"
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY]


def _made(
    option: str,
    digest: str,
    title: str,
    read: Callable[[Tick], Tree],
    contents: Contents,
    cache: Path,
    progress: Progress,
) -> Made:
    """The disk of these contents; made if it is not there."""
    key = _key(option, digest)
    place = cache / "images" / key
    if not (place / _FACTS).is_file():
        with progress.step(f"the disk of {title}", 0) as shown:

            def waiting() -> None:
                shown.tick("another tierlab is making it")

            with locked(cache, f"image-{key}", waiting):
                if not (place / _FACTS).is_file():
                    _make(place, read, contents, shown.tick)
    return _load(place, digest)


def _make(
    place: Path, read: Callable[[Tick], Tree], contents: Contents, tick: Tick
) -> None:
    part = place.with_name(f".{place.name}.part")
    for leftover in (part, place):
        shutil.rmtree(leftover, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        root = read(tick)
        _check_room(root, part)
        kept = _Kept(root)
        ext4.make(root, kept.watch(contents(root, tick)), part / f"{place.name}.img")
        facts = {
            "passwd": kept.text(_PASSWD),
            "group": kept.text(_GROUP),
            "arch": kept.arch(),
            "notes": root.notes(),
        }
        (part / _FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _load(place: Path, digest: str) -> Made:
    try:
        facts = json.loads((place / _FACTS).read_text(encoding="utf-8"))
        accounts = Accounts(str(facts["passwd"]), str(facts["group"]))
        disk = place / f"{place.name}.img"
        disk.stat()
        notes = tuple(map(str, facts["notes"]))
        return Made(disk, accounts, str(facts["arch"]), notes, digest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TierlabError(
            f"the disk in {place} is damaged",
            str(error),
            "remove that directory and run again",
        ) from error


def _check_room(root: Tree, place: Path) -> None:
    size = sum(i.size for i in {id(i): i for _, i in root.walk()}.values())
    if size > shutil.disk_usage(place).free:
        raise disk_full("making the disk", place.parent)


class _Kept:
    """Keeps what of a root's files the host needs to know."""

    def __init__(self, root: Tree) -> None:
        self._root = root
        self._wanted: dict[int, int] = {}
        self._data: dict[int, bytes] = {}
        for path in (_PASSWD, _GROUP):
            self._want(path, MAX_TEXT)
        for path in _PROGRAMS:
            self._want(path, _HEAD)

    def _want(self, path: str, size: int) -> None:
        inode = self._root.find(path.split("/"))
        if inode is not None and inode.kind == tree.FILE:
            self._wanted[id(inode)] = size

    def watch(self, contents: ext4.Contents) -> Iterator[tuple[Inode, Iterator[bytes]]]:
        """Pass contents on, and keep some."""
        for inode, pieces in contents:
            size = self._wanted.get(id(inode))
            yield inode, pieces if size is None else self._keep(inode, pieces, size)

    def _keep(
        self, inode: Inode, pieces: Iterator[bytes], size: int
    ) -> Iterator[bytes]:
        kept = b""
        for piece in pieces:
            kept += piece[: size - len(kept)]
            yield piece
        self._data[id(inode)] = kept

    def _of(self, path: str) -> bytes:
        return self._data.get(id(self._root.find(path.split("/"))), b"")

    def text(self, path: str) -> str:
        """The contents of a file; empty if there is none."""
        return self._of(path).decode("utf-8", "replace")

    def arch(self) -> str:
        """The architecture of the root's first program."""
        found = (architecture(self._of(path)) for path in _PROGRAMS)
        return next(filter(None, found), "")


def initrd(parts: list[bytes], cache: Path) -> Path:
    """A file of these parts, one after the other; the latest of them are kept."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    place = cache / "images" / "initrds"
    path = place / state.hexdigest()[:_KEY]
    try:
        place.mkdir(parents=True, exist_ok=True)
        with locked(cache, "image-initrds"):
            if path.is_file():
                os.utime(path)
            else:
                part_path = place / f".{path.name}.part"
                part_path.write_bytes(b"".join(parts))
                part_path.rename(path)
            old = sorted(place.iterdir(), key=lambda p: p.stat().st_mtime)
            for other in old[:-_INITRDS]:
                other.unlink()
    except OSError as error:
        raise from_os_error(error, "making the initramfs", cache) from error
    return path


_INITRDS = 32
