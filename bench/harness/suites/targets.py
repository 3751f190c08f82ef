"""The key `targets` of a suite file: a list of tables, each one limit.

    [[targets]]
    figure = "boot against native, best policy"   # the limit's name
    column = "ratio_native"       # a column of the summary's rows, or idle_share
    at_most = 2.5                 # or at_least
    row = "best"                  # which of the selected rows counts; or "worst"
    unit = ""
    guests = ["riscv64-debian"]   # selects rows, as do the keys below; all optional
    engines = ["node"]
    tiers = ["*"]                 # a policy's name or spec, with * and ?
    except_tiers = ["never", "threshold"]
    workloads = ["sha256"]        # a workload's name, or name and parameters

`analysis/targets.py` compares the limits with the results of a comparison.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from analysis.summary import NUMBERS
from analysis.targets import BEST, IDLE_SHARE, WORST, Target
from bench.base.errors import USAGE, TierlabError, unknown

_LIMITS = ("at_most", "at_least")
_PATTERNS = ("guests", "engines", "tiers", "except_tiers", "workloads")
_KEYS = (
    *(f.name for f in fields(Target) if f.name not in ("limit", "at_least")),
    *_LIMITS,
)


def read_targets(value: Any, place: str) -> tuple[Target, ...]:
    """The targets of a suite file; a refusal names the target and the key."""
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise _refused(place, "it is not a list of tables", "write [[targets]]")
    return tuple(_target(v, f"{place}:{n}") for n, v in enumerate(value, start=1))


def _target(raw: dict[str, Any], place: str) -> Target:
    for key in raw:
        if key not in _KEYS:
            raise unknown("key", key, _KEYS, place)
    limits = [key for key in _LIMITS if key in raw]
    if len(limits) != 1:
        raise _refused(place, "it has not one limit", "give at_most or at_least")
    (kind,) = limits
    column = _text(raw, "column", place)
    if column not in (*NUMBERS, IDLE_SHARE):
        raise unknown("column", column, (*NUMBERS, IDLE_SHARE), f"{place}:column")
    row = _text(raw, "row", place, BEST)
    if row not in (BEST, WORST):
        raise unknown("row", row, (BEST, WORST), f"{place}:row")
    return Target(
        figure=_text(raw, "figure", place),
        column=column,
        limit=_number(raw[kind], f"{place}:{kind}"),
        at_least=kind == "at_least",
        row=row,
        unit=_text(raw, "unit", place, ""),
        **{key: _names(raw[key], f"{place}:{key}") for key in _PATTERNS if key in raw},
    )


def _text(raw: dict[str, Any], key: str, place: str, default: str | None = None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str) or (not value and default is None):
        raise _refused(f"{place}:{key}", f"{value!r} will not do", "give a text")
    return value


def _number(value: Any, place: str) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not -1e12 < value < 1e12:
        raise _refused(place, f"{value!r} will not do", "give a number")
    return float(value)


def _names(value: Any, place: str) -> tuple[str, ...]:
    good = isinstance(value, list) and all(isinstance(v, str) and v for v in value)
    if not good or not value:
        wanted = "give a list of at least one name"
        raise _refused(place, f"{value!r} will not do", wanted)
    return tuple(value)


def _refused(place: str, why: str, wanted: str) -> TierlabError:
    return TierlabError(f"{place}: {why}", wanted, status=USAGE)
