"""How the network relay is made: natively, for the machine that boots guests."""

from __future__ import annotations

from bench.setup import Context, Step
from bench.setup.upstream import installed

HERE = "bench/relay"


def _build(ctx: Context) -> None:
    build = str(ctx.work / "build")
    configure = ["cmake", "--preset", "native", "-B", build]
    configure += [f"-DTIERLAB_PARTS={HERE}", "-DBUILD_TESTING=OFF"]
    ctx.run(configure, cwd=ctx.root)
    ctx.run(["cmake", "--build", build, "--parallel", str(ctx.jobs)])
    install = ["cmake", "--install", build, "--component", "relay"]
    ctx.run([*install, "--prefix", str(ctx.out)])


STEPS = [
    Step(
        name="relay",
        title="Network relay (native)",
        files=(
            "CMakeLists.txt",
            "CMakePresets.json",
            f"{HERE}/recipe.py",
            f"{HERE}/CMakeLists.txt",
            f"{HERE}/*.[ch]",
        ),
        values=(installed("libwebsockets-dev", "libslirp-dev"),),
        needs=(),
        action=_build,
        minutes=0.1,
    )
]
