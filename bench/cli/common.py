"""What the commands share: JSON output, and the help of options that several have."""

from __future__ import annotations

import json
from typing import Any

import click

from bench.engines import ENGINES

FAULT_HELP = (
    "Let compilation fail: every Nth module for the reason WHAT, "
    "as engine-refused, table-full or no-memory."
)
ICOUNT_HELP = "Guest clock counts instructions, 2^SHIFT ns each."


def print_json(value: Any) -> None:
    """Machine-readable output."""
    click.echo(json.dumps(value, indent=2))


def engine_names() -> list[str]:
    """Names of all engines, default first."""
    return list(ENGINES)
