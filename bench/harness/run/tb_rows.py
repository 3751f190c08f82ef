"""The engine's statistics file, in a form for result files.

The table of TBs has tens of thousands of rows, and a result is a single file.  So the
result holds the table by columns, as zlib-compressed JSON in base64, which has a tenth
of the plain form's size.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

from analysis.schema import STATS_SCHEMA

TBS_ENCODING = "columns+json+zlib+base64"


def read_stats(path: Path) -> tuple[dict[str, Any] | None, str]:
    """The statistics, or None and the reason."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, "the engine wrote no statistics"
    except (OSError, ValueError) as error:
        return None, f"the engine's statistics cannot be read ({error})"
    if not isinstance(raw, dict) or raw.get("schema") != STATS_SCHEMA:
        return None, f"the engine's statistics are not of schema {STATS_SCHEMA}"
    return raw, ""


def pack_tbs(tbs: Any) -> dict[str, Any] | None:
    """{"columns", "rows"} as one compressed string; None if there is none."""
    if not isinstance(tbs, dict) or not tbs.get("columns"):
        return None
    names = [str(name) for name in tbs["columns"]]
    rows = tbs.get("rows", [])
    columns = [[row[i] for row in rows] for i in range(len(names))]
    text = json.dumps(columns, separators=(",", ":"))
    packed = base64.b64encode(zlib.compress(text.encode(), 6))
    return {
        "columns": names,
        "count": len(rows),
        "encoding": TBS_ENCODING,
        "data": packed.decode("ascii"),
    }
