"""A guest as the guests' recipe leaves it: kernel, initrd, guest.json."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.boot.console import OOPS_PATTERNS, PANIC_PATTERNS, Marker
from bench.boot.errors import HarnessError

SCHEMA = 1


@dataclass(frozen=True)
class Guest:
    """What the harness must know to boot a guest and follow its console."""

    name: str
    arch: str
    machine: str
    memory_mib: int
    append: str
    kernel: Path
    initrd: Path
    kernel_version: str
    kernel_sha256: str
    initrd_sha256: str
    markers: tuple[Marker, ...]
    panic_patterns: tuple[str, ...] = PANIC_PATTERNS
    oops_patterns: tuple[str, ...] = OOPS_PATTERNS


def load_guest(product: Path) -> Guest:
    """Read a guest product; a broken one is a set-up error, not a crash."""
    path = product / "guest.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(product, f"guest.json cannot be read ({error})") from error
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise _broken(product, f"guest.json is not of schema {SCHEMA}")
    try:
        guest = _from_json(raw, product)
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise _broken(product, f"guest.json: {error!r}") from error
    for file in (guest.kernel, guest.initrd):
        if not file.is_file() or file.stat().st_size == 0:
            raise _broken(product, f"{file.name} is missing or empty")
    return guest


def _from_json(raw: dict[str, Any], product: Path) -> Guest:
    failures = raw.get("failure_patterns", {})
    return Guest(
        name=str(raw["name"]),
        arch=str(raw["arch"]),
        machine=str(raw["machine"]),
        memory_mib=int(raw["memory_mib"]),
        append=str(raw["append"]),
        kernel=product / str(raw.get("kernel", "kernel")),
        initrd=product / str(raw.get("initrd", "initrd")),
        kernel_version=str(raw.get("kernel_version", "")),
        kernel_sha256=str(raw["kernel_sha256"]),
        initrd_sha256=str(raw["initrd_sha256"]),
        markers=tuple(
            Marker(str(m["phase"]), re.compile(str(m["match"]))) for m in raw["markers"]
        ),
        panic_patterns=tuple(failures.get("panic", PANIC_PATTERNS)),
        oops_patterns=tuple(failures.get("oops", OOPS_PATTERNS)),
    )


def _broken(product: Path, why: str) -> HarnessError:
    return HarnessError(
        f"guest product {product.name} is broken",
        why,
        "remove that directory from the cache and run again",
    )
