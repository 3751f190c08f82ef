"""Places of files for QEMU in a page, which has no access to the host."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.base.errors import USAGE, TierlabError


@dataclass
class PagePlaces:
    """The places in QEMU's file system in memory, which the page fills at the start."""

    # Maps a path in QEMU to a file of the host.
    files: dict[str, Path] = field(default_factory=dict)
    engine = "page"

    def file(self, host: Path, inside: str) -> str:
        """The path of a copy, which the page fetches."""
        self.files[inside] = host
        return inside

    def left(self, host: Path, inside: str) -> str:
        """Refuse: the page keeps nothing on the host."""
        raise self._refusal(host)

    def live(
        self, host: Path, inside: str, *, writable: bool = True, kept: bool = True
    ) -> str:
        """The path of a copy, which the page puts there."""
        return inside

    def secret(self, name: str, value: str) -> None:
        """Refuse: every visitor of the page would have the secret."""
        raise TierlabError(
            "a page keeps no secrets", next_step="leave that device out", status=USAGE
        )

    def _refusal(self, host: Path) -> TierlabError:
        return TierlabError(
            f"a page cannot work on {host}",
            next_step="leave that device out",
            status=USAGE,
        )
