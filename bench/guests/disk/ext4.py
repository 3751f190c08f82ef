"""A tree to a disk: mke2fs gets one tar stream, and makes an ext4 from it.

Equal trees give equal disks: no time, UUID or hash seed is random. The file system has
no journal, because guests only read it. It has no checksums of metadata, which would
cost a guest time.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.base.errors import SetupError, TierlabError, disk_full
from bench.guests.disk import tree
from bench.guests.disk.tree import Inode, Tree

FILE_SYSTEM = "ext4"
Contents = Iterable[tuple[Inode, Iterator[bytes]]]

_BLOCK = 4096
_INODE = 256
# Targets of links up to this length, and small attributes, are in the inode.
_SHORT_LINK = 59
_FEW_INODES = 64
# Bytes of attributes that fit in their block.
_ATTRIBUTES = 3500
_UUID = "7469e01a-6c61-4b00-8000-746965726c61"
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MKE2FS_CONFIG": ""}
_MAX_LABEL = 16
_FULL = "No space left on device"
_CAPABILITY = "security.capability"
_BANNER = "debugfs "


@dataclass(frozen=True)
class Identity:
    """What tells a file system from others, beside its contents."""

    uuid: str = _UUID
    # ext4 has room for 16 bytes.
    label: str = ""
    # When it was made, in seconds since 1970. mke2fs takes 0 for the present.
    time: int = 1


def make(
    root: Tree, contents: Contents, out: Path, identity: Identity = Identity()
) -> None:
    """Write the disk of a tree to a new file, which is sparse.

    TierlabError if the disk is full; SetupError if mke2fs or debugfs fail.
    """
    argv = ["mke2fs", "-q", "-F", "-t", FILE_SYSTEM, "-b", str(_BLOCK)]
    argv += ["-I", str(_INODE), "-N", str(_inodes(root)), "-m", "0"]
    argv += ["-U", identity.uuid, "-L", identity.label[:_MAX_LABEL]]
    argv += ["-O", "^has_journal,^resize_inode,^metadata_csum,^orphan_file"]
    argv += ["-E", f"hash_seed={identity.uuid},lazy_itable_init=0,nodiscard"]
    argv += ["-d", "-", str(out), f"{_blocks(root)}"]
    environment = {
        **os.environ,
        **_ENVIRONMENT,
        "E2FSPROGS_FAKE_TIME": str(identity.time),
    }
    _feed(argv, archive(root, contents), environment)
    _finish(root, out, environment)


def archive(root: Tree, contents: Contents) -> Iterator[bytes]:
    """The tree as a tar archive.

    First come folders, links and what has no contents, then files in the order of
    `contents`, then further names of files. Each header of a file with several names
    has all its attributes, because mke2fs sets them with each.
    """
    first: dict[int, str] = {}
    links: list[tuple[str, Inode]] = []
    yield _header("./", root.root)
    for path, inode in root.walk():
        if id(inode) in first:
            links.append((path, inode))
            continue
        first[id(inode)] = path
        if inode.kind != tree.FILE or not inode.size:
            yield _header(path, inode)
    for inode, pieces in contents:
        if not inode.size:
            continue
        yield _header(first[id(inode)], inode)
        left = inode.size
        for piece in pieces:
            left -= len(piece)
            yield piece
        assert left == 0, first[id(inode)]
        yield bytes(-inode.size % tarfile.BLOCKSIZE)
    for path, inode in links:
        yield _header(path, inode, first[id(inode)])
    yield bytes(2 * tarfile.BLOCKSIZE)


_TYPES = {
    tree.FOLDER: tarfile.DIRTYPE,
    tree.FILE: tarfile.REGTYPE,
    tree.LINK: tarfile.SYMTYPE,
    tree.FIFO: tarfile.FIFOTYPE,
}


def _header(path: str, inode: Inode, first: str | None = None) -> bytes:
    info = tarfile.TarInfo(path)
    info.type = _TYPES[inode.kind]
    info.mode, info.uid, info.gid = inode.mode, inode.uid, inode.gid
    info.mtime = inode.mtime
    info.size = inode.size
    info.linkname = inode.target
    if first is not None:
        info.type, info.size, info.linkname = tarfile.LNKTYPE, 0, first
    if _CAPABILITY in inode.xattrs:
        value = inode.xattrs[_CAPABILITY].decode("utf-8", "surrogateescape")
        info.pax_headers = {f"SCHILY.xattr.{_CAPABILITY}": value}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _inodes(root: Tree) -> int:
    return sum(1 for _ in root.walk()) + _FEW_INODES


def _blocks(root: Tree) -> int:
    """Blocks that are enough for the tree: empty ones cost no room in the cache."""
    blocks = 0
    names = 1
    for path, inode in root.walk():
        names += 1
        if inode.kind == tree.FILE:
            blocks += -(-inode.size // _BLOCK)
        elif inode.kind == tree.FOLDER:
            entries = sum(len(name.encode("utf-8", "replace")) for name in inode.names)
            blocks += 1 + 2 * (entries + 12 * len(inode.names)) // _BLOCK
        elif inode.kind == tree.LINK and len(inode.target) > _SHORT_LINK // 4:
            blocks += 1
        if inode.xattrs:
            blocks += 1
    blocks += -(-(names + _FEW_INODES) * _INODE // _BLOCK)
    # Extents of files, bitmaps and descriptors of groups, copies of the superblock.
    return blocks + blocks // 32 + 1024


def _feed(
    argv: list[str], stream: Iterator[bytes], environment: dict[str, str]
) -> None:
    """Run mke2fs with the stream as its input; TierlabError if it fails."""
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=environment,
            )
        except OSError as error:
            raise _no_program(argv[0], error) from error
        assert process.stdin is not None
        try:
            with process.stdin as pipe:
                for piece in stream:
                    pipe.write(piece)
        except BrokenPipeError:
            pass  # mke2fs says why
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.wait():
            said.seek(0)
            raise _failed(argv[0], said)


def _failed(program: str, said: IO[bytes]) -> TierlabError:
    text = said.read(1 << 16).decode("utf-8", "replace").strip()
    if _FULL in text:
        return disk_full("making the disk", "the cache")
    why = text.splitlines()[-1] if text else "it said nothing"
    return SetupError(f"{program} cannot make the disk", why, "report this")


def _no_program(name: str, error: OSError) -> SetupError:
    why = f"{name}: {error.strerror}"
    next_step = "run through ./tierlab, or install Debian's package e2fsprogs"
    return SetupError("the disk cannot be made", why, next_step)


def _finish(root: Tree, out: Path, environment: dict[str, str]) -> None:
    """Set what mke2fs does not: extended attributes; remove its lost+found."""
    with tempfile.TemporaryDirectory() as scratch:
        commands = []
        if "lost+found" not in root.root.names:
            commands.append("rmdir /lost+found")
        seen: set[int] = set()
        for path, inode in [("", root.root), *root.walk()]:
            own = {n: v for n, v in inode.xattrs.items() if n != _CAPABILITY}
            if own and id(inode) not in seen:
                seen.add(id(inode))
                commands += _settings(f"/{path}", own, Path(scratch), root)
        if commands:
            _debugfs(out, commands, environment)


def _settings(
    path: str, xattrs: dict[str, bytes], scratch: Path, root: Tree
) -> list[str]:
    """debugfs's commands for a file's attributes."""
    commands: list[str] = []
    if sum(len(name) + len(value) + 32 for name, value in xattrs.items()) > _ATTRIBUTES:
        root.leave_out("files' extended attributes that ext4 has no room for")
        return commands
    for name, value in sorted(xattrs.items()):
        if '"' in path + name or not (path + name).isprintable():
            root.leave_out("extended attributes of files with strange names")
            continue
        file = Path(tempfile.mkstemp(dir=scratch)[1])
        file.write_bytes(value)
        commands.append(f'ea_set -f {file} "{path}" "{name}"')
    return commands


def _debugfs(out: Path, commands: list[str], environment: dict[str, str]) -> None:
    argv = ["debugfs", "-w", "-f", "-", str(out)]
    text = "".join(f"{command}\n" for command in commands)
    try:
        done = subprocess.run(
            argv,
            input=text.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
            env=environment,
        )
    except OSError as error:
        raise _no_program(argv[0], error) from error
    # debugfs ends with status 0 whatever happened, and says its name first.
    said = done.stderr.decode("utf-8", "replace").splitlines()
    wrong = [line for line in said if line and not line.startswith(_BANNER)]
    if done.returncode or wrong:
        why = wrong[-1] if wrong else f"exit status {done.returncode}"
        raise SetupError("debugfs cannot finish the disk", why, "report this")
