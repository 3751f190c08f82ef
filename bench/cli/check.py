"""`tierlab check`: a guest's own checks, in an engine and against native QEMU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click

from bench.base.consoles import out_console
from bench.base.errors import DONE, FAILED
from bench.cli.options import setting_options
from bench.engines import find_engine
from bench.engines.base import BootRequest
from bench.guests.names import find_guest
from bench.harness.checks.check import (
    Verdict,
    check_clock,
    check_power_off,
    check_status,
    check_warnings,
)
from bench.harness.products import obtain_for
from bench.harness.run.boot import Boot
from bench.harness.run.policies import check_policies

REFERENCE = "native"


@click.command()
@setting_options("check")
@click.option(
    "--seconds",
    type=click.IntRange(5, 3600),
    default=60,
    show_default=True,
    help="Of the clock, idle and busy.",
)
def check(
    guest: str, tier: str, engine: str, smp: int | None, seconds: int, timeout: float
) -> int:
    """Check that GUEST is what it is on native QEMU.

    Warnings of its kernel that native QEMU does not show, its clock against the
    host's, its exit status, its power-off. Exit status 1 if one is wrong.
    """
    driver = find_engine(engine)
    entry = find_guest(guest)
    policy = check_policies([tier])[0] if driver.has_tiers else None
    products, guests = obtain_for([entry], [engine, REFERENCE])
    request = BootRequest(
        guests[guest],
        smp=smp,
        tier=policy.spec if policy else None,
        profile=policy.profile if policy else None,
    )
    facts = policy.facts if policy else None
    job = Boot(driver, request, products, timeout, facts, keep_tbs=False)
    plain = replace(request, tier=None, profile=None)
    reference = Boot(find_engine(REFERENCE), plain, products, timeout)
    console = out_console()
    status = DONE
    for verdict in _verdicts(job, reference, seconds):
        mark = "right" if verdict.right else "WRONG"
        console.print(f"{verdict.name:12} {mark}  {verdict.found}", soft_wrap=True)
        status = status if verdict.right else FAILED
    return status


def _verdicts(job: Boot, reference: Boot, seconds: int) -> Iterator[Verdict]:
    yield check_power_off(job)
    yield check_status(job)
    yield check_warnings(job, reference)
    yield check_clock(job, seconds, busy=False)
    yield check_clock(job, seconds, busy=True)
