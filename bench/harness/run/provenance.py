"""The origin of a result: code, machine, engine, guest, settings."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.base.places import ROOT
from bench.engines.base import Engine
from bench.guests.guest import Guest


def shared_provenance() -> dict[str, Any]:
    """The facts that all runs of one command share."""
    return {"git": git_state(ROOT), "host": host_facts()}


def run_provenance(
    engine: Engine, guest: Guest, products: Mapping[str, Path]
) -> dict[str, Any]:
    """The facts of one run, taken just before it starts."""
    return {
        "engine": {"name": engine.name, **engine.version(guest.arch, products)},
        "guest": guest.provenance(),
        "products": {name: path.name for name, path in sorted(products.items())},
        "load_average": list(os.getloadavg()),
    }


def git_state(checkout: Path) -> dict[str, Any]:
    """The commit, and a digest of all differences from it."""
    commit = _git(checkout, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": None, "diff_sha256": None}
    status = _git(checkout, "status", "--porcelain") or b""
    if not status.strip():
        return {"commit": commit.decode().strip(), "dirty": False, "diff_sha256": None}
    digest = hashlib.sha256(_git(checkout, "diff", "--binary", "HEAD") or b"")
    others = _git(checkout, "ls-files", "-z", "--others", "--exclude-standard") or b""
    for name in sorted(filter(None, others.split(b"\0"))):
        digest.update(name + b"\0")
        digest.update(_file_digest(checkout / os.fsdecode(name)))
    return {
        "commit": commit.decode().strip(),
        "dirty": True,
        "diff_sha256": digest.hexdigest(),
    }


def host_facts() -> dict[str, Any]:
    """The machine, and the limits that decide how many modules can live."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": _memory_mib(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "os": _os_name(),
        "python": platform.python_version(),
        "max_map_count": _number(Path("/proc/sys/vm/max_map_count")),
    }


def _git(checkout: Path, *arguments: str) -> bytes | None:
    # The checkout may belong to another user than the one in the root system.
    argv = ["git", "-c", f"safe.directory={checkout}", "-C", str(checkout)]
    try:
        done = subprocess.run([*argv, *arguments], capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _file_digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b"unreadable"


def _cpu_model() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_mib() -> int | None:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return None


def _os_name() -> str:
    for line in _lines(Path("/etc/os-release")):
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def _number(path: Path) -> int | None:
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
