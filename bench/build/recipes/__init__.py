"""How each product is made. A recipe is one module and one line here.

Guests have recipes of their own (bench/guests/recipe.py), because those walk the
catalogue of guests; bench/harness/products.py puts both together.
"""

from __future__ import annotations

from bench.build.recipes import (
    browsers,
    container,
    libraries,
    linters,
    micro,
    node,
    page,
    qemu,
    relay,
    tiers,
    v86,
)
from bench.build.step import Step

STEPS: tuple[Step, ...] = (
    *browsers.STEPS,
    *container.STEPS,
    *libraries.STEPS,
    *linters.STEPS,
    *micro.STEPS,
    *node.STEPS,
    *page.STEPS,
    *qemu.STEPS,
    *relay.STEPS,
    *tiers.STEPS,
    *v86.STEPS,
)
