"""Stand-ins for tests: an engine, a guest product, the policies' program."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.engines.base import BootRequest, Command, Missing, Streams
from bench.guests import manifest
from bench.guests.catalogue import GuestSpec

Capture = pytest.CaptureFixture[str]

PROGRAM = Path(__file__).with_name("fake_engine.py")
GUEST = "fake64-tiny"

Scenario = list[dict[str, Any]]

FIRMWARE = "\r\nOpenSBI v1.6\r\n"
KERNEL = "[    0.000000] Linux version 6.12.0 (fake)\r\n"
INIT = "@tierlab init guest=1.25\r\n"
START = "@tierlab workload-start guest=1.50\r\n"
ROUNDS = "".join(f"@tierlab round guest={1.5 + n / 5:.2f} n={n}\r\n" for n in range(5))
END = "@tierlab workload-end guest=2.50 status=0\r\n"
PANIC = "[    0.9] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n"
OOPS = "[    0.9] Oops [#1]\r\n"

STATS: dict[str, Any] = {
    "schema": 1,
    "policy": {
        "name": "never",
        "spec": "@TIER@",
        "params": {},
        "common": {"max-modules": 24000},
        "seed": 1,
    },
    "counters": {
        "first_insn_epoch_ms": "@EPOCH_MS@",
        "tbs_translated": 1000,
        "translate_ns": 5_000_000,
        "tbs_compiled": 10,
        "modules_installed": 10,
    },
    "tbs": {"columns": ["guest_pc", "exec_tier0"], "rows": [[4096, 7], [8192, 9]]},
}

# The columns that profiles need; hash 0 means that the hash is unknown.
EXECUTED: dict[str, Any] = {
    "columns": ["hash", "exec_tier0", "exec_tier1"],
    "rows": [
        ["0xbb", 3, 0],
        ["0xaa", 5, 1],
        ["0x0", 99, 0],
        ["0xcc", 0, 0],
        ["0xaa", 4, 2],
    ],
}

GOOD: Scenario = [
    {"stats": STATS},
    {"say": FIRMWARE},
    {"say": KERNEL + INIT + START + END},
]


# The provenance that all runs of one command share: bench.harness.run.provenance.
SHARED: dict[str, Any] = {
    "git": {"commit": "c0ffee", "dirty": False, "diff_sha256": None},
    "host": {
        "cpu": "fake",
        "cores": 2,
        "memory_mib": 4096,
        "kernel": "6.12.0",
        "machine": "x86_64",
        "os": "Debian",
        "python": "3.13",
        "max_map_count": 65530,
    },
}


def error_line(capture: Capture) -> str:
    """The only line on stderr."""
    lines = capture.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def boots_in(seconds: float, scenario: Scenario | None = None) -> Scenario:
    """A good boot that takes `seconds` before init."""
    return [{"sleep": seconds}, *(GOOD if scenario is None else scenario)]


@dataclass
class FakeEngine:
    """An engine that plays a scenario, chosen by tier, workload or guest."""

    directory: Path
    name: str = "fake"
    meaning: str = "plays a script"
    has_tiers: bool = True
    budgets: Mapping[str, int] = field(default_factory=dict)
    scenarios: dict[str, Scenario] = field(default_factory=lambda: {"": GOOD})
    missing: Missing | None = None
    refusal: str | None = None
    requests: list[BootRequest] = field(default_factory=list)

    def products(self, arch: str) -> tuple[str, ...]:
        """The fake engine needs no products."""
        return ()

    def refuses(self, request: BootRequest) -> str | None:
        """As the test says."""
        return self.refusal

    def available(self, arch: str, products: Mapping[str, Path]) -> Missing | None:
        """As the test says."""
        return self.missing

    def version(self, arch: str, products: Mapping[str, Path]) -> dict[str, str]:
        """A made-up version."""
        return {"engine": "fake 1", "qemu": "10.0.0"}

    def command(self, request: BootRequest, products: Mapping[str, Path]) -> Command:
        """The fake engine on the scenario's file."""
        self.requests.append(request)
        keys = (request.tier or "", request.workload, "")
        scenario = next(self.scenarios[k] for k in keys if k in self.scenarios)
        path = self.directory / f"scenario-{len(self.requests)}.json"
        text = json.dumps(scenario)
        path.write_text(text.replace("@TIER@", request.tier or "never"))
        argv = [sys.executable, str(PROGRAM), str(path)]
        outputs = [str(request.stats), str(request.timeline)] if self.has_tiers else []
        control = {"FAKE_CONTROL": str(request.control)} if request.control else {}
        streams = Streams(str(request.stream_in or ""), str(request.stream_out or ""))
        return Command((*argv, *outputs), control, streams)


def make_guest(directory: Path, name: str = GUEST) -> Path:
    """A guest product whose files cannot boot."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "kernel").write_bytes(b"kernel")
    (directory / "initrd").write_bytes(b"initrd")
    spec = GuestSpec(
        name,
        "fake",
        "riscv64",
        "virt",
        64,
        "console=ttyS0",
        firmware_marker=r"^OpenSBI v[0-9]",
    )
    manifest.write(spec, directory, "6.12.0-fake")
    return directory


TIER_LIST = """#!{python}
import json, sys
if sys.argv[1:2] == ["check"]:
    name, _, rest = sys.argv[2].partition(":")
    if name not in ("never", "always", "threshold", "region", "profile"):
        print(f"tier-list: unknown policy '{{name}}'; valid: never, always, threshold",
              file=sys.stderr)
        sys.exit(2)
    rest = rest or ("n=1000" if name == "threshold" else "")
    print(f"{{name}}:{{rest}}" if rest else name)
else:
    print(json.dumps({{"policies": [
        {{"name": "never", "summary": "never compiles", "params": []}},
        {{"name": "threshold", "summary": "compiles at n", "params": [
            {{"name": "n", "unit": "executions", "default": 1000,
             "range": "a whole number", "meaning": "when"}}],
         "source": "a paper"}}],
        "common": [{{"name": "max-modules", "unit": "modules", "default": 24000,
             "range": "a whole number", "meaning": "alive at most"}}],
        "evictions": [{{"name": "clock", "summary": "second chance",
             "source": "another paper"}}]}}))
"""


def make_tiers(directory: Path) -> Path:
    """A product tiers-native whose tier-list is a small script."""
    program = directory / "bin" / "tier-list"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(TIER_LIST.format(python=sys.executable))
    program.chmod(0o755)
    return directory
