"""What the WebAssembly engines offer and where their limits are, as measured.

Each engine is probed in a process of its own, because some engines end their process
at a limit: the result is then what the probe reached before.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.engines.browser import DRIVER
from bench.engines.browser import RUNNER as BROWSER_RUNNER
from bench.engines.browser import BrowserEngine
from bench.engines.node import RUNNER as NODE_RUNNER
from bench.engines.node import NodeEngine, node_program

NODE_PROBE = NODE_RUNNER.with_name("probe.mjs")
# How far the probe goes: twice the default of max-modules, and that of max-code.
MODULES = 48_000
CODE_MIB = 256
TIMEOUT_S = 900.0

Probed = NodeEngine | BrowserEngine
PROBED = (NodeEngine, BrowserEngine)


def products_of(engine: Probed) -> tuple[str, ...]:
    """The products that probing an engine needs."""
    return ("node", DRIVER) if isinstance(engine, BrowserEngine) else ("node",)


def probe(
    engine: Probed,
    products: Mapping[str, Path],
    modules: int = MODULES,
    code_mib: int = CODE_MIB,
) -> dict[str, Any]:
    """Features, limits, and the reason `died` if the engine did not survive."""
    version = engine.version("", products)["engine"]
    with tempfile.TemporaryDirectory(
        prefix="tierlab-", ignore_cleanup_errors=True
    ) as scratch:
        argv = _command(engine, products, Path(scratch), modules, code_mib)
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
            out, error = done.stdout, done.stderr
            status = f"exit status {done.returncode}"
        except subprocess.TimeoutExpired as expired:
            raw = expired.stdout or b""
            out = raw.decode() if isinstance(raw, bytes) else raw
            error, status = "", f"it took more than {TIMEOUT_S:g} s"
    found = parsed(out)
    if found["died"] is not None:
        said = error.strip().splitlines()
        found["died"] = said[-1].removeprefix("tierlab: ") if said else status
    return {"engine": engine.name, "version": version, **found}


def _command(
    engine: Probed,
    products: Mapping[str, Path],
    scratch: Path,
    modules: int,
    code_mib: int,
) -> list[str]:
    node = str(node_program(products))
    if not isinstance(engine, BrowserEngine):
        return [node, str(NODE_PROBE), str(modules), str(code_mib)]
    argv = [node, str(BROWSER_RUNNER), "--probe", f"{modules},{code_mib}"]
    argv += ["--browser", engine.name, "--binary", str(shutil.which(engine.program))]
    argv += ["--library", str(products[DRIVER]), "--profile", str(scratch / "profile")]
    return argv


def parsed(out: str) -> dict[str, Any]:
    """The facts that a probe printed; `died` is None if the probe came to its end."""
    features: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    died: str | None = ""
    for line in out.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # the probe died in the middle of a line
        progress = said.get("progress", {})
        features = progress.get("features", features)
        limits |= progress.get("limits", {})
        for name in ("modules", "code_mib"):
            if name in progress:
                limits[name] = _reached(progress[name])
        if "found" in said:
            features, limits, died = (*_both(said["found"]), None)
    return {"features": features, "limits": limits, "died": died}


def _reached(value: int) -> dict[str, Any]:
    return {"value": value, "at_least": False, "why": "it ended there"}


def _both(found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return dict(found["features"]), dict(found["limits"])
