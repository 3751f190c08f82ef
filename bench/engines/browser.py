"""QEMU as WebAssembly in a browser, through bench/engines/browsers/run.mjs.

This module has what all browsers share; each browser has a module of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bench.engines.base import BootRequest, Command, Missing, first_line
from bench.engines.node import (
    NodePlaces,
    node_program,
    product_versions,
    program_of,
    runner_arguments,
)

RUNNER = Path(__file__).resolve().parent / "browsers" / "run.mjs"
DRIVER = "browser-driver"
REPORT = "browser.json"
PROFILE = "profile"


class BrowserEngine:
    """A browser that Debian packages, without a window."""

    name: str
    meaning: str
    has_tiers = True
    budgets: Mapping[str, int] = {}
    # The program, and the package that has it.
    program: str
    package: str
    # What a flag looks like: for the error about another word.
    flag_form: str

    def is_flag(self, flag: str) -> bool:
        """Whether this browser takes the flag."""
        raise NotImplementedError

    def products(self, arch: str) -> tuple[str, ...]:
        """QEMU, and the driver of browsers."""
        return ("node", DRIVER, f"qemu-wasm-{arch}")

    def refuses(self, request: BootRequest) -> str | None:
        """Refuse flags that the browser would ignore silently."""
        for flag in request.engine_flags:
            if not self.is_flag(flag):
                return f"'{flag}' is no flag of {self.name}: give {self.flag_form}"
        return None

    def available(self, arch: str, products: Mapping[str, Path]) -> Missing | None:
        """The browser, and the files that the command line will name."""
        missing = self.missing_program()
        if missing is not None:
            return missing
        driver = products.get(DRIVER)
        for what, path in (
            ("node", node_program(products)),
            ("QEMU for Wasm", program_of(products, arch)),
            ("the browsers' driver", driver / "package.json" if driver else None),
            ("the browsers' runner", RUNNER),
        ):
            if path is None or not path.is_file():
                return Missing(f"{what} is missing", "run `tierlab build`")
        return None

    def missing_program(self) -> Missing | None:
        """None if the browser is installed."""
        if shutil.which(self.program) is not None:
            return None
        return Missing(
            f"the program {self.program} is missing",
            f"run `tierlab build`, or install Debian's package {self.package}",
        )

    def version(self, arch: str, products: Mapping[str, Path]) -> dict[str, str]:
        """The browser, QEMU and emscripten."""
        facts = {"engine": browser_version(self.program), "qemu": "", "emscripten": ""}
        program = program_of(products, arch)
        if program is not None:
            facts.update(product_versions(program.parent))
        return facts

    def command(self, request: BootRequest, products: Mapping[str, Path]) -> Command:
        """Node with the driver: its files, variables, QEMU's arguments."""
        places = NodePlaces(engine=self.name)
        words, inside = runner_arguments(request, products, places)
        argv = [str(node_program(products)), str(RUNNER)]
        argv += ["--browser", self.name, "--binary", str(shutil.which(self.program))]
        argv += ["--library", str(products[DRIVER])]
        for flag in request.engine_flags:
            argv += ["--flag", flag]
        report = None
        if request.stats is not None:
            # In the boot's own folder, which is removed when the run is over.
            report = request.stats.with_name(REPORT)
            argv += ["--report", str(report)]
            argv += ["--profile", str(request.stats.with_name(PROFILE))]
        return Command((*argv, *words), places.variables, inside, report)


@cache
def browser_version(program: str) -> str:
    """The version that the program prints."""
    return first_line([program, "--version"])
