"""The guests and workloads there are: one entry each, all else follows from it.

Recipes, `tierlab guests` and the harness walk these lists. Whether a guest is
built, and from which versions, is in its product's guest.json (manifest.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


class GuestError(Exception):
    """A guest or its name is wrong: one line for the user."""


@dataclass(frozen=True)
class WorkloadParam:
    """A parameter of a workload: the kernel command line's word tierlab.NAME."""

    name: str
    unit: str
    default: int
    minimum: int
    maximum: int
    meaning: str

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return f"{self.minimum} to {self.maximum}"

    def read(self, text: str) -> int | None:
        """The value that the text means; None if it is none of the parameter's."""
        if not text.isdecimal() or not self.minimum <= int(text) <= self.maximum:
            return None
        return int(text)


@dataclass(frozen=True)
class WorkloadChoice:
    """A parameter of a workload whose values are names."""

    name: str
    default: str
    choices: tuple[str, ...]
    meaning: str
    unit: str = ""

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return f"one of {', '.join(self.choices)}"

    def read(self, text: str) -> str | None:
        """The text, if it is one of the values."""
        return text if text in self.choices else None


@dataclass(frozen=True)
class WorkloadWord:
    """A parameter of a workload that is a word, which only the guest can judge."""

    name: str
    default: str
    meaning: str
    unit: str = ""
    pattern: str = "[a-z0-9][a-z0-9_-]{0,31}"

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        return "a word of small letters, digits, _ and -"

    def read(self, text: str) -> str | None:
        """The text, if it is a word."""
        return text if re.fullmatch(self.pattern, text) else None


@dataclass(frozen=True)
class Workload:
    """What /init does between its markers workload-start and workload-end."""

    name: str
    title: str
    interactive: bool = False
    params: tuple[WorkloadParam | WorkloadChoice | WorkloadWord, ...] = ()
    # The root file systems with its programs (bench.guests.roots.programs), of which
    # the harness plugs in a disk each: by the value of its parameter `set`, or "".
    roots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # The memory in MiB that it needs; a guest with less gets so much.
    memory_mib: int = 0


@dataclass(frozen=True)
class GuestSpec:
    """A guest as it is declared, before it is built."""

    name: str
    title: str
    arch: str  # as in qemu-system-ARCH
    machine: str  # QEMU's -M
    memory_mib: int
    append: str  # kernel command line without the workload's words
    # The same fields as of bench.guests.guest.Guest, which explains them.
    cpu: str | None = None
    smp: int = 1
    firmware: str | None = None
    arguments: tuple[str, ...] = ()
    # The guest's parts (sources.py): a kernel, "" for the one of the guest's own name;
    # a user land, "" for that of `arch`; a device tree of the kernel's package.
    kernel: str = ""
    land: str = ""
    dtb: str = ""
    # Facts of the machine for /init: how the machine carries the exit status, and a
    # module that is needed to switch the machine off.
    finisher: str = ""
    power_module: str = ""
    # The first console line of the firmware, if the firmware prints any.
    firmware_marker: str | None = None

    @property
    def product(self) -> str:
        """The name of the build product that holds it."""
        return f"guest-{self.name}"

    @property
    def userland(self) -> str:
        """The architecture of its programs."""
        return self.land or self.arch


# Deterministic consoles: no timestamps, nothing placed at random, the initrd
# unpacked in line. A panic or oops ends the boot at once (QEMU's -no-reboot).
_DETERMINISTIC = (
    "printk.time=0 nokaslr norandmaps initramfs_async=0 oops=panic panic=-1"
)
# earlycon: the kernel prints its first lines at once, so that the time of the
# marker `kernel` is right. edd=off: else the kernel's set-up code leaves a line
# unfinished, which the next one continues. no_timer_check: else the kernel panics
# when a busy host brings no timer interrupt within 40 ms.
_RISCV64 = f"earlycon console=ttyS0 {_DETERMINISTIC}"
_AARCH64 = f"earlycon console=ttyAMA0 {_DETERMINISTIC}"
_X86 = (
    f"edd=off no_timer_check earlycon=uart8250,io,0x3f8 console=ttyS0 {_DETERMINISTIC}"
)
# The mini UART is the console of this device tree. QEMU 10.0 lacks the registers
# that the power domains' driver reads at once: the driver would cause an oops.
_RASPI3 = (
    "earlycon=bcm2835aux,mmio32,0x3f215040 console=ttyS1,115200 "
    f"initcall_blacklist=bcm2835_power_driver_init {_DETERMINISTIC}"
)

# A CPU like those of the time when 64-bit Arm servers began. QEMU's `max` has
# pointer authentication, which is slow in software.
_AARCH64_CPU = "cortex-a57"

# How a machine turns the guest's exit status into QEMU's: /init's FINISHER.
_TEST_DEVICE = "sifive-test:0x100000"
_DEBUG_EXIT = "debug-exit:0xf4"
_SEMIHOSTING = "semihosting"
_DEBUG_EXIT_DEVICE = ("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04")
_SEMIHOSTING_ARGUMENTS = (
    "-semihosting-config",
    "enable=on,target=native,userspace=on",
)

_OPENSBI = r"^OpenSBI v[0-9]"
_SEABIOS = r"^SeaBIOS \(version "


def _riscv64(name: str, title: str) -> GuestSpec:
    return GuestSpec(
        name,
        title,
        "riscv64",
        "virt",
        256,
        _RISCV64,
        finisher=_TEST_DEVICE,
        firmware_marker=_OPENSBI,
    )


def _aarch64(name: str, title: str) -> GuestSpec:
    return GuestSpec(
        name,
        title,
        "aarch64",
        "virt",
        256,
        _AARCH64,
        cpu=_AARCH64_CPU,
        arguments=_SEMIHOSTING_ARGUMENTS,
        finisher=_SEMIHOSTING,
    )


def _pc(name: str, title: str, land: str = "") -> GuestSpec:
    return GuestSpec(
        name,
        title,
        "x86_64",
        "pc",
        256,
        _X86,
        arguments=("-vga", "none", *_DEBUG_EXIT_DEVICE),
        land=land,
        finisher=_DEBUG_EXIT,
        firmware_marker=_SEABIOS,
    )


def _microvm(name: str, title: str, kernel: str) -> GuestSpec:
    return GuestSpec(
        name,
        title,
        "x86_64",
        # ACPI's reduced hardware has no timer by which Linux could measure or watch
        # its clock: see bench/engines/x86_clock.py. Linux also sets up no PIC there:
        # the tick of a PIT before the IO-APIC is on arrives as vector 0, which is a
        # divide error.
        "microvm,rtc=on,pic=off,pit=off",
        256,
        f"{_X86} tsc=reliable reboot=t",
        arguments=_DEBUG_EXIT_DEVICE,
        kernel=kernel,
        finisher=_DEBUG_EXIT,
        firmware_marker=_SEABIOS,
    )


_TINY = "small kernel from Debian's linux-source, busybox"
_DEBIAN = "Debian's own kernel, busybox"
_NO_LEGACY = "a machine without legacy devices"

GUESTS: tuple[GuestSpec, ...] = (
    _riscv64("riscv64-tiny", _TINY),
    _riscv64("riscv64-debian", _DEBIAN),
    _aarch64("aarch64-tiny", _TINY),
    _aarch64("aarch64-debian", _DEBIAN),
    GuestSpec(
        "aarch64-raspi3ap",
        "Raspberry Pi 3A+: Debian's own kernel and device tree, busybox",
        "aarch64",
        "raspi3ap",
        512,
        _RASPI3,
        smp=4,  # this machine has neither fewer nor more
        arguments=("-serial", "null", "-serial", "mon:stdio", *_SEMIHOSTING_ARGUMENTS),
        kernel="aarch64-debian",
        dtb="bcm2837-rpi-3-a-plus.dtb",
        finisher=_SEMIHOSTING,
        power_module="bcm2835_wdt",
    ),
    _pc("x86_64-tiny", _TINY),
    _pc("x86_64-debian", _DEBIAN),
    _microvm("x86_64-tiny-microvm", f"{_TINY}; {_NO_LEGACY}", "x86_64-tiny"),
    _microvm("x86_64-debian-microvm", f"{_DEBIAN}; {_NO_LEGACY}", "x86_64-debian"),
    _pc("i386-debian", "Debian 12's own 32-bit kernel, busybox", "i386"),
)

# The workloads that run the command of an image: without input, and on a terminal.
IMAGE, TERMINAL = "image", "terminal"
IMAGES = (IMAGE, TERMINAL)

_MIB = WorkloadParam("mib", "MiB", 4, 1, 64, "size of the file")
_SECONDS = WorkloadParam(
    "seconds", "s", 0, 0, 86_400, "end after so long; 0: no such limit"
)

# The patterns of the program `mechanisms`, in its order.
PATTERNS = (
    "block-1",
    "block-2",
    "block-4",
    "block-2-pages",
    "call-1",
    "call-16",
    "indirect-4",
    "indirect-400",
    "memory-1-page",
    "memory-64-pages",
    "memory-8192-pages",
    "float",
    "float-fused",
    "float-convert",
    "rewrite",
    "system-call",
    "page-fault",
    "dispersed-2k-few",
    "dispersed-2k-many",
    "dispersed-50k-few",
    "dispersed-50k-many",
)

# The programs in each root file system: its workloads.
PROGRAMS: dict[str, tuple[str, ...]] = {
    "python": ("python",),
    "perl": ("perl",),
    "lua": ("lua",),
    "sqlite": ("sqlite",),
    "node": ("node",),
    "c": ("build", "gcc"),
    "git": ("git",),
    "cmake": ("cmake",),
}
_PROGRAM_SETS = {
    "all": tuple(PROGRAMS),
    "quick": ("python", "sqlite"),
    "scripts": ("lua", "perl", "python"),
    "compilers": ("c", "cmake"),
}


def _program(root: str, name: str, title: str, memory_mib: int = 512) -> Workload:
    rounds = WorkloadParam("rounds", "rounds", 3, 1, 1000, "each a new process")
    return Workload(name, title, False, (rounds,), {"": (root,)}, memory_mib)


_PROGRAM_WORKLOADS = (
    _program("python", "python", "Python: json, re, sort, classes, recursion"),
    _program("perl", "perl", "Perl: words counted, patterns replaced, sorted"),
    _program("lua", "lua", "Lua: strings, tables, closures, numbers"),
    _program("sqlite", "sqlite", "SQLite: tables filled, indexed, joined, grouped"),
    _program("node", "node", "Node, a JIT in the guest: objects, JSON, Map", 1024),
    _program("c", "gcc", "gcc -O2 compiles and links a program, which runs", 1024),
    _program("c", "build", "a shell configures a project, make builds it", 1024),
    _program("git", "git", "git adds, commits, changes and compares many files"),
    _program("cmake", "cmake", "the start of a large C++ program, again and again"),
    Workload(
        "programs",
        "several of these programs in turn",
        params=(
            WorkloadChoice("set", "all", tuple(_PROGRAM_SETS), "which programs"),
            WorkloadParam("rounds", "turns", 3, 1, 1000, "of all, a round each"),
        ),
        roots=_PROGRAM_SETS,
        memory_mib=1024,
    ),
)

# The stressors of stress-ng whose work is computing: its class `cpu`, without those
# that need a device, a file system or rights over the kernel (af-alg, cpu-online,
# ioport, numa, plugin, secretmem, smi, uprobe). Some are of one architecture only.
STRESSORS = tuple(
    """
    atomic besselmath bitonicsort bitops branch bsearch bubblesort context cpu crypt
    dfp easy-opcode eigen expmath factor fibsearch fma fp fp-error fractal funccall
    funcret getrandom goto hash heapsort hsearch hyperbolic insertionsort intmath
    ipsec-mb jpeg judy list logmath longjmp lsearch matrix matrix-3d mergesort
    monte-carlo mpfr nop opcode powmath prefetch prime priv-instr ptr-chase qsort
    radixsort rdrand regex regs rotate rseq shellsort skiplist sparsematrix spinmem
    str stream syncload tree trig tsc tsearch veccmp vecfp vecmath vecshuf vecwide
    vnni waitcpu wcs x86cpuid zlib
    """.split()
)
# A few of them, for a short look; the script that runs them has the same names.
QUICK_STRESSORS = (
    "bsearch",
    "cpu",
    "hash",
    "longjmp",
    "matrix",
    "qsort",
    "trig",
    "vecfp",
)

_STRESS_NG = Workload(
    "stress-ng",
    "stressors of stress-ng in turn, each with its rate as a figure",
    params=(
        WorkloadChoice(
            "stressor",
            "cpu",
            ("all", "quick", *STRESSORS),
            "which one; all: each that computes; quick: a few",
        ),
        WorkloadWord("method", "usual", "of the stressor; usual: all of them in turn"),
        WorkloadParam("seconds", "s", 3, 1, 3600, "each stressor"),
    ),
    roots={"": ("stress-ng",)},
    memory_mib=512,
)

WORKLOADS: tuple[Workload, ...] = (
    Workload("none", "power off as soon as /init runs"),
    Workload(
        "sha256",
        "digest of a file, again and again",
        params=(_MIB, WorkloadParam("rounds", "rounds", 1, 1, 1000, "digests of it")),
    ),
    Workload("gzip", "compress and decompress 2 MiB of numbers"),
    Workload("sh", "a shell loop that forks, executes and adds"),
    Workload(
        "churn",
        "programs loaded to fresh memory, run once and thrown away",
        params=(
            WorkloadParam("rounds", "rounds", 4, 1, 1_000_000, "at most so many"),
            _SECONDS,
        ),
    ),
    Workload(
        "parallel",
        "digests of a file by several processes at once",
        params=(
            _MIB,
            WorkloadParam("procs", "processes", 2, 1, 8, "at once"),
            WorkloadParam("rounds", "rounds", 4, 1, 1000, "digests by each"),
        ),
    ),
    Workload(
        "stress",
        "memory order and locks on all vCPUs",
        params=(
            WorkloadParam("rounds", "rounds", 1, 1, 1_000_000, "at most so many"),
            _SECONDS,
        ),
    ),
    Workload(
        "mechanisms",
        "what an emulator has to do, one thing at a time, as figures",
        params=(
            WorkloadChoice(
                "pattern", "all", ("all", *PATTERNS), "of blocks; docs/mechanisms.md"
            ),
            WorkloadParam(
                "ms", "ms", 300, 1, 60_000, "to warm a pattern up, and to measure it"
            ),
            WorkloadParam(
                "warm", "passes", 1200, 1, 1_000_000, "to warm dispersed blocks up"
            ),
        ),
    ),
    Workload(
        "clock",
        "seconds of the guest's clock, to hold against the host's",
        params=(
            WorkloadParam("rounds", "s", 10, 1, 3600, "so many"),
            WorkloadParam("busy", "", 0, 0, 1, "0 sleeps, 1 computes"),
        ),
    ),
    Workload("disk", "a file written to a mounted disk and read again", params=(_MIB,)),
    Workload("share", "files made, read, renamed in a shared folder", params=(_MIB,)),
    Workload(
        "net",
        "a page from a server on the host",
        params=(WorkloadParam("port", "", 8000, 1, 65_535, "of the server"),),
    ),
    *_PROGRAM_WORKLOADS,
    _STRESS_NG,
    Workload(
        IMAGE,
        "the command of the image that --image or --root gives",
        params=(WorkloadParam("rounds", "rounds", 1, 1, 1000, "each a new process"),),
    ),
    Workload(TERMINAL, "the same command on a terminal, with input", interactive=True),
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
    raise GuestError(f"no workload is called {name!r}: the workloads are {names}")


def workload_spec(text: str) -> str:
    """Check NAME or NAME:PARAM=VALUE,...; leave out values that are the default."""
    name, _, rest = text.partition(":")
    workload = find_workload(name)
    given: dict[str, int | str] = {}
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        given[key] = _value(workload, key, value)
    shown = [
        f"{p.name}={given[p.name]}"
        for p in workload.params
        if given.get(p.name, p.default) != p.default
    ]
    return f"{name}:{','.join(shown)}" if shown else name


def _value(workload: Workload, key: str, text: str) -> int | str:
    param = next((p for p in workload.params if p.name == key), None)
    if param is None:
        known = ", ".join(p.name for p in workload.params) or "none"
        raise GuestError(
            f"workload {workload.name} has no parameter {key!r}: it has {known}"
        )
    value = param.read(text)
    if value is None:
        raise GuestError(
            f"workload {workload.name}: {key}={text!r} will not do: "
            f"give {param.range} {param.unit}".rstrip()
        )
    return value


def roots_of(spec: str) -> tuple[str, ...]:
    """The root file systems that a workload needs: a disk each."""
    name, _, rest = spec.partition(":")
    given = dict(pair.split("=", 1) for pair in rest.split(",") if pair)
    workload = find_workload(name)
    usual = [str(p.default) for p in workload.params if p.name == "set"]
    chosen = given.get("set", usual[0]) if usual else ""
    return workload.roots.get(chosen, ())


def memory_of(spec: str) -> int:
    """The MiB of memory that a workload needs; 0 if any memory will do."""
    return find_workload(spec.partition(":")[0]).memory_mib


def kernel_words(spec: str) -> list[str]:
    """A workload's words on the kernel command line, for /init."""
    name, _, rest = spec.partition(":")
    pairs = filter(None, rest.split(","))
    return [f"tierlab.workload={name}", *(f"tierlab.{pair}" for pair in pairs)]


def console_line(spec: str) -> str:
    """The console line that makes the workload `wait` run another one."""
    name, _, rest = spec.partition(":")
    return " ".join([name, *filter(None, rest.split(","))])
