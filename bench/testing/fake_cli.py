"""The real command line with the fake engines added, for tests by process.

    fake_cli.py DIRECTORY ARGUMENTS...

DIRECTORY/scenarios.json maps engine names to their scenarios.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.cli.main import main
from bench.engines import ENGINES
from bench.testing.fakes import FakeEngine

directory = Path(sys.argv[1])
scenarios = json.loads((directory / "scenarios.json").read_text())
for name, table in scenarios.items():
    ENGINES[name] = FakeEngine(
        directory, name=name, has_tiers=name == "fake", scenarios=table
    )
sys.exit(main(sys.argv[2:]))
