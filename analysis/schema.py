"""Versions of the files that the harness writes and the analysis reads.

A number goes up when a reader of the old form would misread the new one.
"""

from __future__ import annotations

RUN_SCHEMA = 1
SUMMARY_SCHEMA = 1
STATS_SCHEMA = 1

RUNS_DIR = "runs"
PROFILES_DIR = "profiles"
SNAPSHOTS_DIR = "snapshots"
SUMMARY_FILE = "summary.json"
IDLE_FILE = "idle.json"

NO_TIER = "-"
# Behind a workload's name where the machine was resumed, not booted.
RESUMED = " resumed"
FAILURE_KINDS = (
    "panic",
    "oops",
    "timeout",
    "exit-status",
    "marker-missing",
    "workload",
    "said-failed",
    "snapshot",
    "engine-error",
)
