"""The options to save a machine and to resume one, and what they mean together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from bench.base.errors import USAGE, TierlabError, unknown
from bench.guests.catalogue import console_line
from bench.guests.guest import Guest
from bench.guests.names import SHELL, WAIT, check_workload
from bench.harness.run.boot import Boot
from bench.harness.snapshots.file import Snapshot, check_machine, read_snapshot
from bench.harness.snapshots.migration import TEXT, Restore, Save
from bench.harness.snapshots.roots import option_of, own_guest
from bench.harness.snapshots.save_resume import machine_facts

DEFAULT_AT = "prompt"


@dataclass(frozen=True)
class Snapshots:
    """The user's options; the saved machine is read, `save_at` is not checked yet."""

    save: Path | None = None
    save_at: str | None = None
    snapshot: Snapshot | None = None

    def workload(
        self,
        given: str | None,
        interactive: bool,
        foreign: bool,
        usual: str | None = None,
    ) -> str:
        """The workload that the user named, or the default for these options.

        A foreign guest (a user's own) has none of Tierlab's workloads. `usual` is the
        default of a boot that saves nothing.
        """
        usual = usual or (SHELL if interactive else "none")
        saved = self.snapshot.facts.workload if self.snapshot else None
        if saved is None:
            own = WAIT if self.save and not foreign else usual
            return check_workload(given or own)
        if saved == WAIT:
            return check_workload(given or usual)
        if given is not None and check_workload(given) != saved:
            assert self.snapshot is not None
            raise TierlabError(
                f"{self.snapshot.path} was saved with the workload '{saved}' under way",
                next_step=f"leave out --workload, or save a machine that does '{WAIT}'",
                status=USAGE,
            )
        return saved

    def settled(self, job: Boot, given: dict[str, Any]) -> Boot:
        """The boot with its save and its resume; refuses a machine that does not fit.

        `given` has the options whose values a saved machine determines; None where
        the user gave no value.
        """
        save = None
        if self.save is not None:
            at = _known(self.save_at or DEFAULT_AT, job.request.guest)
            save = Save(self.save, at)
        if self.snapshot is None:
            return replace(job, save=save)
        facts = self.snapshot.facts
        own = {name: getattr(facts, name) for name in given if given[name] is None}
        job = replace(job, request=replace(job.request, **own))
        version = job.engine.version(job.request.guest.arch, job.products)
        check_machine(self.snapshot, machine_facts(job.request, version["qemu"]))
        waits = facts.workload == WAIT
        line = console_line(job.request.workload) if waits else None
        return replace(job, save=save, restore=Restore(self.snapshot, line))


def snapshot_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options to save and to resume.

    The command's function gets one parameter `snapshots` for these options and for
    --restore, which the table of settings declares.
    """

    @functools.wraps(command)
    def with_snapshots(
        save: Path | None, save_at: str | None, restore: Path | None, **given: Any
    ) -> int:
        if save is None and save_at is not None:
            raise TierlabError(
                "--save-at says when to save, not where",
                next_step="add --save FILE",
                status=USAGE,
            )
        if save is not None and (save.is_dir() or not save.absolute().parent.is_dir()):
            raise TierlabError(
                f"cannot write {save}",
                next_step="give --save a file in a directory that exists",
                status=USAGE,
            )
        snapshot = read_snapshot(restore) if restore else None
        return command(snapshots=Snapshots(save, save_at, snapshot), **given)

    decorated: Callable[..., int] = with_snapshots
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def require_guest(snapshots: Snapshots, guest: str) -> None:
    """Refuse a saved machine of another guest, before anything is built."""
    snapshot = snapshots.snapshot
    if snapshot is not None and snapshot.facts.guest != guest:
        saved = snapshot.facts.root
        own = own_guest(snapshot) + (f" and {option_of(saved)}" if saved else "")
        raise TierlabError(
            f"{snapshot.path} holds guest {snapshot.facts.guest}, not {guest}",
            next_step=f"name {own}, or another file",
            status=USAGE,
        )


def _known(at: str, guest: Guest) -> str:
    phases = [marker.phase for marker in guest.markers]
    if at not in phases and (not at.startswith(TEXT) or at == TEXT):
        raise unknown("marker", at, [*phases, f"{TEXT}WORDS"], "--save-at")
    return at


_OPTIONS = (
    click.option(
        "--save",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Save the machine here when it gets to a marker, and end.",
    ),
    click.option(
        "--save-at",
        metavar="MARKER",
        help=f"A phase, or {TEXT}WORDS that a line of the console has; "
        f"default {DEFAULT_AT}.",
    ),
)
