"""The one table of the harness's settings: what a user may choose for a boot.

Everything that knows of a setting takes it from here:

- options of commands (bench.cli.options), with their types, help and defaults
- keys of suite files and their refusals (bench.harness.suites.suite)
- `config` of a result (bench.harness.run.boot), and its part of the schema
- the page's controls and limits (bench.page.describe)
- limits of described guests (bench.guests.description)
- the tables in docs/settings.md (`python3 -m bench.cli.docs` writes them)

To add a setting, add an entry, and a field of Shared (or of the class that uses the
setting); bench/cli/tests/test_settings.py names what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.base.values import (
    Choice,
    Faults,
    File,
    Flag,
    Seconds,
    Text,
    Values,
    Whole,
)

# The seconds that a boot may take if neither user nor guest says how many.
DEFAULT_TIMEOUT = 300.0
# The policy that `boot` runs if none is named.
DEFAULT_TIER = "threshold"

_GUESTS_OWN = "the guest's own"
_RUNTIMES_OWN = "the runtime's own"


@dataclass(frozen=True)
class Option:
    """How one command takes a setting."""

    default: Any = None
    # Whether it may be repeated.
    several: bool = False
    # An argument, by its position, and not an option.
    positional: bool = False
    # What holds without the option, where that is no value that could be given.
    usual: str = ""
    # In the place of the setting's own help.
    help: str = ""


@dataclass(frozen=True)
class SuiteKey:
    """How suite files take a setting."""

    default: Any = None
    # A list, whose entries are combined with those of other lists.
    several: bool = False


@dataclass(frozen=True)
class Control:
    """How the page takes a setting."""

    label: str
    # None: what the guest has under the setting's key.
    default: Any = None


@dataclass(frozen=True)
class Setting:
    """One setting: what it takes, what it means, and where it applies."""

    # As the option has it, without dashes.
    name: str
    values: Values
    help: str
    metavar: str = ""
    unit: str = ""
    # In sentences; by default the name.
    called: str = ""
    # As Python, suites and the page's data have it; by default like the name.
    key: str = ""
    # Of several values; by default like the key.
    plural: str = ""
    # Whether one boot has a list of them.
    listed: bool = False
    # Whether a boot may do without a value.
    optional: bool = False
    commands: Mapping[str, Option] = field(default_factory=dict)
    suite: SuiteKey | None = None
    # Where a boot (bench.harness.run.boot.Boot) has the value; dots lead inside.
    boot: str = ""
    # The key in a result's `config`.
    result: str = ""
    page: Control | None = None
    # The variable by which the runtime is told: such a setting is a switch.
    variable: str = ""
    # A property of the machine: a saved machine brings the value itself.
    machine: bool = False

    def __post_init__(self) -> None:
        key = self.key or self.name.replace("-", "_")
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "called", self.called or self.name)
        object.__setattr__(self, "plural", self.plural or key)

    @property
    def option(self) -> str:
        """As it is typed."""
        return f"--{self.name}"

    @property
    def suite_key(self) -> str:
        """The key of suite files; "" if they have none."""
        if self.suite is None:
            return ""
        return self.plural if self.suite.several else self.key

    def parameter(self, command: str) -> str:
        """The name under which the command's function gets the value."""
        return self.plural if self.commands[command].several else self.key


_OFFERED = Option(
    several=True,
    usual="riscv64-tiny, and all that are built",
    help="A guest that the page offers: a name, or a file NAME.toml",
)

_PROGRAMS = Option(
    several=True,
    usual="all that need no programs",
    help="A workload of programs whose disks the page offers, such as python",
)
_OFFERED_IMAGE = Option(
    several=True,
    help="Offer guests with the root of this image (an OCI layout, or what docker save "
    "wrote), which run its command",
)
_OFFERED_ROOT = Option(
    several=True, help="Offer guests with the root file system in this folder"
)


def _switch(
    key: str,
    kind: Choice,
    text: str,
    *,
    metavar: str = "HOW",
    page: Control | None = None,
) -> Setting:
    """A switch of the tiering runtime, of which a comparison may take several values.

    The runtime reads it from the variable TIERLAB_KEY, and has a default of its own.
    """
    return Setting(
        key,
        kind,
        text,
        metavar=metavar,
        optional=True,
        commands={
            "boot": Option(usual=_RUNTIMES_OWN),
            "compare": Option(several=True, usual=_RUNTIMES_OWN),
        },
        suite=SuiteKey((), several=True),
        boot=f"request.switches.{key}",
        result=key,
        page=page,
        variable=f"TIERLAB_{key.upper()}",
    )


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "guest",
        Text("a name, or a file NAME.toml"),
        "What is booted; `tierlab guests` lists the names, docs/guests.md says how a "
        "file describes a guest",
        metavar="G",
        plural="guests",
        commands={
            "boot": Option(positional=True, usual="of the image's architecture"),
            "compare": Option(several=True),
            "soak": Option(positional=True, default="riscv64-tiny"),
            "check": Option(positional=True),
            "equal-imports": Option(positional=True, default="riscv64-debian"),
            "build": Option(
                several=True, usual="all", help="Make only what this guest needs"
            ),
            "serve": _OFFERED,
            "page": _OFFERED,
        },
        suite=SuiteKey(("riscv64-debian", "riscv64-tiny"), several=True),
        boot="request.guest.name",
        result="guest",
    ),
    Setting(
        "image",
        Text("FILE, or FILE,name=NAME"),
        "Boot with the root of this image (an OCI layout, or what docker save wrote) "
        "and run its command, or the COMMAND behind --; name= chooses one of several",
        metavar="FILE",
        plural="images_given",
        commands={
            "boot": Option(),
            "compare": Option(),
            "serve": _OFFERED_IMAGE,
            "page": _OFFERED_IMAGE,
        },
        suite=SuiteKey(""),
    ),
    Setting(
        "root",
        File("a folder"),
        "Boot with the root file system in this folder and run the COMMAND behind --",
        metavar="FOLDER",
        plural="roots_given",
        commands={
            "boot": Option(),
            "compare": Option(),
            "serve": _OFFERED_ROOT,
            "page": _OFFERED_ROOT,
        },
        suite=SuiteKey(""),
    ),
    Setting(
        "tier",
        Text("NAME or NAME:PARAM=VALUE,..."),
        "Tiering policy; `tierlab tiers` lists policies and parameters",
        metavar="SPEC",
        plural="tiers",
        commands={
            "boot": Option(usual=DEFAULT_TIER),
            "compare": Option(several=True),
            "conform": Option(("never", "region"), several=True),
            "soak": Option("always:evict=clock,max-modules=12000"),
            "check": Option("batch"),
        },
        suite=SuiteKey(("never", "threshold", "region"), several=True),
        boot="request.tier",
        result="tier",
    ),
    Setting(
        "engine",
        Text("a name"),
        "What runs QEMU; `tierlab engines` lists the names",
        metavar="E",
        plural="engines",
        commands={
            "boot": Option("node"),
            "compare": Option(several=True),
            "conform": Option(
                ("node",),
                several=True,
                help="What runs QEMU: node and native compares with Debian's QEMU",
            ),
            "soak": Option("node"),
            "check": Option("node"),
            "bench": Option(
                several=True,
                help="Measure only what runs in this engine: Node or a browser",
            ),
        },
        suite=SuiteKey(("node", "native"), several=True),
        boot="engine.name",
        result="engine",
    ),
    Setting(
        "workload",
        Text("NAME or NAME:PARAM=VALUE,..."),
        "What the guest does when it has booted; `tierlab guests` lists workloads and "
        "parameters",
        metavar="W",
        plural="workloads",
        commands={
            "boot": Option(usual="none"),
            "compare": Option(several=True),
            "serve": _PROGRAMS,
            "page": _PROGRAMS,
        },
        suite=SuiteKey(("none",), several=True),
        boot="request.workload",
        result="workload",
    ),
    Setting(
        "smp",
        Whole(1, 8),
        "Virtual CPUs of the guest",
        metavar="N",
        unit="vCPUs",
        called="number of CPUs",
        commands={
            "boot": Option(usual=_GUESTS_OWN),
            "compare": Option(usual=_GUESTS_OWN),
            "check": Option(usual=_GUESTS_OWN),
        },
        suite=SuiteKey(),
        boot="request.cpus",
        result="smp",
        page=Control("vCPUs"),
        machine=True,
    ),
    Setting(
        "memory",
        # QEMU on a 32-bit host, as Wasm is one, takes no more than 2047 MiB; a
        # kernel of ours and its /init need 32.
        Whole(32, 2047),
        "Memory of the guest",
        metavar="MIB",
        unit="MiB",
        key="memory_mib",
        commands={
            "boot": Option(usual=_GUESTS_OWN),
            "compare": Option(usual=_GUESTS_OWN),
        },
        suite=SuiteKey(),
        boot="request.memory",
        result="memory_mib",
        page=Control("memory"),
        machine=True,
    ),
    Setting(
        "icount",
        Whole(0, 10),
        "The guest's clock counts instructions, 2^SHIFT ns each",
        metavar="SHIFT",
        optional=True,
        commands={
            "boot": Option(usual="the host's clock"),
            "compare": Option(usual="the host's clock"),
            "conform": Option(usual="the host's clock"),
        },
        suite=SuiteKey(),
        boot="request.icount",
        result="icount",
        machine=True,
    ),
    _switch(
        "chain",
        Choice("chaining", ("dispatch", "tail")),
        "How a TB goes on to a TB of another module: through the dispatcher, or by a "
        "tail call",
    ),
    _switch(
        "counts",
        Choice("counting", ("off", "sampled", "exact")),
        "How executions of compiled code are counted, which costs a little time",
        page=Control("counting", "sampled"),
    ),
    _switch(
        "fp",
        Choice("floating point", ("inline", "call")),
        "How compiled code does floating point: by instructions where these give the "
        "helper's result, or by a call of QEMU's helper each time",
    ),
    _switch(
        "tlb",
        Choice("TLB lookups", ("page", "each")),
        "Which guest accesses compiled code looks up in the TLB: one of those that "
        "share a page, or each",
        metavar="WHICH",
    ),
    Setting(
        "fault",
        Faults("REASON:N,..."),
        "Let compilation fail: every Nth module for this reason, as engine-refused, "
        "table-full or no-memory",
        metavar="REASON:N,...",
        optional=True,
        commands={"boot": Option(usual="none"), "compare": Option(usual="none")},
        suite=SuiteKey(),
        boot="request.switches.fault",
        result="fault",
        variable="TIERLAB_FAULT",
    ),
    Setting(
        "tb-size",
        Whole(1, 1024),
        "Size of QEMU's code buffer",
        metavar="MIB",
        unit="MiB",
        key="tb_size_mib",
        optional=True,
        commands={
            "boot": Option(usual="an eighth of the memory, 512 at most"),
            "compare": Option(usual="an eighth of the memory, 512 at most"),
            # So that sections of the code buffer are evicted now and then.
            "soak": Option(8),
        },
        suite=SuiteKey(),
        boot="request.tb_size_mib",
        result="tb_size_mib",
    ),
    Setting(
        "engine-flag",
        Text("a flag of the engine's"),
        "Passed to the engine itself",
        metavar="FLAG",
        key="engine_flags",
        listed=True,
        commands={
            "boot": Option(several=True),
            "compare": Option(
                several=True, help="Passed to the engines that have tiers"
            ),
        },
        suite=SuiteKey(()),
        boot="request.engine_flags",
        result="engine_flags",
    ),
    Setting(
        "timeout",
        Seconds(),
        "How long a boot may take before it is killed",
        metavar="S",
        unit="s",
        optional=True,
        commands={
            "boot": Option(
                usual=f"{_GUESTS_OWN} or {DEFAULT_TIMEOUT:g}; none if interactive"
            ),
            "compare": Option(usual=f"{_GUESTS_OWN} or {DEFAULT_TIMEOUT:g}"),
            "conform": Option(usual=f"{_GUESTS_OWN} or {DEFAULT_TIMEOUT:g}"),
            "check": Option(900.0),
        },
        suite=SuiteKey(),
        boot="timeout_s",
        result="timeout_s",
    ),
    Setting(
        "seed",
        Whole(0, 2**32 - 1),
        "Seed of random numbers: the guest's and the policy's",
        metavar="N",
        commands={
            "boot": Option(1),
            "compare": Option(
                help="Seed of random numbers: the order of the runs, and in them the "
                "guest's and the policy's"
            ),
        },
        suite=SuiteKey(1),
        boot="request.seed",
        result="seed",
        page=Control("seed", 1),
    ),
    Setting(
        "runs",
        Whole(1, 10_000),
        "How often each configuration is booted",
        metavar="N",
        unit="boots",
        commands={"compare": Option()},
        suite=SuiteKey(3),
    ),
    Setting(
        "resume",
        Flag(),
        "Save a machine of each guest at its prompt, and resume it in each run "
        "instead of booting",
        commands={"compare": Option()},
        suite=SuiteKey(False),
    ),
    Setting(
        "restore",
        File("a file that `tierlab boot --save` wrote"),
        "Resume this saved machine instead of booting",
        metavar="FILE",
        commands={"boot": Option(), "compare": Option()},
        suite=SuiteKey(""),
    ),
    Setting(
        "idle",
        Flag(),
        "Boot once more, and measure what a guest at its prompt uses of a core",
        commands={"compare": Option()},
        suite=SuiteKey(False),
    ),
)

# Settings of our runtime, which only engines with tiers have.
SWITCHES = tuple(s for s in SETTINGS if s.variable)


def setting(name: str) -> Setting:
    """The setting of that name."""
    return _BY_NAME[name]


def choices(name: str) -> tuple[str, ...]:
    """The words that a setting takes."""
    values = setting(name).values
    assert isinstance(values, Choice)
    return values.names


def span(name: str) -> tuple[int, int]:
    """The least and the greatest number that a setting takes."""
    values = setting(name).values
    assert isinstance(values, Whole)
    return values.low, values.high


def default(name: str, command: str | None = None) -> Any:
    """What holds if a command, or without one a suite, does not say."""
    found = setting(name)
    if command is not None:
        return found.commands[command].default
    assert found.suite is not None
    return found.suite.default


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Settings that hold for all boots of a comparison: each boot has the same."""

    # None: the guest's own, or QEMU's.
    smp: int | None = None
    memory_mib: int | None = None
    icount: int | None = None
    tb_size_mib: int | None = None
    engine_flags: tuple[str, ...] = ()
    seed: int = 1


_BY_NAME = {one.name: one for one in SETTINGS}
