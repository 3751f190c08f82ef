"""How much a root may be: a small file must not fill a disk or the memory."""

from __future__ import annotations

from dataclasses import dataclass

from bench.guests.disk.refusal import BadRoot

MIB = 1 << 20
# Contents of a root, and of all its layers together, unpacked.
MAX_CONTENTS = 16_384 * MIB
# Names of all layers together. The tree in memory takes some 500 bytes for each, and
# what these names, targets of links and extended attributes have.
MAX_NAMES = 2_000_000
MAX_WORDS = 256 * MIB
MAX_LAYERS = 512
# Manifests, indexes, configs, /etc/passwd.
MAX_TEXT = 4 * MIB
# A header of a tar archive with all its extensions: what Go's reader takes, too.
MAX_HEADER = MIB


@dataclass
class Budget:
    """What is left of the limits."""

    contents: int = MAX_CONTENTS
    names: int = MAX_NAMES
    words: int = MAX_WORDS

    def __post_init__(self) -> None:
        self._limits = (self.contents, self.names)

    def take(self, size: int) -> None:
        """Count unpacked bytes."""
        self.contents -= size
        if self.contents < 0:
            mib = self._limits[0] // MIB
            raise BadRoot(f"it unpacks to more than {mib} MiB", "make it smaller")

    def check(self, size: int) -> None:
        """Refuse a file that cannot fit, before its contents are read."""
        if size > self.contents:
            self.take(size)

    def name(self, *words: str | bytes) -> None:
        """Count a name, and what the tree keeps of it in memory."""
        self.names -= 1
        self.words -= sum(map(len, words))
        if self.names < 0:
            why = f"it has more than {self._limits[1]} files"
            raise BadRoot(why, "make it smaller")
        if self.words < 0:
            why = "its names and extended attributes are too long"
            raise BadRoot(why, "make it smaller")
