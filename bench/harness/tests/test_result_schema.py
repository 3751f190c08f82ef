"""The sources of programs that write results agree with the schema.

Other tests run these programs and check the form of their output, by
bench.testing.schema.check_form().
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.schema import FAILURE_KINDS, definition
from bench.base.places import ROOT
from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.harness.process.sampler import COLUMNS
from bench.harness.run.boot import Boot, run_boot
from bench.testing import fakes
from bench.testing.fakes import FakeEngine
from bench.testing.schema import check_form, complaints

APP = ROOT / "bench" / "page" / "app"


def columns(name: str) -> list[str]:
    """The columns of a table, as the schema has them."""
    items = definition(name)["properties"]["columns"]["items"]
    return [column["const"] for column in items["oneOf"]]


def keys(path: Path) -> set[str]:
    """The keys that a C file writes."""
    return set(re.findall(r'tier_json_key\([^,]+, "(\w+)"\)', path.read_text()))


def test_an_unknown_key_and_a_missing_one_are_found(
    guest: Guest, fake: FakeEngine
) -> None:
    boot = Boot(fake, BootRequest(guest, tier="never"), {}, 60.0)
    result = run_boot(boot, fakes.SHARED)
    check_form(result, "run")
    places: list[dict[str, Any]] = [
        result,
        result["config"],
        result["config"]["machine"],
        result["exit"],
        result["phases"][0],
        result["resources"],
        result["samples"],
        result["stats"],
        result["stats"]["policy"],
        result["console"],
        result["provenance"],
        result["provenance"]["git"],
        result["provenance"]["host"],
        result["provenance"]["guest"],
    ]
    for place in places:
        place["nonsense"] = None
        assert complaints(result, "run"), place
        del place["nonsense"]
        for key in set(place) - {"load_average"}:
            value = place.pop(key)
            assert complaints(result, "run"), key
            place[key] = value
    check_form(result, "run")


def test_the_engines_statistics_have_the_keys_of_the_schema() -> None:
    text = (ROOT / "tiers" / "stats.c").read_text()
    stats = definition("engine_stats")["properties"]
    written = keys(ROOT / "tiers" / "stats.c") - {"seed"}
    assert written == set(stats) | set(stats["tbs"]["properties"])
    policy = set(definition("ran_policy")["properties"])
    spec = (ROOT / "tiers" / "spec-json.c").read_text()
    body = spec[spec.index("void tier_spec_json") :].partition("\n}\n")[0]
    found = set(re.findall(r'tier_json_key\([^,]+, "(\w+)"\)', body))
    assert found | {"seed"} == policy
    own = re.findall(r"^ +X\((\w+), (?:u64|hex|string), ", text, re.MULTILINE)
    assert own == columns("tbs")


def test_the_timeline_has_the_columns_of_the_schema() -> None:
    sources = (ROOT / "qemu" / "overlay" / "tcg" / "wasm").glob("*.c")
    texts = [text for path in sources if '"t_ms"' in (text := path.read_text())]
    assert len(texts) == 1
    assert re.findall(r'^ +\{ "(\w+)",', texts[0], re.MULTILINE) == columns("timeline")


def test_samples_have_the_columns_of_the_schema() -> None:
    assert list(COLUMNS) == columns("samples")


def test_every_failure_of_the_schema_is_written_by_somebody() -> None:
    harness = (ROOT / "bench" / "harness" / "run" / "boot.py").read_text()
    written = set(re.findall(r'failure\(\s*"([\w-]+)"', harness))
    assert written == set(FAILURE_KINDS)
    for name in ("run.mjs", "result.mjs"):
        text = (APP / name).read_text()
        found = set(re.findall(r"say\(\s*'([\w-]+)'", text))
        found |= set(re.findall(r"kind: '([\w-]+)',\s+message", text))
        assert found and found <= set(FAILURE_KINDS)
