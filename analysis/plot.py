"""Figures of a comparison, as files: SVG for papers, PNG to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.summary import Row
from analysis.sweep import Curve, Sweep, find_sweeps

FORMATS = ("svg", "png")
# A parameter whose values span a greater factor gets a logarithmic axis.
LOG_FROM = 20.0
# Neighbouring colours differ in grey as well, and curves by their marks.
_STYLES = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"))


def plot_sweeps(rows: Sequence[Row], directory: Path) -> list[Path]:
    """Draw a figure for each sweep of the comparison; returns the files."""
    paths = []
    for number, sweep in enumerate(find_sweeps(rows), start=1):
        paths += _plot(sweep, directory, f"sweep-{number}-{sweep.parameter}")
    return paths


def _plot(sweep: Sweep, directory: Path, stem: str) -> list[Path]:
    # Imported here: nothing else needs matplotlib, which takes half a second to load.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    # SVG keeps text as text, and the same results give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "tierlab"})
    figure, axes = pyplot.subplots(figsize=(7.0, 4.2), layout="constrained")
    for i, curve in enumerate(sweep.curves):
        colour, mark = _STYLES[i % len(_STYLES)]
        axes.errorbar(
            [value for value, _ in curve.points],
            [row["boot_ms"] / 1000 for _, row in curve.points],
            yerr=_errors(curve),
            label=curve.label,
            color=colour,
            marker=mark,
            markersize=5,
            capsize=3,
            linewidth=1.4,
        )
    styles = ("--", ":", "-.")
    for (name, row), dashes in zip(sweep.references.items(), styles, strict=False):
        axes.axhline(
            row["boot_ms"] / 1000, color="#555555", linestyle=dashes, label=name
        )
    values = [value for curve in sweep.curves for value, _ in curve.points]
    if min(values) > 0 and max(values) / min(values) > LOG_FROM:
        axes.set_xscale("log")
        axes.set_xticks(sorted(set(values)), minor=False)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set_ylim(bottom=0)
    axes.set_xlabel(f"{sweep.parameter} ({UNITS.get(sweep.parameter, 'as declared')})")
    axes.set_ylabel("process start to init (s), median and 95 % interval")
    axes.set_title(sweep.title, fontsize=10)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    paths = [directory / f"{stem}.{kind}" for kind in FORMATS]
    for path in paths:
        figure.savefig(path, dpi=150, metadata=_no_date(path))
    pyplot.close(figure)
    return paths


# Labels of parameters whose axis can say more than their name.
UNITS = {"n": "executions before a TB is compiled", "size": "TBs a module at most"}


def _errors(curve: Curve) -> list[list[float]] | None:
    """Distances to the interval's ends; none with single runs."""
    rows = [row for _, row in curve.points]
    if any(row["boot_ms_ci"] is None for row in rows):
        return None
    low = [(row["boot_ms"] - row["boot_ms_ci"][0]) / 1000 for row in rows]
    high = [(row["boot_ms_ci"][1] - row["boot_ms"]) / 1000 for row in rows]
    return [low, high]


def _no_date(path: Path) -> dict[str, None]:
    return {"Date": None} if path.suffix == ".svg" else {}
