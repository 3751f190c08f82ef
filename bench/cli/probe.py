"""`tierlab engines --probe`: what the WebAssembly engines can, as measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.table import Table

from bench.base.consoles import err_console, out_console
from bench.base.errors import DONE, TierlabError, unknown
from bench.cli.common import print_json
from bench.engines import ENGINES
from bench.engines.browser import BrowserEngine
from bench.engines.probe import PROBED, Probed, probe, products_of
from bench.harness.products import obtain

LIMITS = {
    "memory_pages": "shared memory, pages of 64 KiB",
    "table_slots": "table, slots",
    "modules": "modules alive",
    "code_mib": "code, MiB of Wasm",
}


def chosen(names: Iterable[str]) -> list[Probed]:
    """The engines of these names, or all that can be probed; refuses other names."""
    able = {e.name: e for e in ENGINES.values() if isinstance(e, PROBED)}
    for name in names:
        if name not in able:
            raise unknown("engine to probe", name, able)
    return [able[name] for name in names or able]


def show(names: Iterable[str], as_json: bool) -> int:
    """Probe the engines one after another, and print the limits that were found."""
    engines = chosen(names)
    remarks = err_console()
    products = obtain({p for e in engines for p in products_of(e)}, remarks)
    for engine in engines:
        missing = (
            engine.missing_program() if isinstance(engine, BrowserEngine) else None
        )
        if missing is not None:
            what = f"engine '{engine.name}' is not installed"
            raise TierlabError(what, missing.why, missing.next_step)
    found = []
    for engine in engines:
        remarks.print(f"probing {engine.name} (a minute or more)")
        found.append(probe(engine, products))
    if as_json:
        print_json({"probes": found})
    else:
        out_console().print(table(found))
    for one in found:
        if one["died"] is not None:
            remarks.print(f"{one['engine']} did not survive it: {one['died']}")
    return DONE


def table(found: list[dict[str, Any]]) -> Table:
    """A column for each engine; `>=` where the probe reached no limit."""
    made = Table(box=box.SIMPLE_HEAD)
    made.add_column("")
    for one in found:
        made.add_column(one["engine"], justify="right")
    made.add_row("version", *(one["version"].split(" built")[0] for one in found))
    names = dict.fromkeys(name for one in found for name in one["features"])
    for name in names:
        has = ("yes" if one["features"].get(name) else "no" for one in found)
        made.add_row(name.replace("_", " "), *has)
    for name, title in LIMITS.items():
        made.add_row(title, *(_limit(one["limits"].get(name)) for one in found))
    return made


def _limit(found: dict[str, Any] | None) -> str:
    if found is None:
        return "?"
    return f"{'>= ' if found['at_least'] else ''}{found['value']:,}"
