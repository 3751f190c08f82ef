"""`tierlab boot`: one guest, its console on the terminal, then a summary."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from analysis.load import Run, run_from_json
from analysis.schema import PROFILES_DIR
from bench.base.consoles import err_console
from bench.base.errors import DONE, FAILED, USAGE, TierlabError
from bench.base.files import write_json
from bench.base.interrupt import Deferred
from bench.base.settings import DEFAULT_TIER, SETTINGS, SWITCHES, setting
from bench.cli.options import CommandWithWords, setting_options, words_given
from bench.cli.snapshot_options import Snapshots, require_guest, snapshot_options
from bench.engines import find_engine
from bench.engines.base import BootRequest, Switches
from bench.guests.catalogue import IMAGE, IMAGES, TERMINAL
from bench.guests.devices import device_options
from bench.guests.devices.base import Device, Plan, check_plan
from bench.guests.names import (
    SHELL,
    WAIT,
    GuestEntry,
    find_any_guest,
    other_kernel,
)
from bench.harness.process.terminal import Screen, raw_terminal
from bench.harness.products import obtain_for
from bench.harness.run.boot import Boot, Terminal, run_boot, timeout_of
from bench.harness.run.equip import equipped
from bench.harness.run.images import (
    ChosenRoot,
    arch_of,
    check_workloads,
    default_guest,
)
from bench.harness.run.policies import check_policies
from bench.harness.run.profile import seed as seed_profile
from bench.harness.run.provenance import shared_provenance
from bench.harness.snapshots.roots import root_to_resume
from bench.harness.suites.campaign import DEFAULT_OUT

# The settings that only an engine with tiers accepts.
_TIERED = (setting("tier"), *SWITCHES)


@click.command(cls=CommandWithWords)
@setting_options("boot")
@click.option(
    "--kernel",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Boot this kernel or image in the place of the guest's own.",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result here.",
)
@click.option(
    "--interactive",
    is_flag=True,
    help="Connect the terminal to a shell in the guest; Ctrl-A X quits.",
)
@device_options
@snapshot_options
def boot(
    guest: str | None,
    image: str | None,
    root: Path | None,
    tier: str | None,
    engine: str,
    workload: str | None,
    kernel: Path | None,
    json_path: Path | None,
    timeout: float | None,
    interactive: bool,
    devices: tuple[Device, ...],
    snapshots: Snapshots,
    **given: Any,
) -> int:
    """Boot GUEST once.  Its console goes to stdout, the summary to stderr.

    GUEST is a name that `tierlab guests` lists, or a file NAME.toml that
    describes a guest of your own: see docs/guests.md.

    With --image or --root, the exit status is that of the command in the guest: see
    docs/images.md.
    """
    given_image = root_to_resume(
        snapshots.snapshot, image, root, words_given(), interactive=interactive
    )
    guest = _guest(guest, given_image)
    driver = find_engine(engine)
    switches = Switches(**{one.key: given.pop(one.key) for one in SWITCHES})
    if not driver.has_tiers and (tier or switches != Switches()):
        options = [one.option for one in _TIERED]
        raise TierlabError(
            f"engine '{engine}' has no tiers",
            next_step=f"leave out {', '.join(options[:-1])} and {options[-1]}",
            status=USAGE,
        )
    entry = find_any_guest(guest, kernel=kernel)
    name = given_image.named(entry.name) if given_image else entry.name
    require_guest(snapshots, name)
    workload = _workload(entry, workload, interactive, snapshots, given_image)
    devices = (*(entry.guest.devices if entry.guest else ()), *devices)
    saving = snapshots.save is not None
    if entry.machine:
        check_plan(Plan(entry.machine, devices, saving=saving))
    policy = check_policies([tier or DEFAULT_TIER])[0] if driver.has_tiers else None
    if given_image is not None:
        given_image.prepare([arch_of(entry)])
    products, guests = obtain_for([entry], [engine], devices, [workload])
    chosen = other_kernel(entry, guests[entry.name], kernel)
    if given_image is not None:
        chosen = given_image.on(entry, chosen)
    seeded = policy is not None and policy.wants_seed
    check_plan(Plan(chosen.machine, devices, repeating=seeded, saving=saving))
    if timeout is None and not interactive:
        timeout = timeout_of(chosen, None)
    request = BootRequest(
        guest=chosen,
        workload=workload,
        tier=policy.spec if policy else None,
        switches=switches,
        profile=policy.profile if policy else None,
        devices=devices,
        **given,
    )
    job = Boot(
        driver,
        equipped(request, products),
        products,
        timeout,
        policy.facts if policy else None,
    )
    machine = {one.key: given[one.key] for one in SETTINGS if one.machine}
    job = snapshots.settled(job, machine)
    if policy is not None and policy.wants_seed:
        job = replace(job, request=replace(job.request, profile=_seed(job)))
    result = _boot_on_screen(job, interactive)
    _summary(result, err_console())
    _saved(result, given_image, err_console())
    if json_path is not None:
        write_json(json_path, result)
    return _status(result)


def _status(result: dict[str, Any]) -> int:
    """The exit status of the command; that of an image's command is its own."""
    if result["ok"]:
        return DONE
    end = next((p for p in result["phases"] if p["phase"] == "workload-end"), None)
    ran = result["config"]["workload"].partition(":")[0] in IMAGES
    if ran and end is not None and result["failure"]["kind"] == "workload":
        return int(end["status"])
    return FAILED


def _guest(name: str | None, given: ChosenRoot | None) -> str:
    """The guest that the user named, or the one for an image."""
    if name is not None:
        return name
    if given is None:
        raise click.UsageError("Missing argument 'GUEST'.", click.get_current_context())
    return default_guest(given)


def _workload(
    entry: GuestEntry,
    given: str | None,
    interactive: bool,
    snapshots: Snapshots,
    image: ChosenRoot | None,
) -> str:
    """The boot's workload; refuses a workload that the guest or boot cannot run."""
    own = entry.guest is not None
    usual = None
    if image is not None:
        usual = TERMINAL if interactive else IMAGE
    workload = snapshots.workload(given, interactive, own, usual)
    check_workloads(image, [workload])
    if image is not None:
        image.check(entry, [workload])
    if own and workload not in ("none", SHELL):
        raise TierlabError(
            f"guest '{entry.name}' runs no workloads of ours",
            next_step="leave out --workload",
            status=USAGE,
        )
    if workload in (SHELL, WAIT, TERMINAL) and not (interactive or snapshots.save):
        raise TierlabError(
            f"workload '{workload}' waits for input",
            next_step="add --interactive",
            status=USAGE,
        )
    return workload


def _saved(result: dict[str, Any], root: ChosenRoot | None, console: Console) -> None:
    saved = (result["snapshot"] or {}).get("saved")
    if saved is None:
        return
    words = [result["config"]["guest"]]
    if root is not None:
        words = [words[0].removesuffix(root.named("")), root.option, root.given]
    words += ["--restore", saved["path"]]
    mib = [saved[name] / 2**20 for name in ("bytes", "stream_bytes")]
    console.print(
        f"Saved {saved['path']}: {mib[0]:.1f} MiB ({mib[1]:.1f} unpacked), "
        f"in {saved['save_ms'] / 1000:.1f} s.  To go on: tierlab boot "
        f"{shlex.join(words)}",
        soft_wrap=True,
    )


def _seed(job: Boot) -> Path:
    """The profile of an earlier boot; if there is none yet, boot once to make it."""

    def boot_before(earlier: Boot) -> dict[str, Any]:
        err_console().print("Booting once for the profile.", style="dim")
        with Deferred() as signals:
            return run_boot(earlier, shared_provenance(), Terminal(signals=signals))

    return seed_profile(Path(DEFAULT_OUT) / PROFILES_DIR, job, boot_before)


def _boot_on_screen(job: Boot, interactive: bool) -> dict[str, Any]:
    screen = Screen()
    shared = shared_provenance()
    with Deferred() as signals:
        terminal = Terminal(output=screen.write, errors=_say, signals=signals)
        if not interactive:
            result = run_boot(job, shared, terminal)
        else:
            keyboard = sys.stdin.fileno()
            on_terminal = sys.stdin.isatty()
            if on_terminal:
                err_console().print("Ctrl-A X quits the guest.", style="dim")
            asks = any(m.phase == "prompt" for m in job.request.guest.markers)
            hold = asks and not on_terminal
            terminal = replace(terminal, input_fd=keyboard, hold_input=hold)
            with raw_terminal(keyboard):
                result = run_boot(job, shared, terminal)
    screen.finish_line()
    return result


def _say(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


def _summary(result: dict[str, Any], console: Console) -> None:
    run = run_from_json(result)
    config = result["config"]
    console.rule(
        f"{config['guest']}  {config['engine']}  {config['tier']}  "
        f"workload {config['workload']}"
    )
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("phase")
    table.add_column("host ms", justify="right")
    table.add_column("guest s", justify="right")
    first = run.first_insn_ms
    if first is not None:
        table.add_row("first guest instruction", f"{first:.0f}", "")
    for phase in result["phases"]:
        guest_s = phase["guest_s"]
        shown = "" if guest_s is None else f"{guest_s:.2f}"
        table.add_row(phase["phase"], _whole(phase["host_ms"]), shown)
    table.add_row("exit", _whole(result["resources"]["wall_ms"]), "")
    console.print(table)
    for line in _figures(result, run):
        console.print(line)
    for line in run.warnings:
        console.print(f"WARNING: {line}", style="yellow")
    failure = result["failure"]
    if failure is not None:
        console.print(
            f"FAILED, {failure['kind']}: {failure['message']}",
            style="bold red",
        )


def _whole(ms: float | None) -> str:
    """A time as the table shows it; an unknown time is an empty cell."""
    return "" if ms is None else f"{ms:.0f}"


def _figures(result: dict[str, Any], run: Run) -> list[str]:
    resources = result["resources"]
    lines = []
    if resources["user_ms"] is not None:
        lines = [
            f"CPU {resources['user_ms'] / 1000:.1f} s user, "
            f"{resources['system_ms'] / 1000:.1f} s system; "
            f"peak memory {run.peak_rss_mib:.0f} MiB"
        ]
    parts = [
        f"{title} {run.counters[name]:,.0f}"
        for name, title in (
            ("tbs_translated", "TBs translated"),
            ("tbs_compiled", "compiled"),
            ("modules_installed", "modules"),
            ("modules_retired", "given up"),
        )
        if name in run.counters
    ]
    if run.translate_us is not None:
        parts.append(f"translation {run.translate_us:.1f} us per TB")
    if parts:
        lines.append("; ".join(parts))
    note = result["stats"].get("note")
    if note:
        lines.append(f"No tier statistics: {note}")
    return lines
