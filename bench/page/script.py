"""Removes comments from scripts for a site; only readers of the source need them."""

from __future__ import annotations


def without_comments(text: str) -> str:
    """The script with empty lines in place of comments, so that line numbers stay.

    This function removes only comments that fill their lines. The first comment stays,
    because it has the licence.
    """
    kept: list[str] = []
    is_first, inside = True, False
    for line in text.splitlines():
        words = line.strip()
        begins = not inside and words.startswith("/*")
        if begins and "*/" in words.removesuffix("*/"):
            # The comment is a type in front of an expression: keep the line.
            begins = False
        inside = inside or begins
        if inside and "*/" in words and not words.endswith("*/"):
            raise ValueError(f"code behind the end of a comment: {words}")
        kept.append(line if is_first or not inside else "")
        if inside and words.endswith("*/"):
            inside = is_first = False
    if inside:
        raise ValueError("a comment without an end")
    return "\n".join(kept) + "\n"
