"""The form of the files that the harness writes and the analysis reads.

result.schema.json beside this module describes them key by key (JSON Schema); what is
named here comes from it, or is no key. A version goes up when a reader of the old form
would misread the new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).with_name("result.schema.json")


def definition(name: str) -> dict[str, Any]:
    """A part of the schema: `run`, `summary`, or a part of one."""
    found: dict[str, Any] = _DEFINITIONS[name]
    return found


_DEFINITIONS = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))["$defs"]


def parts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The definitions that one is made of: what it refers to, its variants, itself."""
    if "$ref" in node:
        yield from parts(definition(node["$ref"].rpartition("/")[2]))
    for word in ("allOf", "anyOf", "oneOf"):
        for one in node.get(word, []):
            yield from parts(one)
    yield node


def _version(name: str) -> int:
    return int(definition(name)["properties"]["schema"]["const"])


RUN_SCHEMA = _version("boot")
SUMMARY_SCHEMA = _version("summary")
STATS_SCHEMA = _version("engine_stats")

RUNS_DIR = "runs"
PROFILES_DIR = "profiles"
SNAPSHOTS_DIR = "snapshots"
SUMMARY_FILE = "summary.json"
IDLE_FILE = "idle.json"

NO_TIER = "-"
# Behind a workload's name where the machine was resumed, not booted.
RESUMED = " resumed"
FAILURE_KINDS = tuple(
    str(kind["const"]) for kind in definition("failure")["properties"]["kind"]["oneOf"]
)
# Settings of the runtime, as the configuration of a run has them.
SWITCHES = tuple(
    name
    for name, value in definition("settings")["properties"].items()
    if value.get("switch")
)


def failure(kind: str, message: str) -> dict[str, str]:
    """Why a boot failed, as a result has it."""
    if kind not in FAILURE_KINDS:
        raise ValueError(f"the schema of results knows no failure '{kind}'")
    return {"kind": kind, "message": message}
