"""The driver of browsers with all that it needs, as its lock file states."""

from __future__ import annotations

import shutil

from bench.build import Context, Step

HERE = "bench/engines/browsers"
LOCK = ("package.json", "package-lock.json")


def _driver(ctx: Context) -> None:
    for name in LOCK:
        shutil.copy2(ctx.root / HERE / name, ctx.out)
    ctx.npm_install(ctx.out)


STEPS: list[Step] = [
    Step(
        name="browser-driver",
        title="driver of browsers (puppeteer-core)",
        files=("bench/build/recipes/browsers.py", *(f"{HERE}/{name}" for name in LOCK)),
        values=(),
        needs=(),
        action=_driver,
        minutes=0.3,
        packages=("npm",),
        uses=("browsers",),
    ),
]
