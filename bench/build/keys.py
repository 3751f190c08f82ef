"""A product's inputs as a hash: equal keys, equal products."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.base.digest import file_digest
from bench.base.errors import SetupError
from bench.build.step import Step

# Raise this number when products of older code must not be used any more.
FORMAT = 1


def product_key(step: Step, root: Path, needed: Mapping[str, str]) -> str:
    """The key of `step`, given those of the products that it needs."""
    content = {
        "format": FORMAT,
        "name": step.name,
        "files": {
            path.relative_to(root).as_posix(): file_digest(path)
            for path in input_files(step, root)
        },
        "values": list(step.values),
        "needs": {name: needed[name] for name in sorted(step.needs)},
    }
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def input_files(step: Step, root: Path) -> Iterator[Path]:
    """The files that the step's patterns name, each once, in order."""
    found: set[Path] = set()
    for pattern in step.files:
        matches = [
            path
            for path in root.glob(pattern)
            if path.is_file() and "__pycache__" not in path.parts
        ]
        if not matches and not any(sign in pattern for sign in "*?["):
            raise SetupError(
                f"{step.title} cannot be made",
                f"the checkout lacks {pattern}",
                "restore it (git status) and run again",
            )
        found.update(matches)
    yield from sorted(found)
