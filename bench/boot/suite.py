"""What to compare: defaults, a suite file, or the command line's choice.

A suite is a TOML file with the keys of Suite; what the command line names
takes the place of the file's value.  Every refusal names the key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from bench.boot.catalog import UNATTENDED
from bench.boot.errors import USAGE, HarnessError, unknown

MAX_RUNS = 10_000
MIN_MEMORY, MAX_MEMORY = 32, 2048


@dataclass(frozen=True)
class Suite:
    """The configurations to compare and how often."""

    guests: tuple[str, ...] = ("riscv64-debian", "riscv64-tiny")
    # How many executions `threshold` waits for is tuned where it is declared.
    tiers: tuple[str, ...] = ("never", "threshold")
    engines: tuple[str, ...] = ("node", "native")
    workloads: tuple[str, ...] = ("none",)
    runs: int = 3
    timeout: float = 300.0
    memory_mib: int | None = None
    seed: int = 1


@dataclass(frozen=True)
class Known:
    """The names that may appear.  Tiers are checked by the policies' own tool."""

    guests: Sequence[str]
    engines: Sequence[str]
    workloads: Sequence[str] = UNATTENDED


def read_suite(path: Path) -> Suite:
    """Read a suite file; types and ranges are checked, names are not yet."""
    try:
        with path.open("rb") as file:
            raw = tomllib.load(file)
    except OSError as error:
        raise HarnessError(
            f"cannot read {path}", error.strerror or str(error), status=USAGE
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path} is not TOML", str(error), status=USAGE) from error
    return _merged(Suite(), raw, str(path))


def override(suite: Suite, where: str = "", **given: Any) -> Suite:
    """Replace what the command line names; None and empty mean not named."""
    chosen = {k: v for k, v in given.items() if v is not None and v != ()}
    chosen = {k: list(v) if isinstance(v, tuple) else v for k, v in chosen.items()}
    return _merged(suite, chosen, where)


def check_names(suite: Suite, known: Known, where: str = "") -> None:
    """Refuse guests, engines and workloads that do not exist."""
    for key, kind, valid in (
        ("guests", "guest", known.guests),
        ("engines", "engine", known.engines),
        ("workloads", "workload", known.workloads),
    ):
        for name in getattr(suite, key):
            if name not in valid:
                raise unknown(kind, name, valid, f"{where}:{key}" if where else "")


def _merged(suite: Suite, raw: dict[str, Any], where: str) -> Suite:
    keys = [f.name for f in fields(Suite)]
    values: dict[str, Any] = {}
    for key, value in raw.items():
        place = f"{where}:{key}" if where else f"--{key.replace('_', '-')}"
        if key not in keys:
            raise unknown("key", key, keys, place)
        values[key] = _checked(key, value, place)
    return replace(suite, **values)


def _checked(key: str, value: Any, place: str) -> Any:
    if key in ("guests", "tiers", "engines", "workloads"):
        return _names(value, place)
    if key == "runs":
        return _integer(value, place, 1, MAX_RUNS)
    if key == "seed":
        return _integer(value, place, 0, 2**32 - 1)
    if key == "memory_mib":
        return _integer(value, place, MIN_MEMORY, MAX_MEMORY)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < 1e9:
        raise _refused(place, value, "seconds, more than 0")
    return float(value)


def _names(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _refused(place, value, "a list of at least one name")
    if not all(isinstance(name, str) and name for name in value):
        raise _refused(place, value, "a list of names")
    return tuple(dict.fromkeys(value))


def _integer(value: Any, place: str, low: int, high: int) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise _refused(place, value, f"a whole number from {low} to {high}")
    return int(value)


def _refused(place: str, value: Any, wanted: str) -> HarnessError:
    what = f"{place}: {value!r} will not do"
    return HarnessError(what, f"give {wanted}", status=USAGE)
