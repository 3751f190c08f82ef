"""QEMU as WebAssembly in Node, started through bench/engines/node/run.mjs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bench.base.errors import USAGE, TierlabError
from bench.engines.base import (
    BootRequest,
    Command,
    Missing,
    Streams,
    first_line,
    profile_place,
    qemu_arguments,
    streams,
)

RUNNER = Path(__file__).resolve().parent / "node" / "run.mjs"
# Writes the modules that are compiled into the folder that the variable names.
MODULES = RUNNER.with_name("modules.mjs")
MODULES_VARIABLE = "TIERLAB_MODULES"
# This id makes a device the control channel: see the overlay's char-stdio-wasm.c.
CONTROL_ARGUMENTS = ["-chardev", "stdio,id=control"]
CONTROL_ARGUMENTS += ["-mon", "chardev=control,mode=control"]
# Each of QEMU's threads is a worker in Node; reading a file of the host is quick.
FEW_THREADS = ["-object", "main-loop,id=main-loop,thread-pool-max=4"]
EMSCRIPTEN_VERSION = Path("/usr/share/emscripten/emscripten-version.txt")


@dataclass
class NodePlaces:
    """QEMU has a file system in memory, which the runner fills before QEMU starts."""

    # Path in QEMU -> file of the host: copied in before QEMU starts, out at its end.
    files: dict[str, Path] = field(default_factory=dict)
    fetched: dict[str, Path] = field(default_factory=dict)
    # Paths that are the same in QEMU and outside, and whether QEMU writes them. The
    # runners of browsers forget what QEMU writes.
    live_paths: dict[str, bool] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    engine: str = "node"

    def file(self, host: Path, inside: str) -> str:
        """The path of a copy, which the runner makes before QEMU starts."""
        self.files[inside] = host
        return inside

    def left(self, host: Path, inside: str) -> str:
        """The path of a file that the runner copies to the host when QEMU ended."""
        self.fetched[inside] = host
        return inside

    def live(
        self, host: Path, inside: str, *, writable: bool = True, kept: bool = True
    ) -> str:
        """The file or folder itself, which QEMU is allowed to open.

        A page fetches parts of a file when QEMU reads them, and forgets what QEMU
        writes.
        """
        must_keep = writable and kept
        if self.engine != "node" and (must_keep or not host.is_file()):
            more = ", or --disk with snapshot=on or readonly=on" if must_keep else ""
            raise TierlabError(
                f"engine '{self.engine}' cannot work on {host} in place",
                "a page cannot write to files of the host, and has none of its folders",
                f"choose --engine node or native{more}",
                status=USAGE,
            )
        self.live_paths[str(host)] = writable
        return str(host)

    def secret(self, name: str, value: str) -> None:
        """Sets an environment variable of Node's process, for the runner."""
        self.variables[name] = value


class NodeEngine:
    """Node of a pinned version, whose V8 has tiers of its own below ours."""

    name = "node"
    meaning = "QEMU as WebAssembly in Node, tiers by policy"
    has_tiers = True
    budgets: Mapping[str, int] = {}

    def products(self, arch: str) -> tuple[str, ...]:
        """Node itself and QEMU for the guest's architecture."""
        return ("node", f"qemu-wasm-{arch}")

    def refuses(self, request: BootRequest) -> str | None:
        """Refuse nothing: QEMU itself says what does not fit."""
        return None

    def available(self, arch: str, products: Mapping[str, Path]) -> Missing | None:
        """Look for the files that the command line will name."""
        for what, path in (
            ("node", node_program(products)),
            ("QEMU for Wasm", program_of(products, arch)),
            ("the Node runner", RUNNER),
        ):
            if path is None or not path.is_file():
                return Missing(f"{what} is missing", "run `tierlab build`")
        return None

    def version(self, arch: str, products: Mapping[str, Path]) -> dict[str, str]:
        """Versions of Node and V8, and from the product of QEMU and emscripten."""
        node = node_program(products)
        facts = {"engine": "", "qemu": "", "emscripten": ""}
        if node is not None:
            facts.update(node_versions(str(node)))
        program = program_of(products, arch)
        if program is not None:
            facts.update(product_versions(program.parent))
        if not facts["emscripten"] and EMSCRIPTEN_VERSION.is_file():
            facts["emscripten"] = EMSCRIPTEN_VERSION.read_text().strip().strip('"')
        return facts

    def command(self, request: BootRequest, products: Mapping[str, Path]) -> Command:
        """Node with its flags, the runner, files, variables, QEMU's arguments."""
        places = NodePlaces()
        words, inside = runner_arguments(request, products, places)
        flags = [*request.engine_flags]
        if os.environ.get(MODULES_VARIABLE):
            flags.append(f"--import={MODULES}")
        argv = [str(node_program(products)), *flags, str(RUNNER)]
        return Command((*argv, *words), places.variables, inside)


def runner_arguments(
    request: BootRequest, products: Mapping[str, Path], places: NodePlaces
) -> tuple[list[str], Streams]:
    """Arguments of every runner of ours.

    They name the program, its files and variables, the files to copy out at the
    end, and QEMU's arguments.
    """
    arguments = qemu_arguments(request, places)
    inside = streams(request, places)
    if request.profile is not None:
        places.file(request.profile, profile_place(request.tier))
    argv = ["--program", str(program_of(products, request.guest.arch))]
    for path, host in places.files.items():
        argv += ["--file", f"{host}={path}"]
    for path, host in places.fetched.items():
        argv += ["--fetch", f"{host}={path}"]
    for path, writable in places.live_paths.items():
        argv += ["--live" if writable else "--live-read", path]
    if places.live_paths:
        arguments += FEW_THREADS
    for name, value in _variables(request).items():
        argv += ["--env", f"{name}={value}"]
    if request.stats is not None:
        argv += ["--stats", str(request.stats)]
    if request.timeline is not None:
        argv += ["--timeline", str(request.timeline)]
    if request.control is not None:
        argv += ["--control", str(request.control)]
        arguments += CONTROL_ARGUMENTS
    return [*argv, "--", *arguments], inside


def _variables(request: BootRequest) -> dict[str, str]:
    tier = {} if request.tier is None else {"TIERLAB_TIER": request.tier}
    seed = {"TIERLAB_SEED": str(request.seed)}
    clock = {} if request.tsc_khz is None else {"TIERLAB_TSC_KHZ": str(request.tsc_khz)}
    # Names for profilers: they change nothing but the size of modules.
    names = {k: v for k, v in os.environ.items() if k == "TIERLAB_NAMES"}
    if os.environ.get(MODULES_VARIABLE):
        names.setdefault("TIERLAB_NAMES", "on")
    return {**tier, **seed, **clock, **names, **request.switches.environment()}


def node_program(products: Mapping[str, Path]) -> Path | None:
    """The program of the product `node`."""
    product = products.get("node")
    return product / "bin" / "node" if product else None


def program_of(products: Mapping[str, Path], arch: str) -> Path | None:
    """QEMU's program in its product; None if the product is not there."""
    product = products.get(f"qemu-wasm-{arch}")
    return product / f"qemu-system-{arch}.js" if product else None


@cache
def node_versions(node: str) -> dict[str, str]:
    """The versions of Node, as `engine`, and of its V8."""
    version = first_line([node, "--version"])
    v8 = first_line([node, "-p", "process.versions.v8"])
    return {"engine": f"node {version}", "v8": v8}


def product_versions(product: Path) -> dict[str, str]:
    """versions.json, if the product carries one: {"qemu":.., "emscripten":..}."""
    try:
        raw: Any = json.loads((product / "versions.json").read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(raw, dict):
        return {}
    return {str(k): str(v) for k, v in raw.items() if isinstance(v, str)}
