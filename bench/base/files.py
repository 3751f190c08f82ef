"""Writes result files whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from bench.base.errors import TierlabError


def write_json(path: Path, value: Any) -> None:
    """Write to a temporary beside the target, then rename it."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write any text, as write_json() does."""
    try:
        _replace(path, text.encode("utf-8", errors="replace"))
    except OSError as error:
        raise TierlabError(
            f"cannot write {path}",
            error.strerror or str(error),
            "make room or choose another place; finished results are intact",
        ) from error


def make_directory(path: Path) -> None:
    """Make a directory for results, or say in one line why not."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TierlabError(
            f"cannot make the directory {path}",
            error.strerror or str(error),
            "choose another place with --out",
        ) from error


def _replace(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mode = 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
