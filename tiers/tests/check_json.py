"""The JSON of tier-list and of a run's statistics is valid and complete."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def output(*argv: str) -> dict[str, Any]:
    """What a program prints, as JSON; duplicate keys are errors."""
    done = subprocess.run(argv, capture_output=True, text=True, check=True)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        assert len(found) == len(pairs), f"duplicate keys: {[k for k, _ in pairs]}"
        return found

    parsed = json.loads(done.stdout, object_pairs_hook=unique)
    assert isinstance(parsed, dict)
    return parsed


def check_list(declared: dict[str, Any]) -> None:
    """Every policy and parameter says what it is."""
    assert declared["schema"] == 1
    names = [policy["name"] for policy in declared["policies"]]
    assert {"never", "always", "threshold", "sampled"} <= set(names)
    assert declared["default"] in names
    for policy in declared["policies"]:
        assert policy["summary"] and policy["source"]
        for param in policy["params"]:
            assert param["type"] in ("u64", "double", "bool", "enum", "text")
            assert param["meaning"] and param["range"]
            if param["type"] in ("u64", "double"):
                assert param["min"] <= param["default"] <= param["max"]
    (n,) = next(p for p in declared["policies"] if p["name"] == "threshold")["params"]
    assert (n["name"], n["unit"], n["min"]) == ("n", "executions", 1)
    common = {param["name"]: param for param in declared["common"]}
    evictions = [eviction["name"] for eviction in declared["evictions"]]
    assert common["evict"]["choices"] == evictions
    assert all(e["summary"] and e["source"] for e in declared["evictions"])
    for policy in declared["policies"]:
        assert policy["common"].keys() == common.keys()
    for counter in declared["counters"]:
        assert counter["unit"] and counter["meaning"]
        assert counter["kind"] in ("sum", "gauge", "max", "set")


def check_stats(stats: dict[str, Any], declared: dict[str, Any]) -> None:
    """Statistics hold all that is declared, and the sums agree."""
    assert stats["schema"] == 1
    assert stats["policy"] == {
        "name": "threshold",
        "spec": "threshold:n=10",
        "params": {"n": 10},
        "common": {
            "evict": "clock",
            "max-modules": 24000,
            "max-slots": 262144,
            "max-code": 256,
            "max-maps": 48000,
            "compiler": "vcpu",
            "buffer": "oldest",
        },
        "seed": 2**64 - 1,
    }
    counters = stats["counters"]
    expected = [counter["name"] for counter in declared["counters"]]
    expected += [f"refused_{r['key'].replace('-', '_')}" for r in declared["refusals"]]
    assert list(counters) == expected
    assert counters["first_insn_epoch_ms"] == 1_700_000_000_000
    assert counters["memory_bytes"] is None
    assert counters["refused_table_full"] == 1

    columns = stats["tbs"]["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in stats["tbs"]["rows"]]
    assert len(rows) == counters["tbs_translated"] == 200
    assert [row["id"] for row in rows] == list(range(200))
    assert int(rows[3]["guest_pc"], 16) == 0xFFFFFFFF80000030
    for key in ("exec_tier0", "exec_tier1", "bytecode_bytes"):
        assert sum(row[key] for row in rows) == counters[key], key
    for row in rows:
        runs = row["id"] % 20
        assert row["exec_tier0"] + row["exec_tier1"] == runs
        assert row["exec_tier0"] == min(runs, 9)
    assert rows[5]["refused"] == "table-full" and rows[6]["refused"] is None
    assert rows[7]["fate"] == "invalidated" and rows[8]["fate"] == "live"
    assert counters["tbs_compiled"] == sum(row["tier"] == 1 for row in rows) == 100
    spent = counters["emit_ns"] + counters["instantiate_ns"]
    assert sum(row["compile_ns"] for row in rows) == spent


def check_command(tier_list: str) -> None:
    """Exit status and output of `tier-list check`."""

    def check(*arguments: str) -> tuple[int, str, str]:
        argv = [tier_list, *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    assert check("check", "sampled") == (0, "sampled:p=0.001,seed=0\n", "")
    status, out, err = check("check", "threshold:n=0")
    assert (status, out) == (2, "")
    assert err.startswith("tier-list: threshold: n=0: ") and err.count("\n") == 1
    for wrong in (["check"], ["frob"], ["check", "a", "b"]):
        status, out, err = check(*wrong)
        assert (status, out, err.count("\n")) == (2, "", 1)


def main(tier_list: str, dump_stats: str) -> None:
    """Check both programs."""
    declared = output(tier_list)
    check_list(declared)
    check_stats(output(dump_stats), declared)
    check_command(tier_list)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
