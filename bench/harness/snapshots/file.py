"""A saved machine as one file: the machine's facts, then QEMU's migration stream.

docs/snapshots.md describes the format.  The harness checks the whole file before QEMU
sees any of it, and refuses in one line a file of another guest or of another QEMU, and
a file that is cut off or damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from bench.base.errors import FAILED, USAGE, TierlabError
from bench.base.settings import SETTINGS
from bench.guests.disk.refusal import shown

MAGIC = b"tlsnap\x1a\n"
VERSION = 1
# The magic, the version, and the length of the facts, which follow the header.
_HEAD = struct.Struct("<8sII")
MAX_FACTS = 16 * 1024 * 1024
# A higher level gains little: most of a stream is zero pages and the kernel's text.
LEVEL = 1
PIECE = 1024 * 1024
# The largest frequency that QEMU's muldiv64() takes.
MAX_KHZ = 2**32 - 1


@dataclass(frozen=True)
class Facts:
    """The properties of a saved machine, and how it was saved."""

    guest: str
    # The values of Guest.as_json() and of Guest.provenance()["files"].
    machine: dict[str, Any]
    files: list[dict[str, Any]]
    qemu: str
    memory_mib: int
    smp: int
    icount: int | None
    devices: list[dict[str, Any]]
    # The workload that the machine runs, and the one on its kernel's command line.
    workload: str
    booted_for: str
    seed: int
    # How the machine was saved: these facts do not affect how it goes on.
    marker: str
    phases: list[str]
    engine: str
    tier: str
    saved: str
    console: dict[str, Any]
    # The frequency of an x86 machine's time stamp counter; None in older files.
    tsc_khz: int | None = None
    # The packed stream is the rest of the file; `stream_bytes` is its unpacked size.
    packed_bytes: int = 0
    packed_sha256: str = ""
    stream_bytes: int = 0

    @property
    def root(self) -> Mapping[str, Any] | None:
        """What GivenRoot.as_json() said of an image or a folder, if there was one."""
        found = self.machine.get("root")
        return found if isinstance(found, Mapping) else None


@dataclass(frozen=True)
class Snapshot:
    """A file that holds a saved machine."""

    path: Path
    facts: Facts
    # Where the packed stream begins.
    offset: int

    def as_json(self) -> dict[str, Any]:
        """The facts for the config of a run that resumed this machine."""
        facts = self.facts
        names = ("marker", "engine", "tier", "workload", "packed_sha256")
        return {name: getattr(facts, name) for name in names}

    def unpack(self, target: Path) -> None:
        """Write the stream to `target`; refuse a stream that differs from the saved."""
        packed = _Digested()
        try:
            with self.path.open("rb") as file, target.open("wb") as out:
                file.seek(self.offset)
                _unpack(file, out, packed)
        except (EOFError, zlib.error) as error:
            raise _damaged(self.path, "its stream cannot be unpacked") from error
        except OSError as error:
            raise TierlabError(
                f"cannot unpack {self.path}",
                error.strerror or str(error),
                "make room in TMPDIR",
            ) from error
        if packed.sha.hexdigest() != self.facts.packed_sha256:
            raise _damaged(self.path, "its digest is not what was written")
        if target.stat().st_size != self.facts.stream_bytes:
            raise _damaged(self.path, "its stream is not as long as what was written")


class _Digested:
    def __init__(self) -> None:
        self.sha = hashlib.sha256()
        self.bytes = 0

    def take(self, data: bytes) -> bytes:
        self.sha.update(data)
        self.bytes += len(data)
        return data


def write_snapshot(path: Path, facts: Facts, stream: Path) -> Snapshot:
    """Pack `stream` beside `path`, then put the whole file in its place."""
    packed_path = path.with_name(f".{path.name}.packed")
    whole_path = path.with_name(f".{path.name}.new")
    try:
        packed = _pack(stream, packed_path)
        facts = replace(
            facts,
            packed_bytes=packed.bytes,
            packed_sha256=packed.sha.hexdigest(),
            stream_bytes=stream.stat().st_size,
        )
        text = json.dumps(asdict(facts), ensure_ascii=False).encode()
        with whole_path.open("wb") as out, packed_path.open("rb") as rest:
            out.write(_HEAD.pack(MAGIC, VERSION, len(text)) + text)
            shutil.copyfileobj(rest, out, PIECE)
            out.flush()
            os.fsync(out.fileno())
        os.replace(whole_path, path)
    except OSError as error:
        raise TierlabError(
            f"cannot write {path}",
            error.strerror or str(error),
            "make room or choose another place",
        ) from error
    finally:
        packed_path.unlink(missing_ok=True)
        whole_path.unlink(missing_ok=True)
    return Snapshot(path, facts, _HEAD.size + len(text))


def read_snapshot(path: Path) -> Snapshot:
    """Read the file's facts; unpack() checks the stream."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size or not head.startswith(MAGIC):
                raise TierlabError(
                    f"{path} is not a saved machine",
                    next_step="give a file that `tierlab boot --save` wrote",
                    status=USAGE,
                )
            _, version, length = _HEAD.unpack(head)
            if version != VERSION:
                raise _other(
                    path, f"has version {version} of the format, not {VERSION}"
                )
            text = file.read(min(length, MAX_FACTS))
    except OSError as error:
        raise TierlabError(
            f"cannot read {path}", error.strerror or str(error), status=USAGE
        ) from error
    try:
        facts = _facts(json.loads(text))
    except (ValueError, TypeError) as error:
        raise _damaged(path, "its description cannot be read") from error
    snapshot = Snapshot(path, facts, _HEAD.size + length)
    missing = snapshot.offset + facts.packed_bytes - size
    if missing:
        what = f"{missing} bytes are missing" if missing > 0 else "it is too long"
        raise _damaged(path, what)
    return snapshot


def check_machine(snapshot: Snapshot, given: Facts) -> None:
    """Refuse to resume in a machine that differs from the one that was saved.

    `given` has the facts of the machine that would be started. Facts about how a
    machine was saved are not compared.
    """
    path, saved = snapshot.path, snapshot.facts
    if given.guest != saved.guest:
        raise _other(path, f"holds guest {saved.guest}, not {given.guest}")
    if given.qemu != saved.qemu:
        raise _other(path, f"was saved by QEMU {saved.qemu}, this is {given.qemu}")
    if saved.root and given.root and saved.root["digest"] != given.root["digest"]:
        root = f"{saved.root['option']} {saved.root['file']}"
        raise _other(path, f"was saved with other contents of {shown(root)}")
    for name, what in (
        ("files", "files"),
        ("machine", "machine"),
        *((one.key, one.called) for one in SETTINGS if one.machine),
        ("devices", "devices"),
    ):
        before, now = getattr(saved, name), getattr(given, name)
        if name == "machine":
            before, now = _without_name(before), _without_name(now)
        if before == now:
            continue
        values = "" if isinstance(before, (list, dict)) else f" ({before}, not {now})"
        raise _other(path, f"was saved with other {what} of {saved.guest}{values}")


def _without_name(machine: Mapping[str, Any]) -> dict[str, Any]:
    """A machine's facts without the option and the file name of its root."""
    root = machine.get("root")
    kept = root and {name: root[name] for name in ("digest", "command")}
    return {**machine, "root": kept}


def _pack(stream: Path, packed_path: Path) -> _Digested:
    packed = _Digested()
    # Make a gzip member piece by piece, to digest each piece. 31 selects gzip in zlib.
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    with stream.open("rb") as file, packed_path.open("wb") as out:
        while piece := file.read(PIECE):
            out.write(packed.take(compressor.compress(piece)))
        out.write(packed.take(compressor.flush()))
    return packed


def _unpack(file: BinaryIO, out: BinaryIO, packed: _Digested) -> None:
    decompressor = zlib.decompressobj(31)
    while piece := packed.take(file.read(PIECE)):
        out.write(decompressor.decompress(piece))
    out.write(decompressor.flush())
    if not decompressor.eof:
        raise EOFError


def _facts(raw: Any) -> Facts:
    if not isinstance(raw, Mapping):
        raise TypeError("not an object")
    facts = Facts(**raw)
    for name, kind in (
        ("guest", str), ("qemu", str), ("workload", str), ("booted_for", str),
        ("marker", str),
        ("machine", dict), ("files", list), ("devices", list), ("phases", list),
        ("memory_mib", int), ("smp", int), ("packed_bytes", int),
        ("stream_bytes", int), ("packed_sha256", str), ("console", dict),
    ):  # fmt: skip
        if not isinstance(getattr(facts, name), kind):
            raise TypeError(name)
    root = facts.machine.get("root")
    if root is not None:
        _check_root(root)
    khz = facts.tsc_khz
    if khz is not None and not (isinstance(khz, int) and 0 < khz <= MAX_KHZ):
        raise ValueError("tsc_khz")
    return facts


def _check_root(root: Any) -> None:
    if not isinstance(root, Mapping):
        raise TypeError("root")
    command = root.get("command")
    if not isinstance(command, list):
        raise TypeError("root")
    texts = [*command, *(root.get(name) for name in ("option", "file", "digest"))]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("root")


def _damaged(path: Path, why: str) -> TierlabError:
    return TierlabError(f"{path} is damaged", why, "save it again", status=FAILED)


def _other(path: Path, why: str) -> TierlabError:
    return TierlabError(f"{path} {why}", next_step="save it again", status=USAGE)
