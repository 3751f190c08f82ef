"""The one error type that reaches a user: one line and an exit status.

Exit status: 0 done, 1 guest or check failed, 2 usage, 3 set-up failed.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable

DONE = 0
FAILED = 1
USAGE = 2
SETUP = 3


class TierlabError(Exception):
    """An expected failure: what went wrong, why, and what to do next."""

    def __init__(
        self, what: str, why: str = "", next_step: str = "", *, status: int = SETUP
    ) -> None:
        self.what = what
        self.why = why
        self.next_step = next_step
        self.status = status
        super().__init__(self.line())

    def line(self) -> str:
        """The whole error as one line."""
        text = self.what
        if self.why:
            text += f": {self.why}"
        if self.next_step:
            text += f"; {self.next_step}"
        return " ".join(text.split())


def unknown(
    kind: str, given: str, valid: Iterable[str], where: str = ""
) -> TierlabError:
    """Refuse a name, and list those that would have been accepted."""
    prefix = f"{where}: " if where else ""
    return TierlabError(
        f"{prefix}unknown {kind} '{given}'",
        next_step=f"valid: {', '.join(valid)}",
        status=USAGE,
    )


class SetupError(TierlabError):
    """A product cannot be made: exit status 3."""

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        super().__init__(what, why, next_step, status=SETUP)


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
    """The disk of the cache is full. The text says that finished products survive."""
    return SetupError(
        f"{doing} failed",
        f"no space left on the disk of {cache}",
        "make room or set TIERLAB_CACHE to another disk, and run again: "
        "what is finished is kept",
    )
