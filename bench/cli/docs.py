"""Writes the generated parts of docs/ and of the schema of results.

`python3 -m bench.cli.docs` writes:

- tables in pages of docs/, each between two comments; people write the text around
  the tables
- the definitions `settings` and `suite` of analysis/result.schema.json, from the
  table of settings; people write the rest of the schema

bench/cli/tests/test_docs.py fails if a generated part is out of date.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from analysis.schema import SCHEMA_FILE, definition, parts
from bench.base.places import ROOT
from bench.base.settings import SETTINGS, Setting
from bench.base.values import Choice, Values
from bench.cli.options import default_text

COMMAND = "python3 -m bench.cli.docs"


def settings_table() -> str:
    """A table of all settings: the values that each takes, and its meaning."""
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
    """A table of all settings: where a user gives each, and its key in a result."""
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


def schema_table(name: str) -> str:
    """A table of all keys of a result file: the unit and the meaning of each.

    For a file that has all keys of a run, the table leaves out the keys of a run.
    """
    node = dict(definition(name))
    if name != "run":
        node.pop("$ref", None)
    rows = _keys(node, "")
    return _table(("key", "unit", "meaning"), _unlike(rows))


def _unlike(rows: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The rows without repetitions; variants of an object share some of their keys."""
    return list(dict.fromkeys(rows))


def _keys(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, str]]:
    """The keys of an object of the schema, and of the objects inside it."""
    for part in parts(node):
        for key, value in part.get("properties", {}).items():
            yield from _key(value, f"{place}{key}")
        for pattern, value in part.get("patternProperties", {}).items():
            yield from _key(value, f"{place}{_words(pattern)}")


def _key(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    if "description" in value:
        yield f"`{path}`", value.get("unit", ""), f"{value['description']}"
    items = value.get("items", {})
    for one in [*value.get("oneOf", []), *items.get("oneOf", [])]:
        if "const" in one and "description" in one:
            yield f"`{path}`: `{one['const']}`", one.get("unit", ""), one["description"]
    yield from _keys(value, f"{path}.")
    yield from _keys(items, f"{path}[].")


def _words(pattern: str) -> str:
    """A pattern of keys as the table shows it."""
    return re.sub(r"\(([^()]*)\)\?", r"[\1]", pattern.strip("^$"))


def schema_with_settings(text: str) -> str:
    """The schema's text, with the parts renewed that the table of settings defines."""
    document = json.loads(text)
    document["$defs"]["settings"] = _config_schema()
    document["$defs"]["suite"] = _suite_schema()
    return _laid_out(document) + "\n"


def _config_schema() -> dict[str, Any]:
    found = [one for one in SETTINGS if one.result]
    return {
        "type": "object",
        "properties": {one.result: _config_key(one) for one in found},
        "required": [one.result for one in found],
    }


def _config_key(one: Setting) -> dict[str, Any]:
    more: dict[str, Any] = {"unit": one.unit} if one.unit else {}
    more |= {"switch": True} if one.variable else {}
    return {"description": one.help, **more, **_form(one.values, one.listed, one)}


def _form(values: Values, is_list: bool, one: Setting) -> dict[str, Any]:
    """The schema of a setting's value in a file.

    The schema has no ranges: they bind users, but a guest's own value may lie outside.
    """
    form = values.schema()
    if isinstance(values, Choice):
        return {"enum": [*form["enum"], None]} if one.optional else form
    kind = form["type"]
    if is_list:
        return {"type": "array", "items": {"type": kind}}
    return {"type": [kind, "null"] if one.optional else kind}


def _suite_schema() -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for one in SETTINGS:
        if one.suite is None:
            continue
        form = one.values.schema()
        if one.listed or one.suite.several:
            form = {"type": "array", "items": form}
        elif one.suite.default is None:
            form = {**form, "type": [form["type"], "null"]}
        elif one.suite.default == "":
            form = {"type": "string"}
        unit = {"unit": one.unit} if one.unit else {}
        properties[one.suite_key] = {"description": one.help, **unit, **form}
    properties["command"] = {
        "description": "what runs in the root; empty: the command of the image",
        "type": "array",
        "items": {"type": "string"},
    }
    properties["targets"] = {
        "description": "limits that the suite's author has set",
        "type": "array",
        "items": {"$ref": "#/$defs/target"},
    }
    for key, meaning in (
        ("title", "what the suite shows"),
        ("purpose", "why, and what to look at"),
    ):
        properties[key] = {"description": meaning, "type": "string"}
    for key, meaning in (
        ("planned", "boots of the whole comparison"),
        ("done", "of these, boots that are finished"),
    ):
        properties[key] = {"description": meaning, "unit": "boots", "type": "integer"}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _laid_out(value: Any, depth: int = 0) -> str:
    """JSON text in which each value that fits is on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + 2 * depth <= 88 or not isinstance(value, (dict, list)):
        return flat
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(k)}: {_laid_out(v, depth + 1)}" for k, v in value.items()
        ]
        opening, closing = "{", "}"
    else:
        parts = [_laid_out(v, depth + 1) for v in value]
        opening, closing = "[", "]"
    body = f",\n{inner}".join(parts)
    return f"{opening}\n{inner}{body}\n{'  ' * depth}{closing}"


_RESULTS = ROOT / "docs" / "results.md"
# A page, the name of a table in the page, and the function that makes the table.
TABLES: tuple[tuple[Path, str, Callable[[], str]], ...] = (
    (ROOT / "docs" / "settings.md", "settings", settings_table),
    (ROOT / "docs" / "settings.md", "places", places_table),
    *(
        (_RESULTS, name, partial(schema_table, name))
        for name in ("run", "summary", "idle", "soak", "conform")
    ),
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
    """Write all generated parts; the schema comes first, because tables use it."""
    text = schema_with_settings(SCHEMA_FILE.read_text())
    if text != SCHEMA_FILE.read_text():
        SCHEMA_FILE.write_text(text)
        # Modules that are already imported have read the old schema: start anew.
        os.execv(sys.executable, [sys.executable, "-m", "bench.cli.docs"])
    for path, name, make in TABLES:
        path.write_text(put(path.read_text(), name, make()))


if __name__ == "__main__":
    main()
