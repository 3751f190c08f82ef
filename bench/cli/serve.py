"""`tierlab serve` and `tierlab page`: guests in a browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import click

from bench.base.consoles import err_console, out_console
from bench.base.errors import USAGE, TierlabError
from bench.base.places import default_cache
from bench.cli.options import CommandWithWords, setting_options, words_given
from bench.guests.devices import network
from bench.guests.devices.base import unfit
from bench.guests.names import GuestEntry, check_workload
from bench.harness.run.images import ChosenRoot, given_root
from bench.page.disks import plugged
from bench.page.make import (
    chosen,
    contents,
    relayed,
    rooted,
    shared,
    write_site,
)
from bench.page.server import PageServer, is_loopback
from bench.page.site import INDEX, WORKER
from bench.page.snapshots import offered

DEFAULT_PORT = 8080

share_option = click.option(
    "--share",
    "shares",
    multiple=True,
    metavar="FOLDER[,...]",
    help="Offer a copy of a folder, as it is now: FOLDER and, with commas, tag=NAME, "
    "readonly=on; repeatable.  The folder itself is never written.",
)

disk_option = click.option(
    "--disk",
    "images",
    multiple=True,
    metavar="FILE[,...]",
    help="Offer a copy of a disk image: FILE and, with commas, format=raw|qcow2, "
    "readonly=on, mount=TYPE (our guests mount it at /mnt/vda); repeatable.  What is "
    "written is forgotten, unless it is saved in the page.",
)
snapshot_option = click.option(
    "--snapshot",
    "snapshots",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Offer a machine that `tierlab boot --save` wrote, to be resumed in the page; "
    "repeatable.",
)


@click.command(cls=CommandWithWords)
@setting_options("serve")
@disk_option
@share_option
@snapshot_option
@click.option(
    "--net",
    "reach",
    metavar="REACH",
    help="Offer guests a network, off until it is switched on in the page: "
    + network.HELP.partition(": ")[2],
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="N",
    help="0: any that is free.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address of this machine to listen on.",
)
def serve(
    guests: tuple[str, ...],
    workloads: tuple[str, ...],
    images_given: tuple[str, ...],
    roots_given: tuple[Path, ...],
    images: tuple[str, ...],
    shares: tuple[str, ...],
    snapshots: tuple[Path, ...],
    reach: str | None,
    port: int,
    host: str,
) -> int:
    """Serve a page in which guests boot, until Ctrl-C.

    Other machines need https in front of it: browsers give a page that came over
    plain http no shared memory, unless it came from their own machine.
    """
    net = None if reach is None else network.parse_network(reach)
    if net is not None and not is_loopback(host):
        raise unfit(
            "--net",
            f"on {host}, others would have this machine's network",
            "leave out --host or --net",
        )
    folders, disks = shared(shares), plugged(images)
    programs = [check_workload(text) for text in workloads]
    machines = offered(snapshots)
    roots = _roots(guests, images_given, roots_given)
    entries = chosen(guests, machines, roots)
    scratch = default_cache() / "served"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        site = Path(directory)
        # Listen first, so that a port in use is refused before anything is built.
        with PageServer(host, port) as server, relayed(net) as server.relay:
            made_of = contents(entries, folders, net, machines, disks, programs, roots)
            write_site(site, made_of)
            server.offer(site)
            out_console().print(f"{server.url}", soft_wrap=True)
            if not is_loopback(host):
                err_console().print(
                    "From other machines, browsers accept the page over https only."
                )
            server.serve_forever(poll_interval=0.1)
    return 0


@click.command(cls=CommandWithWords)
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@setting_options("page")
@disk_option
@share_option
@snapshot_option
def page(
    out: Path,
    guests: tuple[str, ...],
    workloads: tuple[str, ...],
    images_given: tuple[str, ...],
    roots_given: tuple[Path, ...],
    images: tuple[str, ...],
    shares: tuple[str, ...],
    snapshots: tuple[Path, ...],
) -> int:
    """Write the page to the directory OUT, for any static web server.

    OUT is made, or replaced if it is such a page already.  See docs/page.md.
    """
    _check_target(out)
    folders, disks = shared(shares), plugged(images)
    programs = [check_workload(text) for text in workloads]
    machines = offered(snapshots)
    roots = _roots(guests, images_given, roots_given)
    entries = chosen(guests, machines, roots)
    made_of = contents(
        entries,
        folders,
        machines=machines,
        disks=disks,
        workloads=programs,
        roots=roots,
    )
    parent = out.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=parent))
    try:
        write_site(part, made_of)
        part.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        os.replace(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    files = [path for path in out.rglob("*") if path.is_file()]
    mib = sum(path.stat().st_size for path in files) / 2**20
    names_made = ", ".join(guest.name for guest in made_of.guests)
    out_console().print(
        f"{out}: {len(files)} files, {mib:.1f} MiB, with {names_made}", soft_wrap=True
    )
    return 0


def _roots(
    guests: tuple[str, ...], images: tuple[str, ...], folders: tuple[Path, ...]
) -> list[tuple[GuestEntry, ChosenRoot]]:
    """The guests with images and folders, whose disks are made here."""
    words = words_given()
    given = [given_root(image, None, words, interactive=True) for image in images]
    given += [given_root(None, folder, words, interactive=True) for folder in folders]
    if not given:
        given_root(None, None, words)
    return rooted(guests, [root for root in given if root is not None])


def _check_target(out: Path) -> None:
    """Refuse to replace a directory that is neither empty nor a page."""
    if not out.exists():
        return
    if not any(out.iterdir()):
        return
    if not ((out / INDEX).is_file() and (out / WORKER).is_file()):
        raise TierlabError(
            f"{out} is not empty and not a page",
            next_step="choose another directory",
            status=USAGE,
        )
