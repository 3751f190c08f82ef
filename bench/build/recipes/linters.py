"""TypeScript and ESLint, which check all JavaScript, as a lock file states them."""

from __future__ import annotations

import shutil

from bench.build import Context, Step

PRODUCT = "javascript-linters"
HERE = "bench/cli/javascript"
LOCK = ("package.json", "package-lock.json")


def _linters(ctx: Context) -> None:
    for name in LOCK:
        shutil.copy2(ctx.root / HERE / name, ctx.out)
    ctx.npm_install(ctx.out)


STEPS: list[Step] = [
    Step(
        name=PRODUCT,
        title="linters of JavaScript (TypeScript, ESLint)",
        files=("bench/build/recipes/linters.py", *(f"{HERE}/{name}" for name in LOCK)),
        values=(),
        needs=(),
        action=_linters,
        minutes=0.5,
        packages=("npm",),
    ),
]
