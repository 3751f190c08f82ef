"""The runtime's reports on its code cache while the guest ran.

The file of TIERLAB_TIMELINE has one JSON object a line, about twice a second.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_timeline(path: Path) -> dict[str, Any] | None:
    """The lines as a table; None if there are none.  A cut last line is left out."""
    rows = [row for row in map(_row, _lines(path)) if row]
    if not rows:
        return None
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {
        "columns": columns,
        "rows": [[row.get(name) for name in columns] for row in rows],
    }


def last_line(path: Path) -> dict[str, Any]:
    """The newest whole line of a file that is still written; {} if none."""
    for line in reversed(_lines(path)):
        row = _row(line)
        if row:
            return row
    return {}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
