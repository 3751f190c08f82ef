"""The list of a product's files, which shows damage.

A file with the listed size and time is taken as good; if only its time differs, its
contents decide. So a check normally reads no file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.base.digest import file_digest

NAME = ".manifest.json"
SCHEMA = 1


def write(product: Path, key: str) -> None:
    """List the files of a finished product."""
    content = {
        "schema": SCHEMA,
        "key": key,
        "files": [_entry(product, path) for path in _files(product)],
    }
    text = json.dumps(content, separators=(",", ":"))
    (product / NAME).write_text(text, encoding="utf-8")


def damage(product: Path, key: str) -> str:
    """What is wrong with a product, or an empty string."""
    try:
        content = json.loads((product / NAME).read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA or content["key"] != key:
            return "its list of files is another product's"
        for entry in content["files"]:
            wrong = _difference(product, entry)
            if wrong:
                return f"{entry['path']} {wrong}"
    except FileNotFoundError:
        return "its list of files is missing"
    except (ValueError, KeyError, TypeError):
        return "its list of files is unreadable"
    return ""


def _files(product: Path) -> Iterator[Path]:
    for directory, directories, names in os.walk(product):
        directories.sort()
        links = [d for d in directories if Path(directory, d).is_symlink()]
        for name in sorted([*names, *links]):
            yield Path(directory, name)


def _entry(product: Path, path: Path) -> dict[str, Any]:
    name = path.relative_to(product).as_posix()
    if path.is_symlink():
        return {"path": name, "link": os.readlink(path)}
    status = path.stat()
    return {
        "path": name,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "sha256": file_digest(path),
    }


def _difference(product: Path, entry: dict[str, Any]) -> str:
    path = product / entry["path"]
    if "link" in entry:
        same = path.is_symlink() and os.readlink(path) == entry["link"]
        return "" if same else "points elsewhere"
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    if status.st_size != entry["size"]:
        return f"has {status.st_size} bytes instead of {entry['size']}"
    if status.st_mtime_ns == entry["mtime_ns"]:
        return ""
    return "" if file_digest(path) == entry["sha256"] else "was changed"
