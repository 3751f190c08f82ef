"""How long steps took on this machine, kept in the cache."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from bench.base.files import write_json
from bench.base.lock import locked

FILE = "times.json"


@dataclass(frozen=True)
class Taken:
    """One making of a product, or one stage of the tests."""

    seconds: float
    ended: float
    """Seconds since 1970."""


def record(cache: Path, name: str, seconds: float) -> None:
    """Keep how long `name` took just now, in place of what was known of it."""
    with locked(cache, FILE):
        known = {n: [t.seconds, t.ended] for n, t in recorded(cache).items()}
        known[name] = [round(seconds, 1), round(time.time(), 1)]
        write_json(cache / FILE, known)


def recorded(cache: Path) -> dict[str, Taken]:
    """All that is known; what cannot be read is not known."""
    try:
        content = json.loads((cache / FILE).read_text(encoding="utf-8"))
        return {
            name: Taken(float(seconds), float(ended))
            for name, (seconds, ended) in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
