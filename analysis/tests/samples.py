"""Made-up results for tests, in the form that the harness writes."""

from __future__ import annotations

import itertools
from typing import Any

from analysis.schema import RUN_SCHEMA


def result(
    engine: str = "node",
    tier: str = "never",
    boot_ms: float | None = 1000.0,
    *,
    guest: str = "riscv64-debian",
    workload: str = "none",
    failure: str | None = None,
    work_ms: float = 0.0,
    counters: dict[str, Any] | None = None,
    rss: float = 500.0,
    rounds: list[float] | None = None,
    mappings: int | None = None,
    switches: dict[str, str] | None = None,
    figures: dict[str, float] | None = None,
) -> dict[str, Any]:
    """One run's JSON with what the analysis reads."""
    phases = []
    if boot_ms is not None:
        phases = [
            {"phase": "init", "host_ms": boot_ms},
            {"phase": "workload-start", "host_ms": boot_ms + 10},
            {"phase": "workload-end", "host_ms": boot_ms + 10 + work_ms},
        ]
    return {
        "schema": RUN_SCHEMA,
        "config": {
            "guest": guest,
            "engine": engine,
            "tier": tier,
            "workload": workload,
            **(switches or {}),
        },
        "ok": failure is None,
        "failure": None if failure is None else {"kind": failure, "message": "why"},
        "phases": phases,
        "rounds": _rounds(rounds or []),
        "figures": [_figure(name, value) for name, value in (figures or {}).items()],
        "resources": {
            "wall_ms": 2000.0,
            "user_ms": 900.0,
            "system_ms": 100.0,
            "peak_rss_mib": rss,
            "peak_mappings": mappings,
        },
        "stats": {"present": True, "counters": counters or {}, "first_insn_ms": 700.0},
    }


def _rounds(times: list[float]) -> list[dict[str, Any]]:
    ends = itertools.accumulate(times, initial=5000.0)
    return [
        {"n": n, "host_ms": end, "guest_s": 0.0, "of": None}
        for n, end in enumerate(ends)
    ]


def _figure(name: str, value: float) -> dict[str, Any]:
    """A rate; a time if the name ends in `_ms`."""
    is_time = name.endswith("_ms")
    return {
        "name": name,
        "value": value,
        "unit": "ms" if is_time else "Minsn/s",
        "better": "less" if is_time else "more",
        "host_ms": 6000.0,
        "guest_s": 1.5,
    }
