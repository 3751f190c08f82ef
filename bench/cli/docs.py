"""Writes the generated tables of docs/: `python3 -m bench.cli.docs`.

A page of docs/ holds a table between two comments; the text around it is written by
hand. bench/cli/tests/test_docs.py fails if a table is not what would be written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench.base.places import ROOT
from bench.base.settings import SETTINGS, Setting
from bench.cli.options import default_text

COMMAND = "python3 -m bench.cli.docs"


def settings_table() -> str:
    """Every setting: what it takes, and what it means."""
    rows = [
        (
            f"`{one.option}`",
            one.values.shown,
            one.unit,
            f"{one.help}.",
        )
        for one in SETTINGS
    ]
    return _table(("setting", "values", "unit", "meaning"), rows)


def places_table() -> str:
    """Every setting: where it can be given, and where a result has it."""
    rows = []
    for one in SETTINGS:
        commands = [_command(one, name) for name in one.commands]
        control = one.page.label if one.page else ""
        rows.append(
            (
                f"`{one.option}`",
                "; ".join(commands),
                _suite(one),
                f"`{one.result}`" if one.result else "",
                control,
            )
        )
    return _table(
        ("setting", "commands (default)", "suites (default)", "results", "page"), rows
    )


def _command(one: Setting, name: str) -> str:
    use = one.commands[name]
    text = default_text(use)
    word = f"{name} {one.metavar}" if use.positional else name
    word += ", repeatable" if use.several else ""
    return f"{word} ({text})" if text else word


def _suite(one: Setting) -> str:
    if one.suite is None:
        return ""
    value = one.suite.default
    if value is None or value in ((), ""):
        text = ""
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, tuple):
        text = ", ".join(value)
    else:
        text = str(value)
    word = f"`{one.suite_key}`"
    word += ", a list" if one.listed or one.suite.several else ""
    return f"{word} ({text})" if text else word


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


# File, name of the table in it, what makes the table.
TABLES: tuple[tuple[Path, str, Callable[[], str]], ...] = (
    (ROOT / "docs" / "settings.md", "settings", settings_table),
    (ROOT / "docs" / "settings.md", "places", places_table),
)


def put(text: str, name: str, table: str) -> str:
    """A page's text with the table in its place."""
    begin = f"<!-- table: {name}, written by `{COMMAND}` -->"
    end = "<!-- end of the table -->"
    block = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if not block.search(text):
        raise ValueError(f"no place for the table {name}")
    return block.sub(lambda _: f"{begin}\n\n{table}\n\n{end}", text, count=1)


def main() -> None:
    """Write all of them."""
    for path, name, make in TABLES:
        path.write_text(put(path.read_text(), name, make()))


if __name__ == "__main__":
    main()
