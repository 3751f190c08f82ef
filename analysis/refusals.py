"""TBs that could not be compiled: what a run counted, said as warnings.

A TB that is not compiled goes on being interpreted, so a run in which the engine
refuses every module is a good run with the times of an interpreter.  A table that did
not say so would compare tiers that were never there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Counters of reasons that say that something is wrong, and what they mean.  Not among
# them: limits that a policy or its parameters set, and TBs that were invalidated.
ALARMING: Mapping[str, str] = {
    "refused_engine_refused": "the engine refused their modules",
    "refused_bad_bytecode": "their bytecode does not verify",
    "refused_no_memory": "there was no memory for their modules",
    "refused_table_full": "the engine's function table was full",
}
# How the runtime passes on what the engine said, on stderr.
_SAID = re.compile(r"the engine refused a module: (.+)")

Refusals = Mapping[str, int]


def refusals(counters: Mapping[str, float]) -> dict[str, int]:
    """The alarming reasons of a run, and how many TBs were refused for each.

    A TB that is asked for again and refused again counts again.
    """
    return {name: int(counters[name]) for name in ALARMING if counters.get(name)}


def engine_said(stderr: str) -> str:
    """The engine's own words at the first module that it refused; "" if none."""
    found = _SAID.search(stderr)
    return found[1].strip() if found else ""


def most(each: Iterable[Refusals]) -> dict[str, int]:
    """Of several runs the greatest number for each reason."""
    found: dict[str, int] = {}
    for one in each:
        for name, count in one.items():
            found[name] = max(found.get(name, 0), count)
    return found


def warnings(refused: Refusals, said: str) -> list[str]:
    """One line for each reason."""
    return [
        f"{count:,} TBs were not compiled: {ALARMING[name]}"
        + (f" ({said})" if said and name == "refused_engine_refused" else "")
        for name, count in refused.items()
    ]
