"""How tier-list is made, which tells the harness what policies there are."""

from __future__ import annotations

from bench.setup import Context, Step


def _build(ctx: Context) -> None:
    build = str(ctx.work / "build")
    configure = ["cmake", "--preset", "native", "-B", build]
    configure += ["-DTIERLAB_PARTS=tiers", "-DBUILD_TESTING=OFF"]
    ctx.run(configure, cwd=ctx.root)
    ctx.run(["cmake", "--build", build, "--parallel", str(ctx.jobs)])
    install = ["cmake", "--install", build, "--component", "tiers"]
    ctx.run([*install, "--prefix", str(ctx.out)])


STEPS = [
    Step(
        name="tiers-native",
        title="Policies (native)",
        files=(
            "CMakeLists.txt",
            "CMakePresets.json",
            "tiers/CMakeLists.txt",
            "tiers/*.[ch]",
            "tiers/*.def",
            "tiers/policies/*.c",
            "tiers/evictions/*.c",
            "tiers/tools/*.c",
        ),
        values=(),
        needs=(),
        action=_build,
        minutes=0.1,
    )
]
