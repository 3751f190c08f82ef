"""What the commands share: JSON output, the names of engines."""

from __future__ import annotations

import json
from typing import Any

import click

from bench.engines import ENGINES


def print_json(value: Any) -> None:
    """Machine-readable output."""
    click.echo(json.dumps(value, indent=2))


def engine_names() -> list[str]:
    """Names of all engines, default first."""
    return list(ENGINES)
