"""check_layers.py finds what it is to find: run it with lists that are wrong.

selftest_layers.py NM LIBRARY
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECK = HERE / "check_layers.py"
SOURCES = HERE.parent / "sources.txt"


def complaints(nm: str, library: str, text: str) -> str:
    """What the check says about a list."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sources.txt"
        path.write_text(text, encoding="utf-8")
        argv = [sys.executable, str(CHECK), nm, library, str(path)]
        shown = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert shown.returncode == (1 if shown.stderr else 0), shown
    return shown.stderr


def main(nm: str, library: str) -> None:
    """Each wrong list is complained about, and only as expected."""
    right = SOURCES.read_text(encoding="utf-8")
    assert complaints(nm, library, right) == ""
    # The driver on the ground: it includes and calls what is then behind it.
    moved = "emit.h\nemit.c\n" + right.replace("emit.h\nemit.c\n", "")
    said = complaints(nm, library, moved)
    assert "emit.c includes emit-function.h" in said, said
    assert "emit.c uses tw_plan_function of plan-function.c" in said, said
    # A caller before what it calls; the header stands before both.
    lower = right.replace("emit-host.c\n", "").replace(
        "emit-lookup.h\n", "emit-host.c\nemit-lookup.h\n"
    )
    said = complaints(nm, library, lower)
    assert "emit-mem.c uses tw_open_store of emit-host.c" in said, said
    assert " includes " not in said, said
    said = complaints(nm, library, right.replace("\nregion.c\n", "\n"))
    assert "check_layers: region.c is not listed" in said, said
    said = complaints(nm, library, right + "nothing.c\n")
    assert "nothing.c is listed, but there is no such file" in said, said


if __name__ == "__main__":
    main(*sys.argv[1:])
