"""Does each file of tcg-wasm use only what stands before it in sources.txt?

    check_layers.py NM LIBRARY [SOURCES]

sources.txt lists the files from the ground up. A file may include, and its object
file may refer to, only what stands before it; so there is no circle. Files that are
in the directory and not in the list are an error as well, and so are those that are
not there. LIBRARY is the static library made of the C sources, NM lists its symbols.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

INCLUDE = re.compile(r'^#\s*include "([^"/]+)"', re.MULTILINE)
# "libtw.a[emit.c.o]: tw_emit_module T 0000 0123"
SYMBOL = re.compile(r"^.*\[(.+?)\.o(?:bj)?\]: (\S+) (\w)(?: .*)?$")
DEFINES = set("TDRBCVWSG")
# Each is a build's own and may use all of the list.
HOSTS = "host-*.c"
PATTERNS = ("*.c", "*.h", "*.inc")


def listed(sources: Path) -> list[str]:
    """The files of the list, in its order."""
    lines = sources.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def wrong_list(here: Path, order: list[str]) -> Iterator[str]:
    """Compare the list with the directory."""
    hosts = {path.name for path in here.glob(HOSTS)}
    there = {path.name for pattern in PATTERNS for path in here.glob(pattern)}
    for name in sorted(set(order) - there):
        yield f"{name} is listed, but there is no such file"
    for name in sorted(there - hosts - set(order)):
        yield f"{name} is not listed"
    for name in sorted({name for name in order if order.count(name) > 1}):
        yield f"{name} is listed more than once"


def wrong_includes(here: Path, place: dict[str, int]) -> Iterator[str]:
    """Includes of what stands behind the file that includes it."""
    for name in place:
        text = (here / name).read_text(encoding="utf-8")
        for other in INCLUDE.findall(text):
            if other in place and place[other] >= place[name]:
                yield f"{name} includes {other}, which stands behind it"


def symbols(nm: str, library: str) -> Iterator[tuple[str, str, str]]:
    """(object's source file, symbol, nm's letter) of each of the library's."""
    argv = [nm, "-A", "-P", "-g", library]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True)
    for line in shown.stdout.splitlines():
        match = SYMBOL.match(line)
        if match:
            yield match[1], match[2], match[3]


def wrong_calls(nm: str, library: str, place: dict[str, int]) -> Iterator[str]:
    """References to symbols of what stands behind the file that refers."""
    found = list(symbols(nm, library))
    owner = {symbol: name for name, symbol, letter in found if letter in DEFINES}
    missing = {name for name in place if name.endswith(".c")} - set(owner.values())
    for name in sorted(missing):
        yield f"{name} defines nothing in {library}"
    for name, symbol, letter in found:
        other = owner.get(symbol)
        if letter != "U" or other is None or name not in place or name == other:
            continue
        # A host's place is behind all others.
        if place.get(other, len(place)) >= place[name]:
            yield f"{name} uses {symbol} of {other}, which stands behind it"


def main(argv: list[str]) -> int:
    """Print what is wrong; 0 if nothing is."""
    if len(argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    nm, library = argv[1:3]
    default = Path(__file__).resolve().parents[1] / "sources.txt"
    sources = Path(argv[3]) if len(argv) == 4 else default
    here = default.parent
    order = listed(sources)
    wrong = list(wrong_list(here, order))
    if not wrong:
        place = {name: i for i, name in enumerate(order)}
        wrong += wrong_includes(here, place)
        wrong += wrong_calls(nm, library, place)
    for line in wrong:
        print(f"check_layers: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
