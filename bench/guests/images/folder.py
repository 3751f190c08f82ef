"""A folder of the host as a root: the same tree, and the contents of its files.

No link is followed: folders are opened one in the other. What is mounted in the folder
is left out, so that /proc of a live system does not get into it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.guests.disk import tree
from bench.guests.disk.limits import Budget
from bench.guests.disk.refusal import BadRoot, shown
from bench.guests.disk.tree import KEPT, MAX_TIME, Inode, Tree

_PIECE = 1 << 18
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Folder:
    """A root in a folder, read twice: for its names, and for its contents."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tree = Tree(Budget())
        # Member -> inode on the host, size and time of the last change.
        self._stamps: dict[int, tuple[int, int, int]] = {}
        try:
            top = os.stat(path)
            if not stat.S_ISDIR(top.st_mode):
                raise BadRoot("it is no folder", "give a folder, or --image FILE")
            self._device = top.st_dev
            self._read()
        except OSError as error:
            raise _unreadable(error) from error

    def digest(self, tick: Callable[[str], None]) -> str:
        """The digest of names, attributes and contents: sha256:HEX."""
        state = hashlib.sha256()
        tick("reading the folder")
        for path, inode in [("", self.tree.root), *self.tree.walk()]:
            owner = (inode.mode, inode.uid, inode.gid, inode.mtime)
            data = (inode.size, inode.target, sorted(inode.xattrs.items()))
            state.update(ascii((path, inode.kind, owner, data, inode.member)).encode())
        for inode, pieces in self.contents():
            state.update(f"{inode.member}:".encode())
            for piece in pieces:
                state.update(piece)
        return f"sha256:{state.hexdigest()}"

    def contents(self) -> Iterator[tuple[Inode, Iterator[bytes]]]:
        """The contents of all files."""
        wanted: dict[int, Inode] = {}
        for _, inode in self.tree.walk():
            if inode.kind == tree.FILE:
                wanted.setdefault(inode.member, inode)
        done: set[int] = set()
        try:
            for path, names, fd in self._folders():
                above = self.tree.find(path, follow_last=False)
                for name in names:
                    found = above and above.names.get(name)
                    if not found or found.inode.kind != tree.FILE:
                        continue
                    if found.inode.member in done:
                        continue
                    done.add(found.inode.member)
                    yield found.inode, self._pieces(found.inode, name, fd)
        except OSError as error:
            raise _unreadable(error) from error
        if len(done) != len(wanted):
            raise _changed("a file")

    def _pieces(self, inode: Inode, name: str, folder: int) -> Iterator[bytes]:
        with os.fdopen(os.open(name, _FLAGS, dir_fd=folder), "rb") as file:
            if _stamp(os.fstat(file.fileno())) != self._stamps[inode.member]:
                raise _changed(name)
            left = inode.size
            while left:
                piece = file.read(min(_PIECE, left))
                if not piece:
                    raise _changed(name)
                left -= len(piece)
                yield piece

    def _read(self) -> None:
        """Read names and attributes into the tree."""
        known: dict[tuple[int, int], Inode] = {}
        top = os.stat(self._path)
        self.tree.add([], _inode(top, tree.FOLDER, ""), 0)
        for path, names, fd in self._folders():
            for name in names:
                facts = os.stat(name, dir_fd=fd, follow_symlinks=False)
                self._add([*path, name], facts, fd, known)

    def _add(
        self,
        path: list[str],
        facts: os.stat_result,
        fd: int,
        known: dict[tuple[int, int], Inode],
    ) -> None:
        kind = _kind(facts.st_mode)
        tree.components("/".join(path))
        if kind is None:
            is_device = stat.S_ISBLK(facts.st_mode) or stat.S_ISCHR(facts.st_mode)
            self.tree.leave_out("device nodes" if is_device else "sockets")
            return
        key = (facts.st_dev, facts.st_ino)
        inode = known.get(key) if kind != tree.FOLDER else None
        if inode is None:
            target = ""
            if kind == tree.LINK:
                target = os.readlink(path[-1], dir_fd=fd)
            inode = _inode(facts, kind, target)
            inode.xattrs = _xattrs(path[-1], fd)
            inode.member = len(known)
            if kind == tree.FILE:
                self.tree.budget.take(inode.size)
                self._stamps[inode.member] = _stamp(facts)
            known[key] = inode
        if facts.st_dev != self._device:
            self.tree.leave_out("mounted file systems")
        self.tree.add(path, inode, 0)

    def _folders(self) -> Iterator[tuple[list[str], list[str], int]]:
        """Each folder: its path, its sorted names, an open descriptor."""
        top = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        stack: list[list[str]] = [[]]
        try:
            while stack:
                path = stack.pop()
                fd = _descend(top, path)
                try:
                    if os.fstat(fd).st_dev != self._device:
                        continue
                    with os.scandir(fd) as found:
                        entries = sorted(found, key=lambda entry: entry.name)
                    yield path, [entry.name for entry in entries], fd
                    below = [
                        [*path, entry.name]
                        for entry in entries
                        if entry.is_dir(follow_symlinks=False)
                    ]
                    stack += reversed(below)
                finally:
                    os.close(fd)
        finally:
            os.close(top)


def _descend(top: int, path: list[str]) -> int:
    fd = os.dup(top)
    for name in path:
        try:
            below = os.open(name, _FLAGS | os.O_DIRECTORY, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def _kind(mode: int) -> str | None:
    kinds = {
        stat.S_IFDIR: tree.FOLDER,
        stat.S_IFREG: tree.FILE,
        stat.S_IFLNK: tree.LINK,
        stat.S_IFIFO: tree.FIFO,
    }
    return kinds.get(stat.S_IFMT(mode))


def _inode(facts: os.stat_result, kind: str, target: str) -> Inode:
    mode = 0o777 if kind == tree.LINK else stat.S_IMODE(facts.st_mode)
    time = min(max(int(facts.st_mtime), 0), MAX_TIME)
    size = facts.st_size if kind == tree.FILE else 0
    return Inode(kind, mode, facts.st_uid, facts.st_gid, time, size=size, target=target)


def _xattrs(name: str, folder: int) -> dict[str, bytes]:
    # There is no call that takes a folder's descriptor.
    path = f"/proc/self/fd/{folder}/{name}"
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return {
            n: os.getxattr(path, n, follow_symlinks=False)
            for n in sorted(names)
            if n.startswith(KEPT)
        }
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENODATA, errno.ENOENT):
            return {}
        raise


def _stamp(facts: os.stat_result) -> tuple[int, int, int]:
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _changed(name: str) -> BadRoot:
    why = f"{shown(name)} changed while it was read"
    return BadRoot(why, "let it alone, and run again")


def _unreadable(error: OSError) -> BadRoot:
    where = f" ({shown(os.fsdecode(error.filename))})" if error.filename else ""
    return BadRoot(f"it cannot be read: {error.strerror}{where}", "see its permissions")
