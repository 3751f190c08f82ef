"""The one error type that reaches a user: one line and an exit status.

Exit status: 0 done, 1 guest or check failed, 2 usage, 3 set-up failed.
"""

from __future__ import annotations

from collections.abc import Iterable

DONE = 0
FAILED = 1
USAGE = 2
SETUP = 3


class HarnessError(Exception):
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
) -> HarnessError:
    """Refuse a name, and list those that would have been accepted."""
    prefix = f"{where}: " if where else ""
    return HarnessError(
        f"{prefix}unknown {kind} '{given}'",
        next_step=f"valid: {', '.join(valid)}",
        status=USAGE,
    )
