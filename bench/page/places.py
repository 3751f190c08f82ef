"""How QEMU in a page sees the host: not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.base.errors import USAGE, TierlabError


@dataclass
class PagePlaces:
    """QEMU in a page has a file system in memory, filled before it starts."""

    # Path in QEMU -> file of the host.
    files: dict[str, Path] = field(default_factory=dict)
    engine = "page"

    def file(self, host: Path, inside: str) -> str:
        """The path of a copy, which the page fetches."""
        self.files[inside] = host
        return inside

    def left(self, host: Path, inside: str) -> str:
        """Refuse: the page keeps nothing on the host."""
        raise self._refusal(host)

    def live(self, host: Path, inside: str, *, writable: bool = True) -> str:
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
