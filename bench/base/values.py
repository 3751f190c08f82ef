"""What a setting may hold: whole numbers, seconds, one of several words, texts.

Each kind reads a word of the command line, checks a value of a suite file, and says
in words what it takes. Both refusals come from the same place, so the command line
and suite files accept and refuse the same, in the same words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.base.errors import USAGE, TierlabError, unknown
from bench.base.faults import check_fault

# No boot is given more time than that: 30 years.
MAX_SECONDS = 1e9


def refused(place: str, value: Any, wanted: str) -> TierlabError:
    """The usage error about a value: where it stands, and what to give instead."""
    what = f"{place}: {value!r} will not do"
    return TierlabError(what, f"give {wanted}", status=USAGE)


class Values(ABC):
    """The values that a setting takes."""

    @property
    @abstractmethod
    def wanted(self) -> str:
        """What to give, as an error says it."""

    @property
    @abstractmethod
    def shown(self) -> str:
        """The values in short, for a table."""

    @abstractmethod
    def check(self, value: Any, place: str) -> Any:
        """The value, or a usage error that names the place."""

    def read(self, word: str, place: str) -> Any:
        """The value that a word of the command line stands for."""
        return self.check(word, place)

    def as_json(self) -> dict[str, Any]:
        """For the page's controls, in the form of policies' parameters."""
        raise NotImplementedError(f"the page has no control for {self.shown}")

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema."""


@dataclass(frozen=True)
class Whole(Values):
    """A whole number of a range, both ends included."""

    low: int
    high: int

    @property
    def wanted(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    @property
    def shown(self) -> str:
        return f"{self.low} to {self.high}"

    def check(self, value: Any, place: str) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not self.low <= value <= self.high:
            raise refused(place, value, self.wanted)
        return int(value)

    def read(self, word: str, place: str) -> int:
        try:
            number = int(word)
        except ValueError:
            raise refused(place, word, self.wanted) from None
        return self.check(number, place)

    def as_json(self) -> dict[str, Any]:
        return {
            "type": "u64",
            "min": self.low,
            "max": self.high,
            "range": self.wanted,
        }

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Seconds(Values):
    """A time of more than 0, in seconds."""

    @property
    def wanted(self) -> str:
        return "seconds, more than 0"

    @property
    def shown(self) -> str:
        return "more than 0"

    def check(self, value: Any, place: str) -> float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 < value < MAX_SECONDS:
            raise refused(place, value, self.wanted)
        return float(value)

    def read(self, word: str, place: str) -> float:
        try:
            number = float(word)
        except ValueError:
            raise refused(place, word, self.wanted) from None
        return self.check(number, place)

    def schema(self) -> dict[str, Any]:
        return {
            "type": "number",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": MAX_SECONDS,
        }


@dataclass(frozen=True)
class Choice(Values):
    """One of a few words; `kind` is what an error calls them."""

    kind: str
    names: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.names)}"

    @property
    def shown(self) -> str:
        return ", ".join(self.names)

    def check(self, value: Any, place: str) -> str:
        if value not in self.names:
            raise unknown(self.kind, str(value), self.names, place)
        return str(value)

    def as_json(self) -> dict[str, Any]:
        return {"type": "enum", "choices": list(self.names), "range": self.wanted}

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.names)}


@dataclass(frozen=True)
class Text(Values):
    """A text that is not empty, of the form that `shown` has."""

    form: str

    @property
    def wanted(self) -> str:
        return "a text"

    @property
    def shown(self) -> str:
        return self.form

    def check(self, value: Any, place: str) -> str:
        if not isinstance(value, str) or not value:
            raise refused(place, value, self.wanted)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class Faults(Text):
    """REASON:N,... with the reasons that tiers/refusals.def lists."""

    def check(self, value: Any, place: str) -> str:
        return check_fault(super().check(value, place), place)


@dataclass(frozen=True)
class File(Text):
    """The path of a file."""

    def read(self, word: str, place: str) -> Path:
        return Path(self.check(word, place))


@dataclass(frozen=True)
class Flag(Values):
    """Yes or no; on the command line, a flag without a value."""

    @property
    def wanted(self) -> str:
        return "true or false"

    @property
    def shown(self) -> str:
        return "true, false"

    def check(self, value: Any, place: str) -> bool:
        if not isinstance(value, bool):
            raise refused(place, value, self.wanted)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}
