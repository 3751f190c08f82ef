"""Native programs of this repository, by CMake."""

from __future__ import annotations

from bench.build.step import Context

FILES = ("CMakeLists.txt", "CMakePresets.json", "bench/build/cmake.py")


def build_native(
    ctx: Context, parts: tuple[str, ...], component: str, target: str = "all"
) -> None:
    """Build these folders without their tests, and install one of their components."""
    build = str(ctx.work / "build")
    configure = ["cmake", "--preset", "native", "-B", build]
    configure += [f"-DTIERLAB_PARTS={';'.join(parts)}", "-DBUILD_TESTING=OFF"]
    ctx.run(configure, cwd=ctx.root)
    make = ["cmake", "--build", build, "--target", target]
    ctx.run([*make, "--parallel", str(ctx.jobs)])
    install = ["cmake", "--install", build, "--component", component]
    ctx.run([*install, "--prefix", str(ctx.out)])
