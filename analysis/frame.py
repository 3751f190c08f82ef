"""The frame that all tables of a comparison have."""

from __future__ import annotations

from rich import box
from rich.table import Table


def framed(title: str, caption: str | None = None) -> Table:
    """An empty table with its title above, and what it leaves to say below."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
