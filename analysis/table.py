"""The comparison as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from analysis.figures import Verdict
from analysis.summary import Row

NOTE = (
    "Medians; [low..high] is the 95 % percentile bootstrap of the median (BCa "
    "degenerates with few runs; with three runs it is their range). A failed "
    "run is counted and gives no times."
)

Cell = Callable[[Row], str | Text]


def comparison_table(rows: Sequence[Row]) -> Table:
    """How long each configuration took, and against which reference."""
    return _table("Time", rows, _NAMES + _TIMES, always=("boot s", "failed"))


def cost_table(rows: Sequence[Row]) -> Table:
    """What each configuration spent: start, translation, modules, memory."""
    return _table("Cost", rows, _NAMES + _COSTS, always=())


def failure_lines(rows: Sequence[Row]) -> list[str]:
    """One line per distinct failure of each configuration."""
    lines = []
    for row in rows:
        seen: dict[str, int] = {}
        for failure in row["failures"]:
            text = f"{failure['kind']}: {failure['message']}"
            seen[text] = seen.get(text, 0) + 1
        name = f"{row['guest']} {row['engine']} {row['tier']} {row['workload']}"
        lines += [f"{name}: {n} x {text}" for text, n in seen.items()]
    return lines


def verdict_text(verdict: Verdict) -> Text:
    """A figure's line, coloured by whether it is met."""
    style = {True: "green", False: "red", None: "dim"}[verdict.met]
    return Text(verdict.line(), style=style)


def _table(
    title: str,
    rows: Sequence[Row],
    columns: Sequence[tuple[str, Cell]],
    always: Sequence[str],
) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    shown = []
    for name, cell in columns:
        if name == "workload" and all(row["workload"] == "none" for row in rows):
            continue
        if name in always or any(str(cell(row)) for row in rows):
            shown.append(cell)
            left = name in ("guest", "engine", "tier", "workload")
            table.add_column(name, justify="left" if left else "right")
    for row in rows:
        table.add_row(*(cell(row) for cell in shown))
    return table


def _name(column: str) -> Cell:
    return lambda row: str(row[column])


def _failed(row: Row) -> Text:
    failed = int(row["failed"])
    return Text(str(failed), style="bold red" if failed else "")


def _seconds(column: str) -> Cell:
    return _estimate(column, 0.001)


def _estimate(column: str, scale: float = 1.0) -> Cell:
    def cell(row: Row) -> str:
        value, interval = row[column], row[f"{column}_ci"]
        if value is None:
            return ""
        text = f"{value * scale:.2f}"
        if interval is not None:
            text += f" [{interval[0] * scale:.2f}..{interval[1] * scale:.2f}]"
        return text

    return cell


def _plain(column: str, digits: int = 0) -> Cell:
    def cell(row: Row) -> str:
        value = row[column]
        return "" if value is None else f"{value:,.{digits}f}"

    return cell


_NAMES: list[tuple[str, Cell]] = [
    ("guest", _name("guest")),
    ("engine", _name("engine")),
    ("tier", _name("tier")),
    ("workload", _name("workload")),
]
_TIMES: list[tuple[str, Cell]] = [
    ("runs", _name("runs")),
    ("failed", _failed),
    ("boot s", _seconds("boot_ms")),
    ("/native", _estimate("ratio_native")),
    ("/never", _estimate("ratio_never")),
    ("work s", _seconds("workload_ms")),
    ("work/native", _estimate("workload_ratio_native")),
    ("work/never", _estimate("workload_ratio_never")),
]
_COSTS: list[tuple[str, Cell]] = [
    ("first insn ms", _plain("start_to_first_insn_ms")),
    ("us/TB", _plain("translate_us_mean", 1)),
    ("TBs", _plain("tbs_translated")),
    ("compiled", _plain("tbs_compiled")),
    ("modules", _plain("modules")),
    ("RSS MiB", _plain("peak_rss_mib")),
    ("CPU ms", _plain("cpu_ms")),
]
