"""Saved machines for a comparison: from a user's file, or saved by an earlier boot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.base.errors import FAILED, USAGE, TierlabError
from bench.base.files import make_directory, write_json
from bench.guests.catalogue import console_line
from bench.guests.names import WAIT
from bench.harness.run.boot import Boot
from bench.harness.snapshots.file import Snapshot, check_machine, read_snapshot
from bench.harness.snapshots.migration import Restore, Save
from bench.harness.snapshots.save_resume import machine_facts

AT = "prompt"
SUFFIX = ".snap"


def given_machine(path: Path) -> Snapshot:
    """The user's saved machine; refused unless it waits for a workload."""
    snapshot = read_snapshot(path)
    if snapshot.facts.workload != WAIT:
        raise TierlabError(
            f"{path} was saved with the workload '{snapshot.facts.workload}' under way",
            next_step=f"save a machine that does '{WAIT}'",
            status=USAGE,
        )
    return snapshot


def made_machine(
    directory: Path, boot: Boot, run: Callable[[Boot], dict[str, Any]]
) -> Snapshot:
    """Boot once to the prompt, and save the machine in `directory`."""
    make_directory(directory)
    path = directory / f"{boot.request.guest.name}{SUFFIX}"
    request = replace(boot.request, workload=WAIT)
    result = run(replace(boot, request=request, save=Save(path, AT)))
    write_json(path.with_suffix(".json"), result)
    if not result["ok"]:
        why = result["failure"]["message"]
        raise TierlabError("the boot that is to be saved failed", why, status=FAILED)
    return read_snapshot(path)


def resumed(boot: Boot, snapshot: Snapshot) -> Boot:
    """The boot as a resume of that machine, if it is the same machine."""
    version = boot.engine.version(boot.request.guest.arch, boot.products)
    check_machine(snapshot, machine_facts(boot.request, version["qemu"]))
    line = console_line(boot.request.workload)
    return replace(boot, restore=Restore(snapshot, line))
