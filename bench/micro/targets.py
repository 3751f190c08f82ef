"""Limits for microbenchmarks, in a file that the user writes.

    [[targets]]
    figure = "policy decision for a TB"    # the limit's name
    benchmarks = "native/policy/*"         # names of benchmarks, with * and ?
    member = "s_per_decided_tb"            # a member of these benchmarks' rows
    scale = 1e9                            # factor from the member to the unit
    unit = "ns"
    below = 100.0                          # or at_least

The worst of its benchmarks decides whether a target is met.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bench.base.errors import USAGE, TierlabError, unknown
from bench.micro.report import Measured, number_text

_LIMITS = ("below", "at_least")


@dataclass(frozen=True)
class Target:
    """A limit for one member of the benchmarks whose names match."""

    figure: str
    benchmarks: str
    member: str
    limit: float
    # Whether the limit is the least value allowed; else values must be below the limit.
    at_least: bool
    scale: float = 1.0
    unit: str = ""

    def verdict(self, found: Sequence[Measured]) -> Verdict:
        """Compare the target with the worst median of its benchmarks."""
        medians = [
            (value * self.scale, one.name)
            for one in found
            if fnmatchcase(one.name, self.benchmarks)
            and (value := one.median(self.member)) is not None
        ]
        if not medians:
            return Verdict(self, None)
        return Verdict(self, *(min(medians) if self.at_least else max(medians)))


@dataclass(frozen=True)
class Verdict:
    """One target and the measured value; None if nothing was measured."""

    target: Target
    value: float | None
    source: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if nothing was measured."""
        if self.value is None:
            return None
        if self.target.at_least:
            return self.value >= self.target.limit
        return self.value < self.target.limit

    def line(self) -> str:
        """The verdict as one line."""
        target = self.target
        relation = ">=" if target.at_least else "<"
        unit = f" {target.unit}" if target.unit else ""
        asked = f"{target.figure} {relation} {target.limit:g}{unit}"
        if self.value is None:
            return f"{asked}: not measured here"
        state = "met" if self.met else "missed"
        return f"{asked}: {number_text(self.value)}{unit}, {state} ({self.source})"


def read_targets(path: Path) -> list[Target]:
    """The targets of a file; a refusal names the target and the key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise TierlabError(f"cannot read {path}", why, status=USAGE) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TierlabError(f"{path} is not TOML", str(error), status=USAGE) from error
    for key in raw:
        if key != "targets":
            raise unknown("key", key, ["targets"], str(path))
    tables = raw.get("targets")
    if not isinstance(tables, list) or not tables:
        raise _refused(f"{path}: no target is in it", "write [[targets]]")
    return [_target(one, f"{path}:{n}") for n, one in enumerate(tables, start=1)]


def _target(raw: Any, place: str) -> Target:
    if not isinstance(raw, dict):
        raise _refused(f"{place}: it is not a table", "write [[targets]]")
    names = [f.name for f in fields(Target) if f.name not in ("limit", "at_least")]
    for key in raw:
        if key not in (*names, *_LIMITS):
            raise unknown("key", key, [*names, *_LIMITS], place)
    limits = [key for key in _LIMITS if key in raw]
    if len(limits) != 1:
        raise _refused(f"{place}: it has not one limit", "give below or at_least")
    for key in ("figure", "benchmarks", "member"):
        if not raw.get(key):
            raise _refused(f"{place}: it has no {key}", f"give {key}, a text")
    (kind,) = limits
    values = {key: raw[key] for key in names if key in raw}
    values["limit"] = raw[kind]
    for key, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        wanted = number if key in ("limit", "scale") else isinstance(value, str)
        if not wanted:
            shown = kind if key == "limit" else key
            kind_of = "a number" if key in ("limit", "scale") else "a text"
            raise _refused(f"{place}:{shown}: {value!r} will not do", f"give {kind_of}")
    return Target(**values, at_least=kind == "at_least")


def _refused(what: str, wanted: str) -> TierlabError:
    return TierlabError(what, wanted, status=USAGE)
