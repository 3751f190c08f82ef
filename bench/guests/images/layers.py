"""Layers to a tree, and the contents of the tree's files.

A layer is read twice: once for its names, once for the contents of its files that are
in the merged root. Both times its digests must be those of manifest and config.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bench.guests.disk import archives, tree
from bench.guests.disk.limits import Budget
from bench.guests.disk.members import Member, Source, members
from bench.guests.disk.refusal import BadRoot, shown
from bench.guests.disk.tree import Inode, Tree
from bench.guests.images.files import Files
from bench.guests.images.streams import Checked, unpacked

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
# aufs wrote names for itself that begin so.
_AUFS = ".wh..wh."

# Called with each layer that is begun, to show progress.
Tick = Callable[[str], None]


@dataclass(frozen=True)
class Layer:
    """A layer among the files of a layout."""

    name: str
    # sha256:HEX of the file, and its size: of those that the manifest states.
    digest: str | None
    size: int | None
    # sha256:HEX of the unpacked archive, of the config.
    diff_id: str


class _Counted:
    """Passes a stream on, and takes its bytes from a budget."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source, self._budget = source, budget

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._budget.take(len(data))
        return data


def merged(files: Files, layers: Sequence[Layer], tick: Tick) -> Tree:
    """The root that the layers make, one upon the other."""
    budget = Budget()
    root = Tree(budget)
    for number, layer in enumerate(layers):
        tick(f"reading layer {number + 1} of {len(layers)}")
        with _members(files, layer, number, budget) as found:
            for count, member in enumerate(found):
                _apply(root, member.info, number, count)
    return root


def contents(
    files: Files, layers: Sequence[Layer], root: Tree, tick: Tick
) -> Iterator[tuple[Inode, Iterator[bytes]]]:
    """The contents of the tree's files, in the order of layers and members."""

    def opened(number: int) -> AbstractContextManager[Iterator[Member]]:
        tick(f"writing layer {number + 1} of {len(layers)}")
        return _members(files, layers[number], number, Budget())

    return archives.contents(root, opened)


@contextmanager
def _members(
    files: Files, layer: Layer, number: int, budget: Budget
) -> Iterator[Iterator[Member]]:
    """A layer's members; at the end the layer is checked."""
    what = f"layer {number + 1}"
    size = files.size(layer.name)
    if size is None:
        why = f"{what} is missing ({shown(layer.name)})"
        raise BadRoot(why, "save the image again, with all its layers")
    if layer.size is not None and size != layer.size:
        why = f"{what} has {size} bytes, and not {layer.size}: it is cut off or damaged"
        raise BadRoot(why, "save the image again")
    with files.open(layer.name) as file:
        packed = Checked(file)
        with unpacked(packed, what) as (plain, _):
            whole = Checked(_Counted(plain, budget))
            yield members(whole, what)
            whole.rest()
        packed.rest()
    for found, stated in ((packed.digest, layer.digest), (whole.digest, layer.diff_id)):
        if stated is not None and found != stated:
            why = f"{what} is damaged: its digest is {found}, and not {stated}"
            raise BadRoot(why, "save the image again")


def _apply(root: Tree, info: tarfile.TarInfo, layer: int, member: int) -> None:
    """Apply one member of a layer to the tree."""
    path = tree.components(info.name)
    last = path[-1] if path else ""
    if any(part.startswith(_WHITEOUT) for part in path[:-1]):
        if path[0].startswith(_AUFS):
            return
        raise BadRoot(f"the path {shown(info.name)} goes through a whiteout")
    if last == _OPAQUE:
        root.hide_all(path[:-1], layer)
    elif last.startswith(_AUFS):
        return
    elif last.startswith(_WHITEOUT):
        name = last.removeprefix(_WHITEOUT)
        if name in ("", ".", ".."):
            raise BadRoot(f"the whiteout {shown(info.name)} names no file")
        root.hide([*path[:-1], name], layer)
    else:
        archives.add(root, info, layer, member)
