"""The comparison as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from analysis.figure_table import figure_tables
from analysis.frame import framed
from analysis.refusals import warnings
from analysis.schema import NO_TIER
from analysis.summary import PEER, Row
from analysis.targets import Verdict

NOTE = (
    "Medians; below them the 95 % percentile bootstrap interval of the median "
    "(BCa degenerates with few runs; with three runs it is their range). A "
    "failed run is counted and gives no times. emit + inst.: to write modules and "
    "have the engine take them; what the engine compiles later is not in it."
)

_BOOT_TITLE = "Boot: process start to init, or to the end where there is no init"

Cell = Callable[[Row], str | Text]

# These columns are shown only if they have something to say: tables have 80
# characters.
_BESIDE_PEER = f"/ {PEER}"
_REFUSED = "re-\nfused"


def comparison_tables(rows: Sequence[Row]) -> list[Table]:
    """Tables of boot times, of workloads if there were any, and of costs."""
    tables = []
    booted = [row for row in rows if not row["resumed"]]
    if booted:
        tables.append(_table(_BOOT_TITLE, booted, _BOOT))
    resumed = [row for row in rows if row["resumed"]]
    if resumed:
        title = "Resume: process start until the saved machine goes on"
        tables.append(_table(title, resumed, _RESUME))
    worked = [row for row in rows if row["workload"].partition(" ")[0] != "none"]
    if worked:
        tables.append(_table("Workload: start to end", worked, _WORK))
    steady = [row for row in rows if row["steady_ms"] is not None]
    if steady:
        title = "Steady state: a round, median of the last half of them"
        tables.append(_table(title, steady, _STEADY))
    warmed = [row for row in resumed if row["steady_ms"] is not None]
    if warmed:
        title = "Warm-up: to the answer, and until rounds are steady"
        tables.append(_table(title, warmed, _WARM_UP))
    tables.append(_table("Cost", rows, _COST))
    compiled = [row for row in rows if row["modules"]]
    if compiled:
        tables.append(_table("Code cache", compiled, _CACHE))
    evicted = [row for row in rows if row["sections_evicted"] or row["tb_flushes"]]
    if evicted:
        tables.append(_table("Code buffer that was full", evicted, _BUFFER))
    return [*tables, *figure_tables(rows)]


def failure_lines(rows: Sequence[Row]) -> list[str]:
    """One line per distinct failure of each configuration."""
    lines = []
    for row in rows:
        seen: dict[str, int] = {}
        for failure in row["failures"]:
            text = f"{failure['kind']}: {failure['message']}"
            seen[text] = seen.get(text, 0) + 1
        name = f"{row['guest']} {_configuration(row)} {row['workload']}"
        lines += [f"{name}: {n} x {text}" for text, n in seen.items()]
    return lines


def warning_lines(rows: Sequence[Row]) -> list[str]:
    """One line per configuration and reason for which TBs were not compiled."""
    return [
        f"{row['guest']} {_configuration(row)} {row['workload']}: {text}"
        for row in rows
        for text in warnings(row["refusals"], row["engine_said"])
    ]


def idle_text(idle: Mapping[str, Any]) -> Text:
    """What the boot of an idle guest measured, or why it failed."""
    words = [idle[key] for key in ("guest", "engine", "tier", "switches")]
    name = " ".join(word for word in words if word not in ("", NO_TIER))
    failure = idle["failure"]
    if failure is not None:
        text = f"FAILED  idle guest {name}: {failure['kind']}: {failure['message']}"
        return Text(text, style="red")
    return Text(f"Idle guest {name}: {100 * idle['share']:.1f} % of one core")


def verdict_text(verdict: Verdict) -> Text:
    """A target's line, coloured by whether the target is met."""
    style = {True: "green", False: "red", None: "dim"}[verdict.met]
    return Text(verdict.line(), style=style)


def _table(
    title: str, rows: Sequence[Row], columns: Sequence[tuple[str, Cell]]
) -> Table:
    """A table with a section for each guest and workload.

    A row has no room for both names: tables have 80 characters.
    """
    needless = set()
    if not any(row["engine"] == PEER for row in rows):
        needless.add(_BESIDE_PEER)
    if not any(row["refusals"] for row in rows):
        needless.add(_REFUSED)
    columns = [column for column in columns if column[0] not in needless]
    table = framed(title)
    table.add_column("", overflow="fold", min_width=18)
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
    tier = "" if row["tier"] == NO_TIER else f" {row['short']}"
    switches = f" {row['switches']}" if row["switches"] else ""
    return f"{row['engine']}{tier}{switches}"


def _runs(row: Row) -> str:
    return str(row["runs"])


def _failed(row: Row) -> Text:
    failed = int(row["failed"])
    return Text(str(failed), style="bold red" if failed else "")


def _refused(row: Row) -> Text:
    """TBs, at most in one run, for reasons that say that something is wrong."""
    total = sum(row["refusals"].values())
    return Text(str(total), style="bold yellow" if total else "")


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


def _times(heading: str, column: str, prefix: str) -> list[tuple[str, Cell]]:
    return [
        *_COUNTS,
        (heading, _estimate(column, 0.001)),
        ("/ native", _estimate(f"{prefix}ratio_native")),
        ("/ never", _estimate(f"{prefix}ratio_never")),
        (_BESIDE_PEER, _estimate(f"{prefix}ratio_{PEER}")),
        ("/ best\nthreshold", _estimate(f"{prefix}ratio_single")),
    ]


_BOOT = _times("boot s", "boot_ms", "")
_RESUME = _times("resume s", "resume_ms", "resume_")
_WARM_UP: list[tuple[str, Cell]] = [
    ("answer\nms", _plain("answer_ms")),
    ("first\nround s", _plain("first_round_ms", 2, 0.001)),
    ("steady\nround s", _plain("steady_ms", 2, 0.001)),
    ("steady\nafter s", _plain("settled_ms", 2, 0.001)),
    ("lost\ns", _plain("lost_ms", 2, 0.001)),
]
_WORK = _times("work s", "workload_ms", "workload_")
_STEADY = _times("round s", "steady_ms", "steady_")
_COST: list[tuple[str, Cell]] = [
    ("first\ninsn ms", _plain("start_to_first_insn_ms")),
    ("us\n/ TB", _plain("translate_us_mean", 1)),
    ("TBs", _plain("tbs_translated")),
    ("compiled", _plain("tbs_compiled")),
    (_REFUSED, _refused),
    ("emit +\ninst. s", _plain("compile_ms", 2, 0.001)),
    ("RSS\nMiB", _plain("peak_rss_mib")),
    ("CPU\ns", _plain("cpu_ms", 1, 0.001)),
]
_BUFFER: list[tuple[str, Cell]] = [
    ("TBs", _plain("tbs_translated")),
    ("trans-\nlate s", _plain("translate_ms", 2, 0.001)),
    ("TBs\nagain", _plain("tbs_retranslated")),
    ("again\ns", _plain("retranslate_ms", 2, 0.001)),
    ("sec-\ntions", _plain("sections_evicted")),
    ("flu-\nshes", _plain("tb_flushes")),
    ("evict\ns", _plain("evict_ms", 2, 0.001)),
    ("MiB", _plain("code_buffer_mib", 0)),
]
_CACHE: list[tuple[str, Cell]] = [
    ("modules", _plain("modules")),
    ("TBs\n/ mod.", _plain("occupancy", 1)),
    ("alive\nmax", _plain("modules_alive_max")),
    ("given\nup", _plain("modules_retired")),
    ("evic-\nted", _plain("modules_evicted")),
    ("slots\nmax", _plain("slots_max")),
    ("KiB\n/ TB", _plain("wasm_kib_per_tb", 2)),
    ("maps\n/ TB", _plain("mappings_per_tb", 3)),
    ("wait\nms", _plain("wait_ms", 2)),
    ("stall\nms", _plain("worst_stall_ms", 1)),
]
