"""The system's package archives, as lines of a sources.list.

This module reads both forms of apt's sources: lines, and stanzas (deb822).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

SUITES = ("trixie", "stable")
COMPONENT = "main"

_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<words>\S.*)")
_FIELD = re.compile(r"^(\S+):(.*(?:\n[ \t].*)*)", re.M)


def deb_src_lines(etc_apt: Path = Path("/etc/apt")) -> str:
    """Lines of a sources.list for the source packages of `main`."""
    return _joined(f"deb-src {rest}" for rest in _archives(etc_apt))


def deb_lines(suite: str, etc_apt: Path = Path("/etc/apt")) -> str:
    """Lines for the binary packages of another suite, from the same archives."""
    return _joined(
        "deb " + re.sub(rf"(?<= )({'|'.join(SUITES)})(?=[- ])", suite, rest)
        for rest in _archives(etc_apt)
    )


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in dict.fromkeys(lines))


def _archives(etc_apt: Path) -> list[str]:
    """[OPTIONS] URI SUITE COMPONENT of each entry, without its type."""
    lines: list[str] = []
    for path in [
        etc_apt / "sources.list",
        *sorted((etc_apt / "sources.list.d").glob("*.list")),
    ]:
        if path.is_file():
            lines += _one_line(path.read_text(encoding="utf-8"))
    for path in sorted((etc_apt / "sources.list.d").glob("*.sources")):
        lines += _stanzas(path.read_text(encoding="utf-8"))
    return lines


def _one_line(text: str) -> Iterator[str]:
    for line in text.splitlines():
        found = _LINE.fullmatch(line.partition("#")[0].strip())
        if found:
            uri, suite, *components = found["words"].split()
            if COMPONENT in components and _wanted(suite):
                yield _line(uri, suite, found["options"] or "")


def _stanzas(text: str) -> Iterator[str]:
    text = re.sub(r"^#.*\n?", "", text, flags=re.M)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {name.lower(): value for name, value in _FIELD.findall(stanza)}
        words = {name: value.split() for name, value in fields.items()}
        if (
            "deb" not in words.get("types", [])
            or COMPONENT not in words.get("components", [])
            or words.get("enabled", ["yes"])[0].lower() in ("no", "false")
        ):
            continue
        # A stanza may contain the key itself: then apt's trusted keys must do.
        key = words.get("signed-by", [])
        named = len(key) == 1 and key[0].startswith("/")
        for uri in words.get("uris", []):
            for suite in words.get("suites", []):
                if _wanted(suite):
                    yield _line(uri, suite, f"signed-by={key[0]}" if named else "")


def _wanted(suite: str) -> bool:
    return suite.partition("-")[0] in SUITES


def _line(uri: str, suite: str, options: str) -> str:
    chosen = " ".join(o for o in options.split() if not o.startswith("arch"))
    return f"{f'[{chosen}] ' if chosen else ''}{uri} {suite} {COMPONENT}"
