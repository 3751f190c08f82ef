"""How long a visitor of the page waits, measured in a real browser: `tierlab bench`.

Each repetition boots a guest in Node, opens the page in a browser with an empty
profile, boots the same guest there under the same policy, and types at its prompt.
There are benchmarks with two kinds of visit: in one, the pointer is at the button for
some time before the click, and the page uses this time to load ahead; in the other,
the click comes at once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.base.errors import TierlabError
from bench.build.recipes.page import PRODUCT as LIBRARIES
from bench.engines import find_engine
from bench.engines.base import BootRequest, Switches
from bench.engines.browser import DRIVER, BrowserEngine
from bench.engines.node import node_program
from bench.guests.names import SHELL, find_guest
from bench.harness.products import TIERS, obtain_for
from bench.harness.run.boot import Boot, Terminal, run_boot, timeout_of
from bench.harness.run.policies import check_policies
from bench.harness.run.provenance import shared_provenance
from bench.micro.run import Done, Effort, Outcome, failed_row
from bench.page.make import DEFAULT_GUEST as GUEST
from bench.page.make import contents, program_product, write_site
from bench.page.server import PageServer

TIER = "region"
SCRIPT = Path(__file__).with_name("measure.mjs")
TIMEOUT_S = 360.0
GOODBYE = b"exit\n"
# How long the pointer is at the button before the click, in ms.
APPROACHES_MS = (300, 1000, 0)


class InBrowser:
    """The page's benchmark in one browser."""

    def __init__(self, engine: BrowserEngine) -> None:
        missing = engine.missing_program()
        if missing is not None:
            what = f"engine '{engine.name}' is not installed"
            raise TierlabError(what, missing.why, missing.next_step)
        self.engine = engine

    @staticmethod
    def products() -> list[str]:
        """The products that the benchmark needs."""
        entry = find_guest(GUEST)
        program = program_product(entry.arch)
        return ["node", DRIVER, LIBRARIES, TIERS, entry.product, program]

    def names(self) -> list[str]:
        """A benchmark for each of APPROACHES_MS; one visit measures all its figures."""
        return [f"{self.engine.name}/page/approach_ms:{ms}" for ms in APPROACHES_MS]

    def run(
        self, names: Sequence[str], effort: Effort, done: Done, outcome: Outcome
    ) -> None:
        """Visit the page as often as asked, each time once for each benchmark.

        A failed visit gives a failed row.
        """
        entry = find_guest(GUEST)
        products, guests = obtain_for([entry], ["node", self.engine.name])
        policy = check_policies([TIER])[0]
        # The boot in Node counts executions, because the page does.
        counting = Switches(counts="sampled")
        request = BootRequest(
            guest=guests[GUEST], workload=SHELL, tier=policy.spec, switches=counting
        )
        timeout = timeout_of(request.guest, None)
        boot = Boot(find_engine("node"), request, products, timeout, policy.facts)
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        with _served() as url:
            for repetition in range(effort.repetitions):
                node_s, failure = _prompt_in_node(boot)
                for name in names:
                    if failure:
                        row = failed_row(name, f"in Node: {failure}")
                    else:
                        row = self._visit(name, node_s, products, url)
                    rows[name].append({**row, "repetition_index": repetition})
        for name in names:
            outcome.rows += rows[name]
            done(name)

    def _visit(
        self, name: str, node_s: float, products: Mapping[str, Path], url: str
    ) -> dict[str, Any]:
        argv = [str(node_program(products)), str(SCRIPT)]
        argv += ["--browser", self.engine.name]
        argv += ["--binary", str(shutil.which(self.engine.program))]
        argv += ["--library", str(products[DRIVER]), "--url", url]
        argv += ["--hash", f"#guest={GUEST}&workload={SHELL}&tier={TIER}"]
        argv += ["--approach", name.rpartition(":")[2]]
        try:
            done = _run_group(argv)
        except subprocess.TimeoutExpired:
            return failed_row(name, f"no answer within {TIMEOUT_S:g} s")
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()[:1]
            why = said[0] if said else f"status {done.returncode}"
            return failed_row(name, why)
        return row_of(name, json.loads(done.stdout), node_s)


def row_of(name: str, seen: Mapping[str, Any], node_s: float) -> dict[str, Any]:
    """A row in google-benchmark's form, with times in seconds.

    `seen` is the output of measure.mjs.
    """
    prompt_s = seen["prompt_ms"] / 1000
    row = {
        "name": name,
        "run_name": name,
        "run_type": "iteration",
        "tier": seen["tier"],
        "s_to_prompt": prompt_s,
        "s_to_prompt_in_node": node_s,
        "prompt_of_node": prompt_s / node_s,
        "s_to_load": seen["load_ms"] / 1000,
        "s_to_paint": seen["paint_ms"] / 1000,
        "bytes_before_boot": seen["bytes"],
        "s_to_echo": median(seen["echo_ms"]) / 1000,
    }
    if seen["longest_task_ms"] is not None:
        row["s_longest_task"] = seen["longest_task_ms"] / 1000
    return row


def _prompt_in_node(boot: Boot) -> tuple[float, str]:
    """Seconds from the process's start to the prompt, and the reason if this fails."""
    reader, typist = os.pipe()
    try:
        terminal = Terminal(
            input_fd=reader, prompt=lambda: (os.write(typist, GOODBYE), None)[1]
        )
        result = run_boot(boot, shared_provenance(), terminal)
    finally:
        os.close(reader)
        os.close(typist)
    if not result["ok"]:
        return 0.0, str(result["failure"]["message"])
    at = {phase["phase"]: phase["host_ms"] for phase in result["phases"]}
    if "prompt" not in at:
        return 0.0, "the guest never showed its prompt"
    return at["prompt"] / 1000, ""


def _run_group(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a browser's driver in a process group of its own, which the driver ends."""
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        start_new_session=True,
    )


@contextmanager
def _served() -> Iterator[str]:
    """Serve the page with the guest, as `tierlab serve` does; gives the address."""
    with tempfile.TemporaryDirectory(prefix="tierlab-") as directory:
        write_site(Path(directory), contents([find_guest(GUEST)]))
        with PageServer("127.0.0.1", 0) as server:
            server.offer(Path(directory))
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield server.url
            finally:
                server.shutdown()
                thread.join()
