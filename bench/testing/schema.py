"""Checks documents against the schema of results (analysis/result.schema.json)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from analysis.schema import SCHEMA_FILE


@cache
def whole_schema() -> dict[str, Any]:
    """The schema as it is on disk."""
    found: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return found


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/$defs/{name}", "$defs": whole_schema()["$defs"]}
    return Draft202012Validator(schema)


def complaints(document: Any, name: str) -> list[str]:
    """The faults of a document against the form `name` of the schema."""
    # Check the document as a reader of its JSON file sees it.
    plain = json.loads(json.dumps(document))
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message[:400]}"
        for error in _validator(name).iter_errors(plain)
    ]


def check_form(document: Any, name: str) -> None:
    """Fail unless the document has the form `name`, key by key."""
    found = complaints(document, name)
    assert not found, "\n".join(found)
