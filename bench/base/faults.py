"""Faults that a user asks for: which compilations are to fail."""

from __future__ import annotations

import re
from functools import cache

from bench.base.errors import USAGE, TierlabError, unknown
from bench.base.places import ROOT

REFUSALS = ROOT / "tiers" / "refusals.def"
MAX_EVERY = 2**32 - 1


@cache
def reasons() -> tuple[str, ...]:
    """The reasons that the engine can be told to fail for, as it has them."""
    text = REFUSALS.read_text(encoding="utf-8")
    keys = re.findall(r'^COMPILE_REFUSAL\(\w+,\s*"([^"]+)"', text, re.MULTILINE)
    return tuple(key for key in keys if key != "none")


def check_fault(text: str, where: str = "--fault") -> str:
    """REASON:N[,REASON:N...], or a usage error."""
    for item in text.split(","):
        reason, _, every = item.partition(":")
        if reason not in reasons():
            raise unknown("reason", reason, reasons(), where)
        if not every.isdecimal() or not 1 <= int(every) <= MAX_EVERY:
            raise TierlabError(
                f"{where}: {item!r} will not do",
                "it does not say how many modules apart",
                f"give REASON:N, as {reason}:7",
                status=USAGE,
            )
    return text
