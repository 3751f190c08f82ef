"""Sites have scripts without comments, and with the same line numbers."""

from __future__ import annotations

import pytest

from bench.page.script import without_comments

SCRIPT = """\
/*
 * A head.
 */
/** @import { X } from './x.mjs' */
/**
 * Twice.
 *
 * @param {number} n
 */
const twice = (n) => 2 * n; /* here */
const all = '/* no comment */';
const some =
    /** @type {X} */ (twice(1)); /* here */
    /* one line */
"""


def test_comments_go_and_lines_stay() -> None:
    lines = without_comments(SCRIPT).split("\n")
    assert len(lines) == len(SCRIPT.split("\n"))
    assert lines[:3] == ["/*", " * A head.", " */"]
    assert lines[3:9] == [""] * 6
    assert lines[9:13] == SCRIPT.split("\n")[9:13]
    assert lines[13:] == ["", ""]


@pytest.mark.parametrize("wrong", ["/*\n * x\n", "/*\n * x\n */ code();\n"])
def test_what_cannot_be_told_apart_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        without_comments(wrong)
