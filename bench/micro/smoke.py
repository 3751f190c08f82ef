"""Runs every native microbenchmark for a moment, and checks that none is left out.

Usage: smoke.py MICRO_NATIVE TIER_LIST
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

# Benchmarks with many TBs take long under sanitizers, and test nothing more.
FILTER = "-live:(16384|65536)"
PARTS = ("emit", "interp", "policy", "evict", "verify", "fuse")


def run(program: str, *arguments: str) -> str:
    """A program's standard output; the check fails if the program fails."""
    done = subprocess.run(
        [program, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def check(benchmarks: list[dict[str, Any]], policies: list[str]) -> list[str]:
    """The faults in the benchmarks' rows, one line each."""
    wrong = []
    names = [str(row["name"]).split("/") for row in benchmarks]
    played = {name[2] for name in names if name[1] == "policy"}
    missing = [name for name in policies if name not in played]
    wrong += [f"policy {name} is not measured" for name in missing]
    parts = {name[1] for name in names}
    wrong += [f"nothing of {part} is measured" for part in PARTS if part not in parts]
    for row in benchmarks:
        if row.get("error_occurred"):
            wrong.append(f"{row['name']}: {row.get('error_message')}")
        for key, value in row.items():
            if isinstance(value, float) and not math.isfinite(value):
                wrong.append(f"{row['name']}: {key} is {value}")
    return wrong


def main() -> int:
    """Run the programs, check, and print the faults."""
    program, tier_list = sys.argv[1:]
    options = ["--benchmark_format=json", "--benchmark_min_time=0.001s"]
    report = json.loads(run(program, *options, f"--benchmark_filter={FILTER}"))
    policies = [entry["name"] for entry in json.loads(run(tier_list))["policies"]]
    wrong = check(report["benchmarks"], policies)
    share = float(report["context"]["mix_env_share"])
    if not 0.40 <= share <= 0.50:
        wrong.append(f"the mix is no boot: {share:.2f} env accesses an instruction")
    print("\n".join(wrong) or f"{len(report['benchmarks'])} benchmarks work")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
