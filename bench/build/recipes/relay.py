"""How the network relay is made: natively, for the machine that runs the harness."""

from __future__ import annotations

from bench.build import Context, Step, cmake
from bench.build.upstream import installed

HERE = "bench/engines/relay"


def _build(ctx: Context) -> None:
    cmake.build_native(ctx, (HERE,), "relay")


STEPS = [
    Step(
        name="relay",
        title="Network relay (native)",
        files=(
            *cmake.FILES,
            "bench/build/recipes/relay.py",
            f"{HERE}/CMakeLists.txt",
            f"{HERE}/*.[ch]",
        ),
        values=(installed("libwebsockets-dev", "libslirp-dev"),),
        needs=(),
        action=_build,
        minutes=0.1,
    )
]
