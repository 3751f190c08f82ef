"""A small checkout, a cache and steps for the store's tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.build import Context, Step
from bench.build.store import Store


@dataclass
class Bench:
    """A test's checkout and cache; `built` lists the steps that ran."""

    root: Path
    cache: Path
    built: list[str]
    said: StringIO

    def step(
        self,
        name: str,
        *needs: str,
        action: Callable[[Context], None] | None = None,
        files: tuple[str, ...] = (),
        values: tuple[str, ...] = (),
        minutes: float = 0.0,
        place: str = "",
        packages: tuple[str, ...] = (),
        uses: tuple[str, ...] = (),
    ) -> Step:
        """A step that writes its name, or does what `action` says."""

        def write(ctx: Context) -> None:
            (ctx.out / "data").write_text(f"{name}\n" * 100)
            (ctx.out / "sub").mkdir()
            (ctx.out / "sub" / "link").symlink_to("../data")

        def run(ctx: Context) -> None:
            self.built.append(name)
            (action or write)(ctx)

        title = f"making {name}"
        return Step(
            name, title, files, values, needs, run, minutes, place, packages, uses
        )

    def store(self, *steps: Step) -> Store:
        """A new store, such as another run of the program has."""
        console = Console(file=self.said, width=200)
        named = {step.name: step for step in steps}
        return Store(named, self.root, self.cache, console)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty checkout and cache."""
    root, cache = tmp_path / "checkout", tmp_path / "cache"
    root.mkdir()
    return Bench(root, cache, [], StringIO())
