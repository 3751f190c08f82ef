"""All steps there are: one line per recipe module."""

from __future__ import annotations

import importlib
from functools import cache

from bench.setup.step import Step

RECIPES = (
    "bench.engines.browsers.recipe",
    "bench.engines.recipe",
    "bench.guests.recipe",
    "bench.micro.recipe",
    "bench.page.recipe",
    "bench.peers.v86.recipe",
    "bench.relay.recipe",
    "qemu.deps.recipe",
    "qemu.recipe",
    "tiers.recipe",
)


@cache
def steps() -> dict[str, Step]:
    """Every step by the name of its product."""
    found: dict[str, Step] = {}
    for module in RECIPES:
        for step in importlib.import_module(module).STEPS:
            if step.name in found:
                raise ValueError(f"two recipes make {step.name}")
            found[step.name] = step
    return found
