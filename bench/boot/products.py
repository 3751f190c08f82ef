"""Where products are: built by the set-up, or put in place by a developer.

TIERLAB_PRODUCT_<NAME> (upper case, `-` as `_`) names a directory to use
instead of building that product, for work on one part with the others fixed:
    TIERLAB_PRODUCT_GUEST_RISCV64_TINY=/some/where tierlab boot riscv64-tiny
Results record the directory's name in place of the product's key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from bench.boot.errors import HarnessError

TIERS = "tiers-native"


def product_variable(name: str) -> str:
    """The variable that overrides a product."""
    return f"TIERLAB_PRODUCT_{name.upper().replace('-', '_')}"


def obtain(names: Iterable[str], console: Console) -> dict[str, Path]:
    """Directories of the products named, building what is missing."""
    found: dict[str, Path] = {}
    wanted: list[str] = []
    for name in dict.fromkeys(names):
        variable = product_variable(name)
        override = os.environ.get(variable)
        if override is None:
            wanted.append(name)
            continue
        found[name] = Path(override)
        if not found[name].is_dir():
            raise HarnessError(
                f"{variable} names no directory", override, "correct or unset it"
            )
    if wanted:
        # Late, so that overrides alone need nothing of the set-up.
        from bench.setup import ensure

        found.update(ensure(wanted, console=console))
    return found


def there(names: Iterable[str], console: Console) -> dict[str, Path]:
    """Directories of those of the products that need not be built."""
    from bench.setup import present

    found = {name: os.environ.get(product_variable(name)) for name in names}
    own = {name: Path(path) for name, path in found.items() if path is not None}
    built = present((name for name in found if name not in own), console=console)
    return {**own, **built}
