"""`tierlab conform`: many images of one description, under several tiers."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from bench.base.consoles import err_console, out_console
from bench.base.errors import DONE, FAILED, USAGE, TierlabError
from bench.base.files import write_json
from bench.cli.options import setting_options
from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.devices.base import Plan, check_plan
from bench.guests.names import GuestEntry, described, is_description
from bench.harness.checks.conform import Verdict, Way, find_images, run_all
from bench.harness.products import obtain_for
from bench.harness.run.boot import Boot, timeout_of
from bench.harness.run.policies import Policy, check_policies
from bench.harness.run.provenance import shared_provenance


@click.command()
@click.argument("description")
@click.argument("images", nargs=-1, required=True)
@setting_options("conform")
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Runs at a time; default as many as there are cores.",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the verdicts here.",
)
def conform(
    description: str,
    images: tuple[str, ...],
    tiers: tuple[str, ...],
    engines: tuple[str, ...],
    jobs: int | None,
    timeout: float | None,
    icount: int | None,
    json_path: Path | None,
) -> int:
    """Run each of IMAGES as the kernel of DESCRIPTION, under every tier.

    DESCRIPTION is a file NAME.toml (docs/guests.md); a folder stands for the ELF
    files in it.  Exit status 1 if one fails, or if its console or outcome is not
    the same under all tiers and engines.
    """
    if not is_description(description):
        raise TierlabError(
            f"{description} is no description", next_step="name a .toml", status=USAGE
        )
    found = find_images(images)
    entries = [described(description, kernel=image) for image in found]
    for entry in entries[:1]:
        own = entry.guest.devices if entry.guest else ()
        check_plan(Plan(entry.machine, own, repeating=True))
    planned = _plan(found, entries, tiers, engines, timeout, icount)
    verdicts = _run(planned, jobs or len(os.sched_getaffinity(0)))
    if json_path is not None:
        write_json(json_path, {"images": [v.as_json() for v in verdicts]})
    return _conclude(verdicts)


def _plan(
    images: list[Path],
    entries: list[GuestEntry],
    tiers: tuple[str, ...],
    engines: tuple[str, ...],
    timeout: float | None,
    icount: int | None,
) -> dict[Path, dict[Way, Boot]]:
    drivers = {name: find_engine(name) for name in engines}
    tiered = any(driver.has_tiers for driver in drivers.values())
    policies = check_policies(tiers) if tiered else []
    # All images need the same products, because the guests differ only in the kernel.
    products, _ = obtain_for(entries[:1], engines)
    planned: dict[Path, dict[Way, Boot]] = {}
    for image, entry in zip(images, entries, strict=True):
        guest = entry.guest
        assert guest is not None
        limit = timeout_of(guest, timeout)
        ways = planned[image] = {}
        for name, driver in drivers.items():
            choice: list[Policy | None] = [*policies] if driver.has_tiers else [None]
            for policy in choice:
                request = BootRequest(
                    guest,
                    devices=guest.devices,
                    tier=policy.spec if policy else None,
                    profile=policy.profile if policy else None,
                    icount=icount,
                )
                way = Way(name, request.tier)
                facts = policy.facts if policy else None
                ways[way] = Boot(
                    driver, request, products, limit, facts, keep_tbs=False
                )
    return planned


def _run(planned: dict[Path, dict[Way, Boot]], at_once: int) -> list[Verdict]:
    progress = Progress(
        TextColumn("{task.completed}/{task.total}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        console=err_console(),
        refresh_per_second=2,
    )
    task = progress.add_task("", total=len(planned))
    console = out_console()

    def done(verdict: Verdict) -> None:
        progress.advance(task)
        if verdict.good:
            return
        word = "DIFFERS" if verdict.differs else "FAILED"
        console.print(Text(f"{word}  {verdict.image}", style="red"), soft_wrap=True)
        for line in verdict.lines():
            console.print(Text(f"    {line}"), soft_wrap=True)

    with progress:
        return run_all(planned, shared_provenance(), at_once, done)


def _conclude(verdicts: list[Verdict]) -> int:
    good = sum(v.good for v in verdicts)
    differ = sum(v.differs for v in verdicts)
    failed = len(verdicts) - good - differ
    ways = ", ".join(way.label() for way in verdicts[0].failures)
    out_console().print(
        f"{len(verdicts)} images under {ways}: {good} pass, "
        f"{failed} fail under all alike, {differ} differ",
        soft_wrap=True,
    )
    return DONE if good == len(verdicts) else FAILED
