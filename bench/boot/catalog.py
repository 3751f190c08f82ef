"""Which guests there are: one product each, declared by the guests' recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "guest-"
_VARIABLE = "TIERLAB_PRODUCT_GUEST_"


@dataclass(frozen=True)
class GuestEntry:
    """A guest that can be asked for, built or not."""

    name: str
    title: str

    @property
    def product(self) -> str:
        """The product that holds it."""
        return PREFIX + self.name

    @property
    def arch(self) -> str:
        """Architecture, the first word of every guest's name."""
        return self.name.partition("-")[0]


def known_guests(environ: Mapping[str, str] | None = None) -> dict[str, GuestEntry]:
    """Guests of the recipe, then a developer's own (see bench.boot.products)."""
    # Late: the recipe pulls in the whole set-up.
    from bench.guests.recipe import STEPS

    names = {
        step.name.removeprefix(PREFIX): step.title
        for step in STEPS
        if step.name.startswith(PREFIX)
    }
    for variable in sorted(os.environ if environ is None else environ):
        if variable.startswith(_VARIABLE):
            own = variable.removeprefix(_VARIABLE).lower().replace("_", "-")
            names.setdefault(own, "a developer's own, from the environment")
    return {name: GuestEntry(name, title) for name, title in names.items()}
