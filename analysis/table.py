"""The comparison as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from analysis.figures import Verdict
from analysis.schema import NO_TIER
from analysis.summary import Row

NOTE = (
    "Medians; below them the 95 % percentile bootstrap interval of the median "
    "(BCa degenerates with few runs; with three runs it is their range). A "
    "failed run is counted and gives no times."
)

Cell = Callable[[Row], str | Text]


def comparison_tables(rows: Sequence[Row]) -> list[Table]:
    """Boot times, times of workloads if there were any, and what it all cost."""
    tables = [_table("Boot: process start to init", rows, _BOOT)]
    worked = [row for row in rows if row["workload"] != "none"]
    if worked:
        tables.append(_table("Workload: start to end", worked, _WORK))
    return [*tables, _table("Cost", rows, _COST)]


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
    title: str, rows: Sequence[Row], columns: Sequence[tuple[str, Cell]]
) -> Table:
    """A section per guest and workload: 80 columns have no room for both."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("", no_wrap=True)
    for name, _ in columns:
        table.add_column(name, justify="right", no_wrap=True)
    before = None
    for row in rows:
        section = _section(row)
        if section != before:
            table.add_section()
            table.add_row(Text(section, style="bold"))
            before = section
        table.add_row(f"  {_configuration(row)}", *(cell(row) for _, cell in columns))
    return table


def _section(row: Row) -> str:
    workload = "" if row["workload"] == "none" else f", {row['workload']}"
    return f"{row['guest']}{workload}"


def _configuration(row: Row) -> str:
    tier = "" if row["tier"] == NO_TIER else f" {row['tier']}"
    return f"{row['engine']}{tier}"


def _runs(row: Row) -> str:
    return str(row["runs"])


def _failed(row: Row) -> Text:
    failed = int(row["failed"])
    return Text(str(failed), style="bold red" if failed else "")


def _estimate(column: str, scale: float = 1.0) -> Cell:
    def cell(row: Row) -> str:
        value, interval = row[column], row[f"{column}_ci"]
        if value is None:
            return "-"
        text = f"{value * scale:.2f}"
        if interval is not None:
            text += f"\n{interval[0] * scale:.2f}..{interval[1] * scale:.2f}"
        return text

    return cell


def _plain(column: str, digits: int = 0, scale: float = 1.0) -> Cell:
    def cell(row: Row) -> str:
        value = row[column]
        return "-" if value is None else f"{value * scale:.{digits}f}"

    return cell


_COUNTS: list[tuple[str, Cell]] = [("runs", _runs), ("failed", _failed)]
_BOOT: list[tuple[str, Cell]] = [
    *_COUNTS,
    ("boot s", _estimate("boot_ms", 0.001)),
    ("/ native", _estimate("ratio_native")),
    ("/ never", _estimate("ratio_never")),
]
_WORK: list[tuple[str, Cell]] = [
    *_COUNTS,
    ("work s", _estimate("workload_ms", 0.001)),
    ("/ native", _estimate("workload_ratio_native")),
    ("/ never", _estimate("workload_ratio_never")),
]
_COST: list[tuple[str, Cell]] = [
    ("first\ninsn ms", _plain("start_to_first_insn_ms")),
    ("us\n/ TB", _plain("translate_us_mean", 1)),
    ("TBs", _plain("tbs_translated")),
    ("compiled", _plain("tbs_compiled")),
    ("modules", _plain("modules")),
    ("RSS\nMiB", _plain("peak_rss_mib")),
    ("CPU\ns", _plain("cpu_ms", 1, 0.001)),
]
