"""The guests and workloads there are: one line each, everything else follows.

Recipes, `tierlab guests` and the harness walk these lists. Whether a guest is
built, and from which versions, is in its product's guest.json (manifest.py).
"""

from __future__ import annotations

from dataclasses import dataclass


class GuestError(Exception):
    """What is wrong with a guest or its name: one line for the user."""


@dataclass(frozen=True)
class WorkloadParam:
    """What can be set of a workload: kernel command line word tierlab.NAME."""

    name: str
    unit: str
    default: int
    minimum: int
    maximum: int
    meaning: str


@dataclass(frozen=True)
class Workload:
    """What /init does between its markers workload-start and workload-end."""

    name: str
    title: str
    interactive: bool = False
    params: tuple[WorkloadParam, ...] = ()


@dataclass(frozen=True)
class GuestSpec:
    """A guest as it is declared: what is known before it is built."""

    name: str
    title: str
    arch: str  # as in qemu-system-ARCH
    machine: str  # QEMU's -M
    memory_mib: int
    append: str  # kernel command line without the workload's words
    # As in bench.guests.guest.Guest, where they are explained.
    cpu: str | None = None
    smp: int = 1
    firmware: str | None = None
    arguments: tuple[str, ...] = ()

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
    Workload(
        "sha256",
        "digest of a file, again and again",
        params=(
            WorkloadParam("mib", "MiB", 4, 1, 64, "size of the file"),
            WorkloadParam("rounds", "rounds", 1, 1, 1000, "digests of it"),
        ),
    ),
    Workload("gzip", "compress and decompress 2 MiB of numbers"),
    Workload("sh", "a shell loop that forks, executes and adds"),
    Workload(
        "churn",
        "programs loaded to fresh memory, run once and thrown away",
        params=(
            WorkloadParam("rounds", "rounds", 4, 1, 1_000_000, "at most so many"),
            WorkloadParam(
                "seconds", "s", 0, 0, 86_400, "end after so long; 0: no such limit"
            ),
        ),
    ),
    Workload("shell", "a prompt on the console", interactive=True),
    Workload(
        "wait",
        "read the workload from the console: what a saved machine does",
        interactive=True,
    ),
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


def workload_spec(text: str) -> str:
    """NAME or NAME:PARAM=VALUE,... checked, without what is the default."""
    name, _, rest = text.partition(":")
    workload = find_workload(name)
    given: dict[str, int] = {}
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        given[key] = _value(workload, key, value)
    shown = [
        f"{p.name}={given[p.name]}"
        for p in workload.params
        if given.get(p.name, p.default) != p.default
    ]
    return f"{name}:{','.join(shown)}" if shown else name


def _value(workload: Workload, key: str, value: str) -> int:
    param = next((p for p in workload.params if p.name == key), None)
    if param is None:
        known = ", ".join(p.name for p in workload.params) or "none"
        raise GuestError(
            f"workload {workload.name} has no parameter {key!r}: it has {known}"
        )
    if not value.isdecimal() or not param.minimum <= int(value) <= param.maximum:
        raise GuestError(
            f"workload {workload.name}: {key}={value!r} will not do: "
            f"give {param.minimum} to {param.maximum} {param.unit}"
        )
    return int(value)


def kernel_words(spec: str) -> list[str]:
    """A workload's words on the kernel command line, for /init."""
    name, _, rest = spec.partition(":")
    pairs = filter(None, rest.split(","))
    return [f"tierlab.workload={name}", *(f"tierlab.{pair}" for pair in pairs)]


def console_line(spec: str) -> str:
    """The line that asks the workload `wait` for another."""
    name, _, rest = spec.partition(":")
    return " ".join([name, *filter(None, rest.split(","))])
