"""How the microbenchmarks are made: natively, and as Wasm for the engine."""

from __future__ import annotations

from bench.build import Context, Step, cmake
from bench.build.recipes import emscripten as toolchain
from bench.build.upstream import installed

HERE = "bench/micro"
CODE = ("tcg-wasm/*.[ch]", "tcg-wasm/*.inc", "tcg-wasm/sources.txt", "tiers/*.def")
OURS = ("bench/build/recipes/micro.py", f"{HERE}/*.[ch]")


def _native(ctx: Context) -> None:
    parts = ("tiers", "tcg-wasm", "bench/micro")
    cmake.build_native(ctx, parts, "micro", "micro-native")


def _wasm(ctx: Context) -> None:
    """Build one program, with the memory and the threads of QEMU's program."""
    library = ctx.root / "tcg-wasm"
    listed = (library / "sources.txt").read_text(encoding="utf-8").splitlines()
    sources = [library / name for name in listed if name.endswith(".c")]
    sources.append(library / "host-emscripten.c")
    for name in ("code.c", "machine.c", "tb-mix.c"):
        sources.append(ctx.root / HERE / name)
    sources += sorted((ctx.root / HERE / "engine").glob("*.c"))
    flags = ["-std=gnu11", "-O3", "-Wall", "-Wextra", "-Werror"]
    flags += [*toolchain.FLAGS, f"-I{ctx.root}"]
    env = toolchain.environment(ctx)
    objects = []
    for source in sources:
        objects.append(f"{ctx.work}/{source.parent.name}-{source.stem}.o")
        ctx.run(["emcc", *flags, "-c", str(source), "-o", objects[-1]], env=env)
    settings = {
        "PROXY_TO_PTHREAD": "1",
        "EXIT_RUNTIME": "1",
        "ENVIRONMENT": "worker,node",
        "ALLOW_TABLE_GROWTH": "1",
        "ALLOW_MEMORY_GROWTH": "1",
        "INITIAL_MEMORY": "67108864",
        "MAXIMUM_MEMORY": "4294967296",
        "MALLOC": "mimalloc",
        "STACK_SIZE": "1048576",
    }
    link = [f"-s{name}={value}" for name, value in settings.items()]
    program = str(ctx.out / "micro-engine.js")
    link += ["-O2", *toolchain.FLAGS, "-Wno-pthreads-mem-growth", "-o", program]
    ctx.run(["emcc", *objects, *link], env=env)


STEPS: list[Step] = [
    Step(
        name="micro-native",
        title="Microbenchmarks (native)",
        files=(
            *cmake.FILES,
            "tcg-wasm/CMakeLists.txt",
            "tcg-wasm/tools/*.c",
            "tiers/CMakeLists.txt",
            "tiers/sources.txt",
            "tiers/*.[ch]",
            "tiers/policies/*.c",
            "tiers/evictions/*.c",
            "tiers/buffers/*.c",
            "tiers/tools/*.c",
            *CODE,
            *OURS,
            f"{HERE}/CMakeLists.txt",
            f"{HERE}/native/*",
        ),
        values=(installed("libbenchmark-dev"),),
        needs=(),
        action=_native,
        minutes=0.5,
    ),
    Step(
        name="micro-wasm",
        title="Microbenchmarks (Wasm)",
        files=(
            *toolchain.FILES,
            *CODE,
            *OURS,
            f"{HERE}/engine/*.[ch]",
        ),
        values=(toolchain.identity(),),
        needs=(),
        action=_wasm,
        minutes=0.5,
    ),
]
