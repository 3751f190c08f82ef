"""Streams of bytes: digests while they are read, gzip and zstd unpacked.

All of it is bounded: read(n) unpacks no more than n bytes, whatever is packed.
"""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from bench.base.errors import SetupError
from bench.guests.disk.members import Source
from bench.guests.disk.refusal import BadRoot

_PIECE = 1 << 18
_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([n]) + b"\x2a\x4d\x18" for n in range(80, 96)))
_UNKNOWN = {b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_MAGIC_BYTES = 6
# Larger windows would need more memory than most machines give to one process.
_ZSTD_MEMORY = "--memory=256MiB"


class Checked:
    """Passes a stream on, and knows the digest and the size of what went by."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._state = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._state.update(data)
        self.size += len(data)
        return data

    def rest(self) -> None:
        """Read to the end."""
        while self.read(_PIECE):
            pass

    @property
    def digest(self) -> str:
        """sha256:HEX, as manifests have it."""
        return f"sha256:{self._state.hexdigest()}"


class _Peeked:
    """A stream whose first bytes were looked at."""

    def __init__(self, source: Source, count: int) -> None:
        self._source = source
        self.first = b""
        while len(self.first) < count:
            piece = source.read(count - len(self.first))
            if not piece:
                break
            self.first += piece
        self._held = self.first

    def read(self, size: int = -1, /) -> bytes:
        if self._held:
            size = len(self._held) if size < 0 else size
            data, self._held = self._held[:size], self._held[size:]
            return data
        return self._source.read(size)


class _Gzip:
    """What gzip packed; a stream that ends too early is refused."""

    def __init__(self, source: _Peeked, what: str) -> None:
        # GzipFile asks its file for read() only, while it reads forward.
        self._file = gzip.GzipFile(fileobj=cast(IO[bytes], source), mode="rb")
        self._what = what

    def read(self, size: int, /) -> bytes:
        try:
            return self._file.read(size)
        except EOFError as error:
            raise BadRoot(f"{self._what} is cut off", "save the image again") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            why = f"{self._what} is damaged ({error})"
            raise BadRoot(why, "save the image again") from error


class _Zstd:
    """What zstd packed, by the program zstd; a thread feeds it."""

    def __init__(self, source: _Peeked, what: str) -> None:
        self._source, self._what = source, what
        self._failure: BaseException | None = None
        argv = ["zstd", "--decompress", "--stdout", "--quiet", _ZSTD_MEMORY]
        try:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            next_step = "run through ./tierlab, or install Debian's package zstd"
            raise SetupError(
                f"{what} is packed by zstd", "zstd is not in PATH", next_step
            ) from error
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        assert self.process.stdin is not None
        try:
            with self.process.stdin as pipe:
                while piece := self._source.read(_PIECE):
                    pipe.write(piece)
        except BrokenPipeError:
            return
        except BaseException as error:  # pylint: disable=broad-except
            self._failure = error

    def read(self, size: int, /) -> bytes:
        data = _output(self.process).read(size)
        if not data:
            self._thread.join()
            if self._failure is not None:
                raise self._failure
            if self.process.wait():
                assert self.process.stderr is not None
                said = self.process.stderr.read(4096).decode("utf-8", "replace")
                # zstd's last line: "zstd: /*stdin*\: REASON"
                reason = (said.strip().splitlines() or [""])[-1].rpartition(": ")[2]
                why = f"{self._what} is damaged or cut off ({reason.strip()})"
                raise BadRoot(why, "save the image again")
        return data

    def close(self) -> None:
        """End the program if it still runs, and the thread with it."""
        self.process.kill()
        self.process.wait()
        self._thread.join()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


@contextmanager
def unpacked(source: Source, what: str) -> Iterator[tuple[Source, bool]]:
    """The stream, unpacked if its first bytes say that it is packed; whether it was.

    `what` names the stream in errors.
    """
    peeked = _Peeked(source, _MAGIC_BYTES)
    for magic, name in _UNKNOWN.items():
        if peeked.first.startswith(magic):
            raise BadRoot(f"{what} is packed by {name}", "pack it by gzip or zstd")
    if peeked.first.startswith(_GZIP):
        yield _Gzip(peeked, what), True
    elif peeked.first.startswith(_ZSTD):
        zstd = _Zstd(peeked, what)
        try:
            yield zstd, True
        finally:
            zstd.close()
    else:
        yield peeked, False
