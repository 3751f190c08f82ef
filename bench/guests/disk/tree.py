"""A root as names and inodes in memory, which archives are added to.

Names and links are resolved here and only here: no file system of the host is involved.
A link in the way of a name is followed as the guest would follow it: an absolute target
begins at the root, and `..` at the root is the root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.guests.disk.limits import Budget
from bench.guests.disk.refusal import BadRoot, shown

# As Linux has them.
_MAX_LINKS = 40
_MAX_PATH = 4095
_MAX_NAME = 255
_MAX_ID = 2**32 - 2
# The year 2446.
MAX_TIME = 2**34 - 2**31 - 1

# The extended attributes that a root keeps, by the beginnings of their names.
KEPT = ("user.", "security.capability")

FOLDER, FILE, LINK, FIFO = "folder", "file", "link", "fifo"


@dataclass(slots=True, eq=False)
class Inode:
    """A file, folder or link, under one name or more."""

    kind: str
    mode: int
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    # Of a file: bytes, and where its contents are.
    size: int = 0
    layer: int = 0
    member: int = 0
    # The contents of a file that is in no archive.
    data: bytes | None = None
    # Of a link.
    target: str = ""
    xattrs: dict[str, bytes] = field(default_factory=dict)
    # Of a folder.
    names: dict[str, Name] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Name:
    """A name in a folder, and the layer that it came with."""

    inode: Inode
    layer: int


def directory(mode: int = 0o755) -> Inode:
    """A folder."""
    return Inode(FOLDER, mode)


def link(target: str) -> Inode:
    """A symbolic link."""
    return Inode(LINK, 0o777, target=target)


def file(data: bytes, mode: int = 0o644) -> Inode:
    """A regular file with these contents."""
    return Inode(FILE, mode, size=len(data), data=data)


def components(name: str) -> list[str]:
    """The components of a member's name; BadRoot if it leaves the root."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        why = f"the path {shown(name)} leaves the root"
        raise BadRoot(why, "an image with such a path is not to be trusted")
    if len(name.encode("utf-8", "surrogateescape")) > _MAX_PATH:
        raise BadRoot(f"the path {shown(name)} is longer than {_MAX_PATH} bytes")
    for part in parts:
        if "\0" in part or len(part.encode("utf-8", "surrogateescape")) > _MAX_NAME:
            raise BadRoot(f"no file can be called {shown(part)}")
    return parts


class Tree:
    """A root; layers count from 0.

    With `links_stay`, a link to a folder stays when a folder comes in its place, as
    dpkg does: Debian's packages may bring /lib, which is a link. Without, the folder
    replaces the link, as in layers of images.
    """

    def __init__(
        self, budget: Budget | None = None, *, links_stay: bool = False
    ) -> None:
        self.root = Inode(FOLDER, 0o755)
        self.budget = budget or Budget()
        self._links_stay = links_stay
        # Kinds of files that were left out -> how many.
        self.left_out: dict[str, int] = {}

    def add(self, path: list[str], inode: Inode, layer: int) -> None:
        """Give an inode a name; a folder that is there already keeps its files."""
        _check(path, inode)
        if not path:
            if inode.kind != FOLDER:
                raise BadRoot("its root is no folder")
            inode.names = self.root.names
            self.root = inode
            return
        folder = self._parent(path, layer)
        before = folder.names.get(path[-1])
        if before is not None and inode.kind == FOLDER:
            if before.inode.kind == FOLDER:
                inode.names = before.inode.names
            elif self._links_stay and before.inode.kind == LINK:
                target = self.find(path)
                if target is not None and target.kind == FOLDER:
                    return
        self.budget.name(path[-1], inode.target, *inode.xattrs.values())
        folder.names[path[-1]] = Name(inode, layer)

    def put(self, path: str, inode: Inode) -> None:
        """Give an inode of ours a name."""
        self.add(components(path), inode, 0)

    def link(self, path: list[str], target: list[str], layer: int) -> None:
        """Give the inode of `target` one more name."""
        inode = self.find(target, follow_last=False)
        what = f"the hard link {shown('/'.join(path))}"
        if inode is None:
            why = f"{what} leads to {shown('/'.join(target))}, which is not there"
            raise BadRoot(why, "save the image again")
        if inode.kind == FOLDER or not path:
            raise BadRoot(f"{what} leads to a folder", "save the image again")
        folder = self._parent(path, layer)
        self.budget.name(path[-1])
        folder.names[path[-1]] = Name(inode, layer)

    def hide(self, path: list[str], layer: int) -> None:
        """Remove a name of the layers below: a whiteout."""
        folder = self.find(path[:-1])
        if folder is None or folder.kind != FOLDER:
            return
        found = folder.names.get(path[-1])
        if found is None:
            return
        stays = _keep_new(found.inode, layer)
        if found.layer < layer and not stays:
            del folder.names[path[-1]]

    def hide_all(self, path: list[str], layer: int) -> None:
        """Remove what the layers below have in a folder: an opaque whiteout."""
        folder = self.find(path)
        if folder is not None and folder.kind == FOLDER:
            _keep_new(folder, layer)

    def find(self, path: list[str], *, follow_last: bool = True) -> Inode | None:
        """The inode of a path; None if there is none."""
        return self._walk(path, None, follow_last)

    def _parent(self, path: list[str], layer: int) -> Inode:
        """The folder that has the last name of a path; made if a layer left it out."""
        found = self._walk(path[:-1], layer, True)
        assert found is not None
        if found.kind != FOLDER:
            why = f"the path {shown('/'.join(path))} leads through a file"
            raise BadRoot(why, "save the image again")
        return found

    def _walk(self, path: list[str], make: int | None, follow: bool) -> Inode | None:
        """Follow a path; `make` is the layer that missing folders are made for."""
        todo = path[::-1]
        above: list[Inode] = []
        here = self.root
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                here = above.pop() if above else self.root
                continue
            if here.kind != FOLDER:
                if make is None:
                    return None
                why = f"the path {shown('/'.join(path))} leads through a file"
                raise BadRoot(why, "save the image again")
            found = here.names.get(part)
            if found is None:
                if make is None:
                    return None
                self.budget.name(part)
                found = Name(Inode(FOLDER, 0o755), make)
                here.names[part] = found
            inode = found.inode
            if inode.kind != LINK or not (todo or follow):
                above.append(here)
                here = inode
                continue
            links += 1
            if links > _MAX_LINKS:
                if make is None:
                    return None
                why = f"the path {shown('/'.join(path))} leads through a cycle of links"
                raise BadRoot(why, "save the image again")
            if inode.target.startswith("/"):
                here, above = self.root, []
            parts = [p for p in inode.target.split("/") if p not in ("", ".")]
            todo += parts[::-1]
        return here

    def walk(self) -> Iterator[tuple[str, Inode]]:
        """Every name with its inode, sorted, a folder before its files; not the root.

        A path has no slash at its beginning.
        """
        stack = [("", self.root)]
        while stack:
            path, inode = stack.pop()
            if path:
                yield path, inode
            prefix = f"{path}/" if path else ""
            for name in sorted(inode.names, reverse=True):
                stack.append((prefix + name, inode.names[name].inode))

    def leave_out(self, kind: str) -> None:
        """Count a file that a root cannot have."""
        self.left_out[kind] = self.left_out.get(kind, 0) + 1

    def notes(self) -> list[str]:
        """What was left out, in words."""
        return [f"left out: {n} {kind}" for kind, n in sorted(self.left_out.items())]


def _check(path: list[str], inode: Inode) -> None:
    """Refuse an inode that Linux would not take."""
    name = shown("/".join(path))
    if not (0 <= inode.uid <= _MAX_ID and 0 <= inode.gid <= _MAX_ID):
        raise BadRoot(f"no user can own {name}", "save the image again")
    if inode.kind == LINK:
        target = inode.target.encode("utf-8", "surrogateescape")
        if not 0 < len(target) <= _MAX_PATH or b"\0" in target:
            why = f"the link {name} has no target that Linux takes"
            raise BadRoot(why, "save the image again")


def _keep_new(inode: Inode, layer: int) -> bool:
    """Remove the names below a folder that are older than `layer`; whether any stay.

    Folders that have newer names stay with these.
    """
    order: list[Inode] = [inode]
    for folder in order:
        order += [n.inode for n in folder.names.values() if n.inode.kind == FOLDER]
    for folder in reversed(order):
        for name, found in list(folder.names.items()):
            if found.layer < layer and not found.inode.names:
                del folder.names[name]
    return bool(inode.names)
