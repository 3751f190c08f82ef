"""The architecture of a program, by its ELF header."""

from __future__ import annotations

_MAGIC = b"\x7fELF"
# Machine and class (32 or 64 bits) -> our name.
_MACHINES = {
    (243, 2): "riscv64",
    (183, 2): "aarch64",
    (62, 2): "x86_64",
    (3, 1): "i386",
}


def architecture(head: bytes) -> str:
    """Our name of the architecture; "" if it is no program of one of ours."""
    if len(head) < 20 or not head.startswith(_MAGIC):
        return ""
    order = "little" if head[5] == 1 else "big"
    machine = int.from_bytes(head[18:20], order)  # type: ignore[arg-type]
    return _MACHINES.get((machine, head[4]), f"another (ELF machine {machine})")
