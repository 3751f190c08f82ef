"""How tier-list is made: the program that tells the harness the policies."""

from __future__ import annotations

from bench.build import Context, Step, cmake


def _build(ctx: Context) -> None:
    cmake.build_native(ctx, ("tiers",), "tiers")


STEPS = [
    Step(
        name="tiers-native",
        title="Policies (native)",
        files=(
            *cmake.FILES,
            "tiers/CMakeLists.txt",
            "tiers/*.[ch]",
            "tiers/*.def",
            "tiers/sources.txt",
            "tiers/policies/*.c",
            "tiers/evictions/*.c",
            "tiers/buffers/*.c",
            "tiers/tools/*.c",
        ),
        values=(),
        needs=(),
        action=_build,
        minutes=0.1,
    )
]
