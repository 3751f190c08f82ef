"""The guests' own programs: C without a library, by Debian's cross compilers."""

from __future__ import annotations

from bench.build import Context
from bench.build.upstream import installed
from bench.guests.sources import Architecture

SOURCES = "bench/guests/userland/src"

_FLAGS = (
    "-std=gnu11",
    "-O2",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-pie",
    "-fno-tree-loop-distribute-patterns",  # else gcc turns loops into calls of memcpy
    "-nostdlib",
    "-static",
    "-no-pie",
    "-s",
    "-Wall",
    "-Wextra",
    "-Werror",
)

# Each program and its files; `semihost` is for machines with semihosting.
_PROGRAMS = {
    "stress": ("stress.c", "litmus.c", "locks.c"),
    "mechanisms": (
        "mechanisms.c",
        "patterns-code.c",
        "patterns-float.c",
        "patterns-kernel.c",
        "code-riscv64.c",
        "code-aarch64.c",
        "code-x86.c",
    ),
    "semihost": ("semihost.c",),
    "terminal": ("terminal.c",),
    "enter": ("enter.c",),
}
_ONLY = {"semihost": ("aarch64",)}

# Options that give a program more of the instruction set: compare and exchange of
# 16 bytes, and on i386 of 8.
_ARCH_FLAGS = {
    "x86_64": ("-mcx16",),
    "i386": ("-march=i686",),
    "aarch64": ("-march=armv8-a", "-mno-outline-atomics"),
    "riscv64": ("-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany"),
}


def names(architecture: Architecture) -> tuple[str, ...]:
    """The names of the programs for an architecture."""
    arch = architecture.name
    return tuple(name for name in _PROGRAMS if arch in _ONLY.get(name, (arch,)))


def command(architecture: Architecture, name: str, source: str, out: str) -> list[str]:
    """The compiler's command line for one program."""
    flags = (*_FLAGS, *_ARCH_FLAGS[architecture.name], *architecture.flags)
    files = [f"{source}/{file}" for file in ("start.c", *_PROGRAMS[name])]
    return [f"{architecture.compiler}gcc", *flags, "-o", out, *files]


def identity(architecture: Architecture) -> str:
    """The compiler's facts, for the product's key."""
    return installed(architecture.compiler_package)


def build(ctx: Context, architecture: Architecture) -> None:
    """Compile the programs into `ctx.out`."""
    source = str(ctx.root / SOURCES)
    for name in names(architecture):
        ctx.run(command(architecture, name, source, str(ctx.out / name)))
