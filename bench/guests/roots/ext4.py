"""Makes a disk that holds a tree: ext4 without a journal, the same for the same tree.

mke2fs reads the tree from an archive, so that neither this machine's file system nor
its users matter, and nobody has to be root.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from bench.build import Context
from bench.guests.roots.tree import TIME, Tree

FILE_SYSTEM = "ext4"
_BLOCK = 4096
_INODE = 256
# A file system has the fewest inodes that mke2fs accepts, or as many as entries.
_MIN_INODES = 64
# What a block group costs beside inodes: bitmaps, copies of the superblock.
_PER_GROUP = 8
_GROUP = 32768
# Blocks of a folder hold names of so many bytes, half full after splits.
_NAMES = _BLOCK // 2
_NAMESPACE = uuid.UUID("2f8f2c38-5a1f-4d6e-9d0b-0b1f6f0f8a51")


def image_name(label: str) -> str:
    """The name of a disk's file in its product."""
    return f"{label}.img"


def size_mib(tree: Tree) -> int:
    """The MiB of a disk with room for the tree, and little more."""
    blocks = sum(-(-entry.size // _BLOCK) for entry in tree.entries.values())
    names = sum(len(path.rpartition("/")[2]) + 12 for path in tree.entries)
    folders = sum(1 for entry in tree.entries.values() if entry.kind == b"5")
    blocks += folders + names // _NAMES
    blocks += -(-_inodes(tree) * _INODE // _BLOCK)
    # Extents of fragmented files, long link targets.
    blocks += len(tree.entries) // 16 + blocks // 100
    blocks += _PER_GROUP * (blocks // _GROUP + 1)
    return blocks * _BLOCK // 2**20 + 2


def make_image(ctx: Context, tree: Tree, out: Path, label: str) -> None:
    """Write the disk `out`; `label` names the file system and gives it its UUID."""
    archive = ctx.work / "tree.tar"
    tree.write(archive)
    out.unlink(missing_ok=True)
    identity = uuid.uuid5(_NAMESPACE, label)
    command = ["mke2fs", "-q", "-F", "-t", FILE_SYSTEM, "-d", str(archive)]
    command += ["-b", str(_BLOCK), "-I", str(_INODE), "-N", str(_inodes(tree))]
    command += ["-m", "0", "-L", label[:16], "-U", str(identity)]
    # The guest cannot write, so it needs no journal and no room to grow; it checks
    # no checksums of metadata, which costs it time.
    command += ["-O", "^has_journal,^resize_inode,^metadata_csum,^orphan_file"]
    extended = f"hash_seed={identity},lazy_itable_init=0,root_owner=0:0,nodiscard"
    command += ["-E", extended, str(out), f"{size_mib(tree)}M"]
    ctx.run(command, env={**os.environ, "SOURCE_DATE_EPOCH": str(TIME)})
    archive.unlink()


def _inodes(tree: Tree) -> int:
    return len(tree.entries) + _MIN_INODES
