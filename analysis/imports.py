"""How large batches would be if a module's members had to have equal imports.

In a backend where each helper that a TB calls is an import of its module, a
batch can hold only TBs with the same imports in the same order, unless modules
get a uniform ABI as ours have. This module computes how large such batches would
be, from the helpers that each TB calls (QEMU's `-d in_asm,op`) and from how often
the TB was executed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Vector = tuple[str, ...]

_PC = re.compile(r"^0x([0-9a-f]+):")
_CALL = re.compile(r"^ call (\w+),")
# In `noat+un+leq` the alignment comes first, then the access's sign and size.
_ACCESS = re.compile(r"^ qemu_(ld|st)\w* .*[,+](u|s)?(b|[lb]e[wlqo])[a-z]*,")


@dataclass(frozen=True)
class Batches:
    """The number of modules into which a rule groups the hot TBs."""

    rule: str
    tbs: int
    modules: int

    @property
    def occupancy(self) -> float:
        """TBs a module, on average."""
        return self.tbs / self.modules if self.modules else 0.0


def import_vectors(log: Iterable[str]) -> dict[int, Vector]:
    """Guest pc -> the imports of the TB there, in the order of their first use."""
    found: dict[int, Vector] = {}
    pc: int | None = None
    imports: dict[str, None] = {}
    for line in log:
        if line.startswith("IN:"):
            if pc is not None:
                found.setdefault(pc, tuple(imports))
            pc, imports = None, {}
        elif pc is None and (at := _PC.match(line)):
            pc = int(at[1], 16)
        elif call := _CALL.match(line):
            imports[call[1]] = None
        elif access := _ACCESS.match(line):
            # The slow path of each kind of access is a helper of its own.
            imports[f"{access[1]}_{access[3]}"] = None
    if pc is not None:
        found.setdefault(pc, tuple(imports))
    return found


def hot_vectors(
    vectors: Mapping[int, Vector], pcs: Sequence[int], executed: Sequence[int], n: int
) -> list[Vector]:
    """Import vectors of TBs executed at least n times, in the order of translation."""
    rows = zip(pcs, executed, strict=True)
    return [vectors[pc] for pc, count in rows if count >= n and pc in vectors]


def batches(hot: Sequence[Vector], size: int) -> list[Batches]:
    """The hot TBs grouped by each rule, at most `size` in a module."""
    full = [hot[at : at + size] for at in range(0, len(hot), size)]
    return [
        Batches("uniform ABI: any TBs", len(hot), len(full)),
        Batches(
            "equal imports among those that wait",
            len(hot),
            sum(_modules(Counter(waiting), size) for waiting in full),
        ),
        Batches(
            "equal imports in any order among those that wait",
            len(hot),
            sum(_modules(Counter(map(_as_set, waiting)), size) for waiting in full),
        ),
        Batches(
            "equal imports, had all waited to the end",
            len(hot),
            _modules(Counter(hot), size),
        ),
    ]


def _as_set(vector: Vector) -> Vector:
    return tuple(sorted(vector))


def _modules(groups: Mapping[Vector, int], size: int) -> int:
    return sum(-(-count // size) for count in groups.values())
