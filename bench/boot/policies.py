"""Tiering policies, as the program built from tiers/ itself declares them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.boot.errors import USAGE, HarnessError


@dataclass(frozen=True)
class Policy:
    """A policy spec in its canonical form, and its parts."""

    spec: str
    facts: Mapping[str, Any]


def list_policies(tiers: Path) -> list[dict[str, Any]]:
    """All policies with their parameters, as tier-list prints them."""
    done = _tier_list(tiers)
    try:
        raw = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        raw = None
    found = raw.get("policies") if isinstance(raw, dict) else raw
    if not isinstance(found, list):
        raise HarnessError(
            "tier-list does not print what it should",
            f"status {done.returncode}",
            "run `tierlab build` after removing the product tiers-native",
        )
    return found


def check_policy(tiers: Path, spec: str, where: str = "") -> Policy:
    """The canonical form of a spec, or a usage error in the tool's words."""
    done = _tier_list(tiers, "check", spec)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        said = lines[-1].removeprefix("tier-list: ") if lines else "not accepted"
        prefix = f"{where}: " if where else ""
        raise HarnessError(f"{prefix}{said}", status=USAGE)
    canonical = done.stdout.strip()
    name, _, rest = canonical.partition(":")
    pairs = (pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
    params = {key: _number(value) for key, value in pairs}
    return Policy(canonical, {"spec": canonical, "name": name, "params": params})


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _tier_list(tiers: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = tiers / "bin" / "tier-list"
    try:
        return subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise HarnessError(
            f"cannot run {program.name}",
            error.strerror or str(error),
            "run `tierlab build`",
        ) from error
