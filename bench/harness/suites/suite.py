"""What to compare: defaults, a suite file, or the command line's choice.

A suite is a TOML file with the keys of Suite; what the command line names
takes the place of the file's value.  Every refusal names the key.  The suites
that come with the project are in bench/harness/suites/ and go by their bare names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from analysis.targets import Target
from bench.base.errors import USAGE, TierlabError, unknown
from bench.engines.base import CHAINING, COUNTING
from bench.guests.names import UNATTENDED, check_workload, is_description
from bench.harness.run.faults import check_fault
from bench.harness.suites.targets import read_targets

MAX_RUNS = 10_000
MIN_MEMORY, MAX_MEMORY = 32, 2048
MAX_SMP = 8
MAX_ICOUNT = 10
MAX_TB_SIZE = 1024
SUITES = Path(__file__).resolve().parent

_LISTS = (
    "guests",
    "tiers",
    "engines",
    "workloads",
    "chain",
    "counts",
    "engine_flags",
)
_RANGES = {
    "runs": (1, MAX_RUNS),
    "seed": (0, 2**32 - 1),
    "memory_mib": (MIN_MEMORY, MAX_MEMORY),
    "smp": (1, MAX_SMP),
    "icount": (0, MAX_ICOUNT),
    "tb_size_mib": (1, MAX_TB_SIZE),
}


@dataclass(frozen=True)
class Suite:
    """The configurations to compare and how often.

    Guests, engines, tiers, workloads and the switches `chain` and `counts` are
    combined with each other; the rest holds for all.
    """

    guests: tuple[str, ...] = ("riscv64-debian", "riscv64-tiny")
    # Their parameters are tuned where they are declared.
    tiers: tuple[str, ...] = ("never", "threshold", "region")
    engines: tuple[str, ...] = ("node", "native")
    workloads: tuple[str, ...] = ("none",)
    # Empty: the runtime's own default.
    chain: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    fault: str | None = None
    engine_flags: tuple[str, ...] = ()
    # None: the guest's own.
    smp: int | None = None
    icount: int | None = None
    tb_size_mib: int | None = None
    runs: int = 3
    # None: the guest's own.
    timeout: float | None = None
    memory_mib: int | None = None
    seed: int = 1
    # Resume a saved machine instead of booting; without a file, one is made.
    resume: bool = False
    restore: str = ""
    # After the runs, boot once more and measure what an idle guest costs.
    idle: bool = False
    # Limits that the suite's author has set; shown when asked for.
    targets: tuple[Target, ...] = ()
    # Shown above the tables: what this is, and what to look at.
    title: str = ""
    purpose: str = ""


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
        raise TierlabError(
            f"cannot read {path}", error.strerror or str(error), status=USAGE
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TierlabError(f"{path} is not TOML", str(error), status=USAGE) from error
    return _beside(_merged(Suite(), raw, str(path)), path.parent)


def _beside(suite: Suite, directory: Path) -> Suite:
    """Descriptions of guests are named relative to the suite's file."""
    guests = (str(directory / g) if is_description(g) else g for g in suite.guests)
    return replace(suite, guests=tuple(guests))


def override(suite: Suite, where: str = "", **given: Any) -> Suite:
    """Replace what the command line names; None and empty mean not named."""
    chosen = {k: v for k, v in given.items() if v is not None and v != ()}
    chosen = {k: list(v) if isinstance(v, tuple) else v for k, v in chosen.items()}
    return _merged(suite, chosen, where)


def named_suites(directory: Path = SUITES) -> dict[str, Path]:
    """The project's own suites by name."""
    return {path.stem: path for path in sorted(directory.glob("*.toml"))}


def find_suite(text: str) -> Path:
    """The file that a user means: a path, or the name of one of our own."""
    known = named_suites()
    if text in known:
        return known[text]
    path = Path(text)
    if path.suffix != ".toml" and not path.exists():
        raise unknown("suite", text, [*known, "or a file NAME.toml"])
    return path


def check_names(suite: Suite, known: Known, where: str = "") -> Suite:
    """Refuse what does not exist; workloads in their one form."""
    for key, kind, valid in (
        ("guests", "guest", known.guests),
        ("engines", "engine", known.engines),
        ("chain", "chaining", CHAINING),
        ("counts", "counting", COUNTING),
    ):
        for name in getattr(suite, key):
            if name not in valid and not (key == "guests" and is_description(name)):
                raise unknown(kind, name, valid, f"{where}:{key}" if where else "")
    place = f"{where}:workloads" if where else ""
    workloads = (check_workload(w, known.workloads, place) for w in suite.workloads)
    return replace(suite, workloads=tuple(dict.fromkeys(workloads)))


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
    if key in _LISTS:
        return _names(value, place)
    if key == "targets":
        return read_targets(value, place)
    if key in _RANGES:
        return _integer(value, place, *_RANGES[key])
    if key in ("title", "purpose", "fault", "restore"):
        if not isinstance(value, str):
            raise _refused(place, value, "a text")
        return check_fault(value, place) if key == "fault" else value
    if key in ("idle", "resume"):
        if not isinstance(value, bool):
            raise _refused(place, value, "true or false")
        return value
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


def _refused(place: str, value: Any, wanted: str) -> TierlabError:
    what = f"{place}: {value!r} will not do"
    return TierlabError(what, f"give {wanted}", status=USAGE)
