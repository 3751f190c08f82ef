"""The guests and workloads there are: one line each, everything else follows.

Recipes, `tierlab guests` and the harness walk these lists. Whether a guest is
built, and from which versions, is in its product's guest.json (manifest.py).
"""

from __future__ import annotations

from dataclasses import dataclass


class GuestError(Exception):
    """What is wrong with a guest or its name: one line for the user."""


@dataclass(frozen=True)
class Workload:
    """What /init does between its markers workload-start and workload-end."""

    name: str
    title: str
    interactive: bool = False


@dataclass(frozen=True)
class GuestSpec:
    """A guest as it is declared: what is known before it is built."""

    name: str
    title: str
    arch: str  # as in qemu-system-ARCH
    machine: str  # QEMU's -M
    memory_mib: int
    append: str  # kernel command line without the workload's words

    @property
    def product(self) -> str:
        """The name of the build product that holds it."""
        return f"guest-{self.name}"


# Deterministic consoles: no timestamps, nothing placed at random, the initrd
# unpacked in line. A panic or oops ends the boot at once (QEMU's -no-reboot).
_DETERMINISTIC = (
    "printk.time=0 nokaslr norandmaps initramfs_async=0 oops=panic panic=-1"
)
# earlycon: the first lines come when they are written, so that the marker of
# the kernel's start means something.
_RISCV64 = f"earlycon console=ttyS0 {_DETERMINISTIC}"

GUESTS: tuple[GuestSpec, ...] = (
    GuestSpec(
        "riscv64-tiny",
        "small kernel from Debian's linux-source, busybox",
        "riscv64",
        "virt",
        256,
        _RISCV64,
    ),
    GuestSpec(
        "riscv64-debian",
        "Debian's own kernel, busybox",
        "riscv64",
        "virt",
        256,
        _RISCV64,
    ),
)

WORKLOADS: tuple[Workload, ...] = (
    Workload("none", "power off as soon as /init runs"),
    Workload("sha256", "digest of tierlab.mib MiB (1 to 64, default 4)"),
    Workload("gzip", "compress and decompress 2 MiB of numbers"),
    Workload("sh", "a shell loop that forks, executes and adds"),
    Workload("shell", "a prompt on the console", interactive=True),
)


def find_guest(name: str) -> GuestSpec:
    """The guest called `name`."""
    for spec in GUESTS:
        if spec.name == name:
            return spec
    names = ", ".join(spec.name for spec in GUESTS)
    raise GuestError(f"no guest is called {name!r}: the guests are {names}")


def find_workload(name: str) -> Workload:
    """The workload called `name`."""
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    names = ", ".join(workload.name for workload in WORKLOADS)
    raise GuestError(
        f"no workload is called {name!r}: the workloads are {names}"
    )


def command_line(append: str, workload: Workload, mib: int | None = None) -> str:
    """The kernel command line of a boot: a guest's words and a workload's."""
    words = [append, f"tierlab.workload={workload.name}"]
    if mib is not None:
        words.append(f"tierlab.mib={mib}")
    return " ".join(words)
