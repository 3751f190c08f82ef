"""`tierlab equal-imports`: the negative experiment on batches of equal imports."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table

from analysis.imports import Vector, batches, hot_vectors, import_vectors
from analysis.load import unpack_tbs
from bench.base.consoles import err_console, out_console
from bench.base.errors import DONE, FAILED, TierlabError
from bench.base.interrupt import Deferred
from bench.cli.options import setting_options
from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.names import find_guest
from bench.harness.products import obtain_for
from bench.harness.run.boot import Boot, Terminal, run_boot
from bench.harness.run.profile import SEED_TIER
from bench.harness.run.provenance import shared_provenance

ENGINES = ("node", "native")
TIMEOUT_S = 300.0


@click.command("equal-imports")
@setting_options("equal-imports")
@click.option(
    "-n",
    "hot",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    help="Executions of a TB that is compiled.",
)
@click.option(
    "--size",
    type=click.IntRange(2),
    default=64,
    show_default=True,
    help="TBs that wait, and a module's most.",
)
def equal_imports(guest: str, hot: int, size: int) -> int:
    """How large batches of GUEST's TBs would be if imports had to be equal.

    Boots twice: natively, where QEMU tells which helpers each TB calls, and
    interpreted, which counts executions. See docs/experiments.md.
    """
    entry = find_guest(guest)
    products, guests = obtain_for([entry], ENGINES)
    request = BootRequest(guest=guests[guest])
    boots = {
        name: Boot(find_engine(name), request, products, TIMEOUT_S) for name in ENGINES
    }
    with Deferred() as signals:
        terminal = Terminal(signals=signals)
        vectors = _vectors(boots["native"], terminal)
        rows = _executions(boots["node"], terminal)
    pcs = [int(str(pc), 16) for pc in rows["guest_pc"]]
    chosen = hot_vectors(vectors, pcs, rows["exec_tier0"], hot)
    if not chosen:
        raise TierlabError(
            f"no TB was executed {hot} times", next_step="lower -n", status=FAILED
        )
    _show(guest, hot, chosen, size)
    return DONE


def _vectors(boot: Boot, terminal: Terminal) -> dict[int, Vector]:
    err_console().print("Booting natively, for what TBs call.", style="dim")
    with tempfile.TemporaryDirectory(prefix="tierlab-") as scratch:
        log = Path(scratch) / "op.log"
        flags = ("-d", "in_asm,op", "-D", str(log))
        _good(
            replace(boot, request=replace(boot.request, engine_flags=flags)), terminal
        )
        with log.open(encoding="utf-8", errors="replace") as lines:
            return import_vectors(lines)


def _executions(boot: Boot, terminal: Terminal) -> dict[str, list[Any]]:
    err_console().print("Booting interpreted, for executions.", style="dim")
    boot = replace(boot, request=replace(boot.request, tier=SEED_TIER))
    return unpack_tbs(_good(boot, terminal)["stats"]["tbs"])


def _good(boot: Boot, terminal: Terminal) -> dict[str, Any]:
    result = run_boot(boot, shared_provenance(), terminal)
    if not result["ok"]:
        why = result["failure"]["message"]
        raise TierlabError("the guest did not boot", why, status=FAILED)
    return result


def _show(guest: str, hot: int, chosen: list[Vector], size: int) -> None:
    table = Table(
        title=f"Batches of up to {size} TBs, {guest}, executed {hot} times and more",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("a module holds")
    for heading in ("TBs", "modules", "TBs / module"):
        table.add_column(heading, justify="right")
    for row in batches(chosen, size):
        table.add_row(row.rule, str(row.tbs), str(row.modules), f"{row.occupancy:.1f}")
    console = out_console()
    console.print(table)
    console.print(f"{len(set(chosen))} different import vectors.")
