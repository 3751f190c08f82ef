"""Builds the bare-metal images with Debian's cross compilers.

    build("riscv64-m", directory) -> directory/riscv64-m.elf

Tests build what they boot; `python3 -m bench.guests.metal.build DIRECTORY` builds all.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
_COMMON = (
    "-std=gnu17 -O2 -g0 -Wall -Wextra -Werror -ffreestanding -nostdlib -static"
    " -fno-pic -no-pie -fno-stack-protector -fno-asynchronous-unwind-tables"
    " -ffp-contract=off -Wl,--build-id=none -Wl,--no-warn-rwx-segments"
)


@dataclass(frozen=True)
class Image:
    """An image: its machine, and options of the compiler."""

    name: str
    arch: str
    base: int
    options: str
    # Options for machine.c, which runs in interrupts: no vectors, no floating point.
    machine_options: str

    @property
    def description(self) -> Path:
        """The file that describes how to boot the image."""
        return HERE / f"{self.name}.toml"


_RISCV = "-mabi=lp64d -mcmodel=medany -march="
IMAGES = (
    Image("riscv64-m", "riscv64", 0x80000000, f"{_RISCV}rv64gc", f"{_RISCV}rv64gc"),
    Image("riscv64-v", "riscv64", 0x80000000, f"{_RISCV}rv64gcv", f"{_RISCV}rv64gc"),
    Image(
        "riscv64-s",
        "riscv64",
        0x80200000,
        f"-DMETAL_S_MODE {_RISCV}rv64gc",
        f"-DMETAL_S_MODE {_RISCV}rv64gc",
    ),
    Image(
        "aarch64",
        "aarch64",
        0x40080000,
        "-march=armv8-a -mno-outline-atomics",
        "-march=armv8-a -mgeneral-regs-only",
    ),
    Image(
        "x86_64",
        "x86_64",
        0x100000,
        "-m64 -mno-red-zone -msse2",
        "-m64 -mno-red-zone -mgeneral-regs-only",
    ),
)


def find(name: str) -> Image:
    """The image of that name."""
    return next(image for image in IMAGES if image.name == name)


def build(name: str, directory: Path) -> Path:
    """Compile and link the image; an error has the compiler's own words."""
    image = find(name)
    compiler = f"{image.arch}-linux-gnu-gcc"
    out = directory / f"{name}.elf"
    machine = directory / f"{name}-machine.o"
    sources = [HERE / "main.c", *sorted((HERE / "checks").glob("*.c"))]
    place = HERE / image.arch
    options = [*_COMMON.split(), *image.options.split()]
    _run(
        [compiler, *_COMMON.split(), *image.machine_options.split()]
        + ["-c", "-o", str(machine), str(place / "machine.c")]
    )
    _run(
        [compiler, *options, f"-Wl,--defsym=METAL_BASE={image.base:#x}"]
        + ["-T", str(HERE / "link.ld"), "-o", str(out)]
        + [str(place / "start.S"), *map(str, sources), str(machine), "-lgcc"]
    )
    return out


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}:\n{done.stderr}")


if __name__ == "__main__":
    for wanted in IMAGES:
        print(build(wanted.name, Path(sys.argv[1])))
