"""What to compare: defaults, a suite file, or the command line's choice.

A suite is a TOML file with the keys of Suite; an option on the command line replaces
the file's value.  Every refusal names the key.  The suites that come with the project
are in bench/harness/suites/; users name them without directory and suffix.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from analysis.targets import Target
from bench.base.errors import USAGE, TierlabError, unknown
from bench.base.settings import SETTINGS, SWITCHES, Shared, default
from bench.base.values import Choice, refused
from bench.engines.base import Switches
from bench.guests.catalogue import IMAGE
from bench.guests.devices.base import split_settings
from bench.guests.names import UNATTENDED, check_workload, is_description
from bench.harness.run.images import IMAGE_SETTINGS
from bench.harness.suites.targets import read_targets

SUITES = Path(__file__).resolve().parent

# Keys of texts that explain the suite; they are no settings.
_WORDS = ("title", "purpose")
_TARGETS = "targets"
_IMAGE, _ROOT, _COMMAND = "image", "root", "command"
_SETTINGS = {one.suite_key: one for one in SETTINGS if one.suite is not None}


@dataclass(frozen=True)
class Suite(Shared):
    """The configurations to compare and how often.

    Guests, engines, tiers, workloads and the switches `chain`, `counts`, `fp` and `tlb`
    are combined with each other; all other settings hold for every configuration. The
    table of settings (bench.base.settings) has the values and the default of each.
    """

    # If empty, the Debian guest of the image's architecture.
    guests: tuple[str, ...] = default("guest")
    # The default policies have the default parameters, which tiers/ declares.
    tiers: tuple[str, ...] = default("tier")
    engines: tuple[str, ...] = default("engine")
    workloads: tuple[str, ...] = default("workload")
    # If empty, the runtime's own default holds.
    chain: tuple[str, ...] = default("chain")
    counts: tuple[str, ...] = default("counts")
    fp: tuple[str, ...] = default("fp")
    tlb: tuple[str, ...] = default("tlb")
    fault: str | None = default("fault")
    runs: int = default("runs")
    # If None, the guest's own limit holds.
    timeout: float | None = default("timeout")
    # The image or the folder that is the root of all guests, and what runs in it; if
    # empty, the image's own command.
    image: str = default("image")
    root: str = default("root")
    command: tuple[str, ...] = ()
    # Resume a saved machine in place of booting: that of the file `restore`, or one
    # that an earlier boot saves.
    resume: bool = default("resume")
    restore: str = default("restore")
    # After the runs, boot once more and measure what an idle guest costs.
    idle: bool = default("idle")
    # Limits that the suite's author has set; shown with --targets.
    targets: tuple[Target, ...] = ()
    # Texts shown above the tables: what the suite compares, and what to look at.
    title: str = ""
    purpose: str = ""


@dataclass(frozen=True)
class Known:
    """The names that a suite may use; tier-list checks the names of tiers."""

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
    suite = Suite()
    if _IMAGE in raw or _ROOT in raw:
        # What the image's guest is, only the image says.
        suite = replace(suite, guests=(), workloads=(IMAGE,))
    suite = _beside(_merged(suite, raw, str(path)), path.parent)
    _check_root(suite, str(path))
    return suite


def _beside(suite: Suite, directory: Path) -> Suite:
    """The suite with the paths in it made relative to `directory`."""
    guests = (str(directory / g) if is_description(g) else g for g in suite.guests)
    return replace(
        suite,
        guests=tuple(guests),
        image=suite.image and str(directory / suite.image),
        root=suite.root and str(directory / suite.root),
    )


def _check_root(suite: Suite, where: str) -> None:
    """Refuse a root that is not there, before anything is built."""
    why, key = "", _IMAGE
    next_step = "give a path relative to the suite's folder"
    if suite.image and suite.root:
        why, next_step = f"it excludes '{_ROOT}'", "leave out one of them"
    elif suite.image:
        path, _ = split_settings(suite.image, f"{where}:{_IMAGE}", IMAGE_SETTINGS)
        why = "" if path.exists() else f"there is no {path}"
    elif suite.root:
        key = _ROOT
        why = "" if Path(suite.root).is_dir() else f"there is no folder {suite.root}"
    elif suite.command:
        why, key = "it runs in an image", _COMMAND
        next_step = f"add '{_IMAGE}' or '{_ROOT}', or leave it out"
    if why:
        raise TierlabError(f"{where}:{key}", why, next_step, status=USAGE)


def override(suite: Suite, where: str = "", **given: Any) -> Suite:
    """Replace settings by those given; None and an empty tuple mean not given."""
    chosen = {k: v for k, v in given.items() if v is not None and v != ()}
    chosen = {k: list(v) if isinstance(v, tuple) else v for k, v in chosen.items()}
    return _merged(suite, chosen, where)


def named_suites(directory: Path = SUITES) -> dict[str, Path]:
    """The project's own suites by name."""
    return {path.stem: path for path in sorted(directory.glob("*.toml"))}


def find_suite(text: str) -> Path:
    """The suite file that a user means: a path, or the name of one of our suites."""
    known = named_suites()
    if text in known:
        return known[text]
    path = Path(text)
    if path.suffix != ".toml" and not path.exists():
        raise unknown("suite", text, [*known, "or a file NAME.toml"])
    return path


def check_names(suite: Suite, known: Known, where: str = "") -> Suite:
    """Refuse names that do not exist; gives the suite with canonical workloads."""
    for key, kind, valid in (
        ("guests", "guest", known.guests),
        ("engines", "engine", known.engines),
    ):
        for name in getattr(suite, key):
            if name not in valid and not (key == "guests" and is_description(name)):
                raise unknown(kind, name, valid, f"{where}:{key}" if where else "")
    for key, one in _SETTINGS.items():
        if isinstance(one.values, Choice):
            for name in getattr(suite, key):
                one.values.check(name, f"{where}:{key}" if where else "")
    place = f"{where}:workloads" if where else ""
    workloads = (check_workload(w, known.workloads, place) for w in suite.workloads)
    return replace(suite, workloads=tuple(dict.fromkeys(workloads)))


def _merged(suite: Suite, raw: dict[str, Any], where: str) -> Suite:
    keys = [*_SETTINGS, _COMMAND, _TARGETS, *_WORDS]
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in keys:
            raise unknown("key", key, keys, f"{where}:{key}" if where else key)
        values[key] = _checked(key, value, where)
    return replace(suite, **values)


def _checked(key: str, value: Any, where: str) -> Any:
    if key == _TARGETS:
        return read_targets(value, f"{where}:{key}")
    if key == _COMMAND:
        return _words(value, f"{where}:{key}" if where else key)
    one = _SETTINGS.get(key)
    if one is None:
        if not isinstance(value, str):
            raise refused(f"{where}:{key}", value, "a text")
        return value
    place = f"{where}:{key}" if where else one.option
    if one.listed or (one.suite and one.suite.several):
        return _names(value, place)
    return one.values.check(value, place)


def _names(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise refused(place, value, "a list of at least one name")
    if not all(isinstance(name, str) and name for name in value):
        raise refused(place, value, "a list of names")
    return tuple(dict.fromkeys(value))


def _words(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not value[0]:
        raise refused(place, value, "a list: a program and its arguments")
    if not all(isinstance(word, str) for word in value):
        raise refused(place, value, "a list of texts")
    return tuple(value)


def combined(suite: Suite) -> list[Switches]:
    """Each combination of the switches that the suite names."""
    given = [getattr(suite, one.suite_key) for one in SWITCHES]
    values = [v if isinstance(v, tuple) else (v,) for v in given]
    keys = [one.key for one in SWITCHES]
    return [
        Switches(**dict(zip(keys, chosen, strict=True)))
        for chosen in product(*(v or (None,) for v in values))
    ]


def shared_settings(settings: Shared) -> dict[str, Any]:
    """The settings that all boots of a comparison share."""
    return {one.name: getattr(settings, one.name) for one in fields(Shared)}
