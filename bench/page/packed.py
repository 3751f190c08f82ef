"""Compressed forms of files, each made once and kept in the cache."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from pathlib import Path

LEVEL = 9


class Packer:
    """Packs by gzip; the cache's keys are digests of the contents."""

    def __init__(self, cache: Path) -> None:
        self._directory = cache / "packed"

    def file(self, path: Path) -> Path:
        """The packed form of a file."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        packed = self._directory / f"{digest}.gz"
        if not packed.exists():
            with path.open("rb") as file:
                self._make(packed, file.read())
        return packed

    def data(self, data: bytes) -> Path:
        """The packed form of bytes."""
        packed = self._directory / f"{hashlib.sha256(data).hexdigest()}.gz"
        if not packed.exists():
            self._make(packed, data)
        return packed

    def _make(self, packed: Path, data: bytes) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                # The output has no time, so that equal input gives equal output.
                file.write(gzip.compress(data, LEVEL, mtime=0))
            os.chmod(name, 0o644)
            os.replace(name, packed)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
