"""Members of tar archives to a tree, and the contents of the tree's files.

An archive is read twice: once for its names, once for the contents of its files that
are in the tree. Memory is taken for names alone.
"""

from __future__ import annotations

import math
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from bench.guests.disk import tree
from bench.guests.disk.members import Member
from bench.guests.disk.refusal import BadRoot, shown
from bench.guests.disk.tree import KEPT, MAX_TIME, Inode, Tree

_XATTR = "SCHILY.xattr."

# Opens an archive of a tree by its number.
Opened = Callable[[int], AbstractContextManager[Iterator[Member]]]


def add(root: Tree, info: tarfile.TarInfo, layer: int, member: int) -> None:
    """Add a member of an archive: the one of this number, of the archive `layer`."""
    path = tree.components(info.name)
    if info.islnk():
        root.link(path, tree.components(info.linkname), layer)
        return
    inode = Inode(
        "",
        info.mode & 0o7777,
        info.uid,
        info.gid,
        _seconds(info.mtime),
        xattrs=_xattrs(info),
    )
    if info.isdir():
        inode.kind = tree.FOLDER
    elif info.issym():
        inode.kind, inode.target, inode.mode = tree.LINK, info.linkname, 0o777
    elif info.isreg():
        root.budget.check(info.size)
        inode.kind, inode.size = tree.FILE, info.size
        inode.layer, inode.member = layer, member
    elif info.isfifo():
        inode.kind = tree.FIFO
    elif info.ischr() or info.isblk():
        root.leave_out("device nodes")
        return
    else:
        what = f"{shown(info.name)} is of an unknown kind ({info.type!r})"
        raise BadRoot(what, "save the image again")
    root.add(path, inode, layer)


def contents(root: Tree, opened: Opened) -> Iterator[tuple[Inode, Iterator[bytes]]]:
    """The contents of the tree's files, in the order of archives and members.

    Files whose contents are in the tree come first.
    """
    own: dict[int, Inode] = {}
    wanted: dict[int, dict[int, Inode]] = {}
    for _, inode in root.walk():
        if inode.data is not None:
            own[id(inode)] = inode
        elif inode.kind == tree.FILE:
            wanted.setdefault(inode.layer, {})[inode.member] = inode
    for inode in own.values():
        yield inode, iter((inode.data or b"",))
    for layer in sorted(wanted):
        chosen = wanted[layer]
        with opened(layer) as found:
            for count, member in enumerate(found):
                if count in chosen:
                    yield chosen[count], member.contents()


def _seconds(time: float) -> int:
    """A time that ext4 can hold, in seconds since 1970."""
    return int(min(max(time, 0), MAX_TIME)) if math.isfinite(time) else 0


def _xattrs(info: tarfile.TarInfo) -> dict[str, bytes]:
    return {
        key.removeprefix(_XATTR): value.encode("utf-8", "surrogateescape")
        for key, value in info.pax_headers.items()
        if key.startswith(_XATTR) and key.removeprefix(_XATTR).startswith(KEPT)
    }
