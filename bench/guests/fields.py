"""Typed access to a decoded TOML table; an error is one line.

Every error begins with the place: FILE:key.  finish() refuses keys that nobody
asked for, and names the key that was probably meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bench.guests.catalogue import GuestError

_REQUIRED = object()


class Fields:
    """A table that notes which of its keys were asked for."""

    def __init__(self, raw: Mapping[str, Any], where: str) -> None:
        self._raw = raw
        self._where = where
        self._known: list[str] = []

    def has(self, key: str) -> bool:
        """Whether the table has the key."""
        self._known.append(key)
        return key in self._raw

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        """A text that is not empty."""
        value = self._get(key, default)
        if value is not default and not (isinstance(value, str) and value):
            raise self.wrong(key, value, "a text")
        return value

    def choice(self, key: str, valid: Sequence[str], default: Any = _REQUIRED) -> Any:
        """One of these texts."""
        value = self.text(key, default)
        if value is not default and value not in valid:
            raise self.wrong(key, value, f"one of {', '.join(valid)}")
        return value

    def number(self, key: str, low: int, high: int, default: Any = _REQUIRED) -> Any:
        """A whole number."""
        value = self._get(key, default)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not default and not (whole and low <= value <= high):
            raise self.wrong(key, value, f"a whole number from {low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        """true or false; false if it is not there."""
        value = self._get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def seconds(self, key: str, default: float | None) -> float | None:
        """A time, more than 0."""
        value = self._get(key, default)
        if value is default:
            return default
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 < value < 1e9:
            raise self.wrong(key, value, "seconds, more than 0")
        return float(value)

    def texts(self, key: str, default: Any = ()) -> Any:
        """A list of texts."""
        value = self._get(key, default)
        if value is default:
            return default
        if not isinstance(value, list) or not all(
            isinstance(v, str) and v for v in value
        ):
            raise self.wrong(key, value, "a list of texts")
        return tuple(value)

    def regex(self, key: str) -> re.Pattern[str] | None:
        """A regular expression, or None."""
        value = self.text(key, None)
        return None if value is None else self._compiled(key, value)

    def regexes(self, key: str, default: Any) -> Any:
        """A list of regular expressions, as texts."""
        values = self.texts(key, default)
        if values is not default:
            for value in values:
                self._compiled(key, value)
        return values

    def table(self, key: str) -> Fields:
        """A table inside; empty if it is not there."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, value, "a table")
        return Fields(value, f"{self._where}:{key}")

    def tables(self, key: str) -> list[Fields]:
        """A list of tables; empty if it is not there."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise self.wrong(key, value, f"[[{key}]] tables")
        return [Fields(v, f"{self._where}:{key}[{n}]") for n, v in enumerate(value)]

    def patterns(self) -> dict[str, re.Pattern[str]]:
        """The whole table: names to regular expressions."""
        return {key: self._compiled(key, self.text(key)) for key in self._raw}

    def finish(self) -> None:
        """Refuse the first key that nobody asked for."""
        for key in self._raw:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else self._valid()
                raise GuestError(f"{self._where}: unknown key '{key}'; {hint}")

    def wrong(self, key: str, value: Any, wanted: str) -> GuestError:
        """The error about a key's value."""
        return self.error(key, f"{value!r} will not do; give {wanted}")

    def error(self, key: str, why: str) -> GuestError:
        """An error about a key."""
        return GuestError(" ".join(f"{self._where}:{key}: {why}".split()))

    def _get(self, key: str, default: Any) -> Any:
        self._known.append(key)
        if key in self._raw:
            return self._raw[key]
        if default is _REQUIRED:
            raise GuestError(f"{self._where}: the key '{key}' is missing")
        return default

    def _compiled(self, key: str, value: str) -> re.Pattern[str]:
        try:
            return re.compile(value)
        except re.error as error:
            why = f"no regular expression ({error})"
            raise self.error(key, f"{value!r} is {why}") from error

    def _valid(self) -> str:
        return f"valid: {', '.join(dict.fromkeys(self._known))}"
