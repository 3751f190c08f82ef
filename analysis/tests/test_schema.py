"""The schema of results, and the reader against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.load import run_from_json
from analysis.schema import FAILURE_KINDS, definition, failure, parts
from analysis.summary import summarise
from analysis.tests.samples import result

ROOT = Path(__file__).resolve().parents[2]
FILES = ("run", "idle", "soak", "summary", "conform", "engine_stats")
# Keys that a writer may leave out: what was not done, or is not known.
OPTIONAL = {"resumed", "saved", "options", "load_average", "load_ms"}
# Objects whose keys are names of policies' parameters, counters, products and so on.
OPEN = {
    *("engine_budgets", "params", "common", "counters"),
    *("page", "engine", "products", "refusals"),
}


def objects(
    node: dict[str, Any], key: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a file's form that has keys, with its own key."""
    for part in parts(node):
        for name, value in part.get("properties", {}).items():
            yield from objects(value, name)
        yield from objects(part["items"], key) if "items" in part else ()
        if part.get("type") == "object":
            yield key, dict(part)


@pytest.mark.parametrize("name", FILES)
def test_no_key_is_unknown_or_left_out(name: str) -> None:
    for key, one in objects(definition(name)):
        properties = one.get("properties", {})
        assert set(properties) - set(one.get("required", ())) <= OPTIONAL, key
        if key in OPEN:
            assert one["additionalProperties"] is not True
        elif one in (definition("boot"), definition("settings")):
            # Closed by what refers to them: a run, a run with more, the config.
            continue
        else:
            closed = (one.get(f"{w}Properties") for w in ("additional", "unevaluated"))
            assert False in closed, (key, one)


def test_what_has_more_than_a_run_is_closed() -> None:
    for name in ("run", "idle", "soak", "config"):
        assert definition(name)["unevaluatedProperties"] is False


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_explained(name: str) -> None:
    for _, one in objects(definition(name)):
        for key, value in one.get("properties", {}).items():
            if "const" not in value:
                assert value.get("description"), key


def test_only_failures_that_are_known_can_be_written() -> None:
    assert len(set(FAILURE_KINDS)) == len(FAILURE_KINDS)
    assert failure(FAILURE_KINDS[0], "why") == {
        "kind": FAILURE_KINDS[0],
        "message": "why",
    }
    with pytest.raises(ValueError, match="no failure 'nonsense'"):
        failure("nonsense", "why")


class Watched(dict[str, Any]):
    """An object that notes which of its keys were asked for."""

    def __init__(self, raw: dict[str, Any], path: str, seen: set[str]) -> None:
        super().__init__(
            {key: watched(v, f"{path}.{key}", seen) for key, v in raw.items()}
        )
        self._path, self._seen = path, seen

    def __getitem__(self, key: str) -> Any:
        self._seen.add(f"{self._path}.{key}")
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._seen.add(f"{self._path}.{key}")
        return super().get(key, default)


def watched(value: Any, path: str, seen: set[str]) -> Any:
    if isinstance(value, dict):
        return Watched(value, path, seen)
    if isinstance(value, list):
        return [watched(one, path, seen) for one in value]
    return value


def known(path: str) -> bool:
    """Whether the schema of a run has the key."""
    nodes: list[dict[str, Any]] = [definition("run")]
    for key in path.split(".")[1:]:
        found = [dict(p) for node in nodes for p in parts(node)]
        found += [dict(p) for n in found for p in parts(n.get("items", {}))]
        nodes = [p["properties"][key] for p in found if key in p.get("properties", {})]
        if not nodes:
            return False
    return True


def test_the_reader_reads_no_key_that_is_not_there() -> None:
    seen: set[str] = set()
    raw = result(
        failure="panic",
        rounds=[1.0, 2.0],
        figures={"a": 1},
        counters={"tbs_compiled": 5},
    )
    run_from_json(watched(raw, "", seen))
    assert len(seen) > 20
    assert [path for path in seen if not known(path)] == []
    assert not known(".config.nonsense") and not known(".phases.nonsense")


def test_what_is_read_of_the_counters_is_counted() -> None:
    counted = re.findall(
        r"^X\((\w+),", (ROOT / "tiers" / "counters.def").read_text(), re.MULTILINE
    )
    names = set()
    for module in ("load", "summary"):
        text = (ROOT / "analysis" / f"{module}.py").read_text()
        names |= set(re.findall(r'"((?:tbs|modules|table|wasm)_\w+|\w+_ns)"', text))
    columns = set(summarise([run_from_json(result())])[0])
    assert names and names - columns <= set(counted)
