"""The one kind of failure that the set-up reports."""

from __future__ import annotations

import errno


class SetupError(Exception):
    """What failed, why, and what to do next: one line, exit status 3."""

    def __init__(self, what: str, why: str = "", next: str = "") -> None:
        self.what = what
        self.why = why
        self.next = next
        text = what + (f": {why}" if why else "") + (f"; {next}" if next else "")
        super().__init__(" ".join(text.split()))


def from_os_error(error: OSError, doing: str, cache: object) -> SetupError:
    """An operating system's refusal in words that help."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(doing, cache)
    where = f"{error.filename}: " if error.filename else ""
    return SetupError(
        f"{doing} failed",
        f"{where}{error.strerror or error}",
        "correct that and run again",
    )


def disk_full(doing: str, cache: object) -> SetupError:
    """Finished products survive a full disk, and users want to know it."""
    return SetupError(
        f"{doing} failed",
        f"no space left on the disk of {cache}",
        "make room or set TIERLAB_CACHE to another disk, and run again: "
        "what is finished is kept",
    )
