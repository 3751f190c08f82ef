"""`tierlab compare`: the same boots under many configurations, as a table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from analysis.load import Run
from analysis.plot import plot_sweeps
from analysis.program_table import program_tables
from analysis.summary import Row
from analysis.sweep import find_sweeps, sweep_table
from analysis.table import (
    NOTE,
    comparison_tables,
    failure_lines,
    idle_text,
    verdict_text,
    warning_lines,
)
from analysis.targets import verdicts
from bench.base.consoles import err_console, out_console
from bench.base.errors import DONE, FAILED, USAGE, TierlabError
from bench.base.interrupt import Deferred, Interrupted
from bench.base.settings import SETTINGS
from bench.cli.common import engine_names
from bench.cli.options import CommandWithWords, setting_options, words_given
from bench.engines import find_engine
from bench.engines.base import BootRequest, Engine
from bench.guests.catalogue import IMAGE
from bench.guests.devices import device_options
from bench.guests.devices.base import Device, Plan, check_plan
from bench.guests.guest import Guest
from bench.guests.images import store
from bench.guests.names import GuestEntry, find_any_guest, known_guests
from bench.harness.products import install, obtain_for, products_for, there
from bench.harness.run.boot import require
from bench.harness.run.equip import equipped
from bench.harness.run.images import (
    ChosenRoot,
    arch_of,
    check_workloads,
    default_guest,
)
from bench.harness.run.policies import Policy, check_policies
from bench.harness.run.provenance import shared_provenance
from bench.harness.snapshots.file import Snapshot
from bench.harness.snapshots.roots import own_guest, root_to_resume
from bench.harness.suites.campaign import (
    Campaign,
    Configuration,
    results_directory,
    suite_request,
)
from bench.harness.suites.saved_machines import given_machine
from bench.harness.suites.suite import (
    Known,
    Suite,
    check_names,
    find_suite,
    override,
    read_suite,
)


@click.command(cls=CommandWithWords)
@click.argument(
    "suite_file",
    metavar="[SUITE]",
    required=False,
)
@setting_options("compare")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the results; default results/<time>-<id>.",
)
@click.option(
    "--targets",
    "show_targets",
    is_flag=True,
    help="Show whether the limits that the suite states are met.",
)
@device_options
def compare(
    suite_file: str | None,
    image: str | None,
    root: Path | None,
    out: Path | None,
    restore: Path | None,
    show_targets: bool,
    devices: tuple[Device, ...],
    **given: Any,
) -> int:
    """Boot guests under several tiers and engines, and compare.

    Runs of a guest are interleaved, one at a time.  Each leaves a JSON file; Ctrl-C
    keeps those that are finished.  Options replace the suite file's values.
    An --out that holds a comparison already gets a new directory inside it.
    Targets that are missed do not change the exit status.
    SUITE is a TOML file, or the name of one that `tierlab suites` lists.
    """
    machine = given_machine(restore) if restore is not None else None
    path = find_suite(suite_file) if suite_file is not None else None
    where = str(path) if path is not None else ""
    suite = read_suite(path) if path is not None else Suite()
    given_image = _root(suite, machine, image, root)
    if machine is not None:
        facts = machine.facts
        # A saved machine determines its guest and its machine settings.
        given["guests"] = given["guests"] or (own_guest(machine),)
        for one in SETTINGS:
            if one.machine and given[one.key] is None:
                given[one.key] = getattr(facts, one.key)
    if given_image is not None:
        _default_to(given_image, suite, suite_file, given)
    suite = override(suite, restore=str(restore) if restore else None, **given)
    suite = _with_root(suite, given_image)
    if show_targets and not suite.targets:
        raise TierlabError(
            "--targets: no target is stated",
            next_step="name a suite with [[targets]] in it, or leave out --targets",
            status=USAGE,
        )
    suite = check_names(suite, Known(list(known_guests()), engine_names()), where)
    check_workloads(given_image, suite.workloads)
    supply, policies = _prepare(suite, where, devices, given_image)
    campaign = Campaign(
        suite=supply.suite,
        guests=supply.guests,
        engines=supply.engines,
        policies=policies,
        products=supply.products,
        provenance=shared_provenance(),
        directory=results_directory(out),
        devices=devices,
    )
    return _run(campaign, supply, show_targets)


def _root(
    suite: Suite, machine: Snapshot | None, image: str | None, root: Path | None
) -> ChosenRoot | None:
    """The root of the options, or else that of the suite; likewise the command."""
    if image is None and root is None:
        image = suite.image or None
        root = Path(suite.root) if suite.root else None
    words = words_given()
    if words is None:
        words = suite.command or None
    return root_to_resume(machine, image, root, words)


def _with_root(suite: Suite, root: ChosenRoot | None) -> Suite:
    """The suite with its root as results have it: without the folders above it."""
    if root is None:
        return suite
    is_image = root.option == store.IMAGE
    return replace(
        suite,
        image=root.file if is_image else "",
        root="" if is_image else root.file,
        command=root.words,
    )


def _default_to(
    image: ChosenRoot, suite: Suite, name: str | None, given: dict[str, Any]
) -> None:
    """Compare an image's command on one guest, unless user or suite say otherwise."""
    if not (suite.image or suite.root):
        given["workloads"] = given["workloads"] or (IMAGE,)
    if not given["guests"] and (name is None or not suite.guests):
        given["guests"] = (default_guest(image),)


def _check_idle(suite: Suite, entries: list[GuestEntry]) -> None:
    """Refuse to measure an idle guest if the suite cannot boot one to a prompt."""
    why = ""
    if suite.resume or suite.restore:
        why = "saved machines are resumed here, and an idle guest is booted"
    elif entries[0].guest is not None:
        why = f"guest '{entries[0].name}' has no shell of ours to be idle in"
    if suite.idle and why:
        raise TierlabError(
            "an idle guest cannot be measured",
            why,
            "give --no-idle",
            status=USAGE,
        )


def _by_name(
    suite: Suite, entries: list[GuestEntry], image: ChosenRoot | None
) -> Suite:
    """The suite with each guest's name as results have it.

    A description file gives way to its guest's name; a name tells the image.
    """
    names = [image.named(e.name) if image else e.name for e in entries]
    for name in names:
        if names.count(name) > 1:
            raise TierlabError(
                f"two guests are called '{name}'",
                next_step="give them a `name` each in their files",
                status=USAGE,
            )
    own = [e.name for e in entries if e.guest is not None]
    if own and suite.workloads != ("none",):
        raise TierlabError(
            f"guest '{own[0]}' runs no workloads of ours",
            next_step="leave out --workload",
            status=USAGE,
        )
    return replace(suite, guests=tuple(names))


@dataclass
class _Supply:
    """Obtains the guests one after another, because building disturbs measuring."""

    suite: Suite
    entries: Mapping[str, GuestEntry]
    engines: Mapping[str, Engine]
    devices: tuple[Device, ...]
    image: ChosenRoot | None = None
    guests: dict[str, Guest] = field(default_factory=dict)
    products: dict[str, Path] = field(default_factory=dict)

    def provide(self, name: str) -> None:
        """Build what the guest's boots need, and check that each engine can boot it."""
        if name in self.guests:
            return
        entry = self.entries[name]
        products, guests = obtain_for(
            [entry], self.engines, self.devices, self.suite.workloads
        )
        self.products.update(products)
        guest = guests[entry.name]
        if self.image is not None:
            guest = self.image.on(entry, guest)
        for engine in self.engines.values():
            for request in self._requests(guest):
                require(engine, request, self.products)
        self.guests[name] = guest

    def provide_first(self) -> None:
        """Provide the first guest, and each guest whose products are already built.

        A setting that one of these guests cannot have is refused before any boot.
        """
        for name, entry in self.entries.items():
            wanted = products_for(
                [entry], self.engines, self.devices, self.suite.workloads
            )
            if not self.guests or len(there(wanted, err_console())) == len(wanted):
                self.provide(name)

    def _requests(self, guest: Guest) -> list[BootRequest]:
        """A request for each workload, as the campaign makes it."""
        request = self._request(guest)
        return [
            equipped(replace(request, workload=workload), self.products)
            for workload in self.suite.workloads
        ]

    def _request(self, guest: Guest) -> BootRequest:
        suite = self.suite
        # Any path will do: require() only checks whether the engine can resume.
        saved = Path("machine") if suite.resume or suite.restore else None
        restore = given_machine(Path(suite.restore)) if suite.restore else None
        return replace(
            suite_request(suite, guest),
            stream_in=saved,
            tsc_khz=restore.facts.tsc_khz if restore else None,
            devices=(*guest.devices, *self.devices),
        )


def _prepare(
    suite: Suite, where: str, devices: tuple[Device, ...], image: ChosenRoot | None
) -> tuple[_Supply, list[Policy]]:
    guests_where, tiers_where = (
        f"{where}:{k}" if where else "" for k in ("guests", "tiers")
    )
    entries = [find_any_guest(name, guests_where) for name in suite.guests]
    suite = _by_name(suite, entries, image)
    _check_idle(suite, entries)
    if image is not None:
        for entry in entries:
            image.check(entry, suite.workloads)
    for entry in entries:
        own = entry.guest.devices if entry.guest else ()
        check_plan(
            Plan(entry.machine, (*own, *devices), repeating=True, saving=suite.resume)
        )
    engines = {name: find_engine(name) for name in suite.engines}
    policies: list[Policy] = []
    if any(engine.has_tiers for engine in engines.values()):
        policies = check_policies(suite.tiers, tiers_where)
    if image is not None:
        for arch in dict.fromkeys(map(arch_of, entries)):
            image.prepare([arch])
    by_name = dict(zip(suite.guests, entries, strict=True))
    supply = _Supply(suite, by_name, engines, devices, image)
    supply.provide_first()
    return supply, policies


def _run(campaign: Campaign, supply: _Supply, show_targets: bool) -> int:
    remarks, console = err_console(), out_console()
    interrupted: int | None = None
    shown: list[str] = []
    _introduce(campaign.suite, console)
    try:
        for guest in campaign.suite.guests:
            supply.provide(guest)
            _run_with_progress(campaign, guest, remarks)
            _show_guest(campaign, guest, console)
            shown.append(guest)
    except Interrupted as ending:
        interrupted = ending.status
    except TierlabError:
        if campaign.runs:
            where = f"Finished results are in {campaign.directory}"
            remarks.print(where, soft_wrap=True)
        raise
    if campaign.runs:
        for guest in campaign.suite.guests:
            if guest not in shown:
                _show_guest(campaign, guest, console)
        _conclude(campaign, console, show_targets)
    console.print(f"Results: {campaign.directory}", soft_wrap=True)
    if interrupted is not None:
        done, planned = len(campaign.runs), len(campaign.schedule())
        left = f"interrupted after {done} of {planned} runs; they are kept"
        remarks.print(f"tierlab: {left}", soft_wrap=True)
        return interrupted
    return FAILED if campaign.failed else DONE


def _run_with_progress(campaign: Campaign, guest: str, remarks: Console) -> None:
    progress = Progress(
        TextColumn("{task.completed}/{task.total}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}", markup=False),
        console=remarks,
        refresh_per_second=2,
    )
    started = time.monotonic()
    earlier = len(campaign.runs)
    task = progress.add_task("", total=len(campaign.schedule()), left="")
    progress.update(task, completed=earlier)

    def before(number: int, total: int, configuration: Configuration) -> None:
        left = ""
        if number > earlier + 1:
            each = (time.monotonic() - started) / (number - 1 - earlier)
            left = f"about {each * (total - number + 1):.0f} s left"
        progress.update(task, description=configuration.label(), left=left)

    def seeding(configuration: Configuration) -> None:
        what = f"before the runs: {configuration.label()}"
        progress.update(task, description=what, left="")

    def after(run: Run) -> None:
        progress.advance(task)
        name = f"{run.guest} {run.engine} {run.tier} {run.workload} {run.switches}"
        if not run.ok:
            outcome = Text(f"FAILED, {run.failure}: {run.message}", style="red")
        elif run.resume_ms is not None:
            outcome = Text(f"resumed after {run.resume_ms / 1000:.2f} s")
        elif run.boot_ms is not None:
            outcome = Text(f"init after {run.boot_ms / 1000:.2f} s")
        else:
            outcome = Text("done")
        number = len(campaign.runs)
        progress.console.print(Text(f"{number:3}  {name.strip()}  ") + outcome)
        for line in run.warnings:
            progress.console.print(Text(f"     WARNING: {line}", style="yellow"))

    with Deferred() as signals, progress:
        campaign.run_block(guest, before, after, signals, seeding)
        where = campaign.idle_configuration()
        if where is not None and guest == campaign.suite.guests[-1]:
            what = f"idle guest: {where.guest} {where.engine} {where.tier or ''}"
            progress.update(task, description=what, left="")
            campaign.measure_idle(signals)
        progress.update(task, description="done")


def _introduce(suite: Suite, console: Console) -> None:
    if suite.title:
        console.print(suite.title, style="bold")
    if suite.purpose:
        console.print(" ".join(suite.purpose.split()))


def _show_guest(campaign: Campaign, guest: str, console: Console) -> None:
    """Print the rows of one guest, once all its runs are made."""
    document = campaign.document()
    rows, programs = (
        [row for row in document[key] if row["guest"] == guest]
        for key in ("rows", "programs")
    )
    for table in comparison_tables(rows) if rows else ():
        console.print(table)
    for table in program_tables(programs):
        console.print(table)


def _conclude(campaign: Campaign, console: Console, show_targets: bool) -> None:
    document = campaign.document()
    rows = document["rows"]
    console.print(NOTE, style="dim")
    console.print()
    for line in failure_lines(rows):
        console.print(Text(f"FAILED  {line}", style="red"))
    for line in warning_lines(rows):
        console.print(Text(f"WARNING  {line}", style="yellow"))
    if document["idle"] is not None:
        console.print(idle_text(document["idle"]))
    if show_targets:
        for verdict in verdicts(campaign.suite.targets, rows, document["idle_share"]):
            console.print(verdict_text(verdict))
    _curves(campaign, rows, console)


def _curves(campaign: Campaign, rows: list[Row], console: Console) -> None:
    """Show the curve of each parameter that was swept, as a table and as a figure."""
    sweeps = find_sweeps(rows)
    for sweep in sweeps:
        console.print(sweep_table(sweep))
    if sweeps:
        install(["figures"], err_console())
    for path in plot_sweeps(rows, campaign.directory):
        console.print(f"Figure: {path}", soft_wrap=True)
