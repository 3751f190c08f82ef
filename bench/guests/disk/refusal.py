"""The error about what cannot be a root: an image, a folder, a package."""

from __future__ import annotations

from bench.base.errors import USAGE, TierlabError


class BadRoot(Exception):
    """Why something cannot be a root, and what to do next."""

    error = TierlabError

    def __init__(self, why: str, next_step: str = "give another image") -> None:
        self.why = why
        self.next_step = next_step
        super().__init__(why)

    def as_error(self, option: str, name: object) -> TierlabError:
        """The error for the user: exit status 2."""
        what = f"{option} {name}"
        return self.error(what, self.why, self.next_step, status=USAGE)


def shown(name: str) -> str:
    """A name of an archive in a message: short, and without control characters."""
    text = name.encode("utf-8", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return text if len(text) <= 100 else f"{text[:60]}...{text[-30:]}"
