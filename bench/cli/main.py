"""The application, and the one place where errors become lines and statuses.

Exit status: 0 done, 1 the guest or a check failed, 2 usage, 3 set-up failed,
130 interrupted by Ctrl-C (128 + the signal's number for other signals).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from bench.base.errors import SETUP, USAGE, TierlabError
from bench.base.interrupt import Interrupted, raising
from bench.cli.bench import bench
from bench.cli.boot import boot
from bench.cli.build import build
from bench.cli.check import check
from bench.cli.compare import compare
from bench.cli.conform import conform
from bench.cli.equal_imports import equal_imports
from bench.cli.lists import engines, guests, suites, tiers
from bench.cli.profile import profile
from bench.cli.serve import page, serve
from bench.cli.soak import soak
from bench.cli.test import test

_COMMANDS = (
    *(boot, compare, conform, soak, profile, equal_imports),
    *(serve, page),
    *(suites, guests, engines, tiers),
    *(build, test, check, bench),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Boot real guests in QEMU compiled to WebAssembly, and compare JIT tiers.

    Exit status: 0 done, 1 the guest or a check failed, 2 usage, 3 set-up
    failed, 130 interrupted.
    """


for _command in _COMMANDS:
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; every expected failure is one line on stderr."""
    try:
        with raising():
            # cli.main() would handle some of the errors below in its own way.
            words = list(sys.argv[1:] if arguments is None else arguments)
            with cli.make_context("tierlab", words) as context:
                status = cli.invoke(context)
            # Flush now: if stdout's reader has gone, the error is caught below. At
            # exit, the same error would print a traceback.
            sys.stdout.flush()
        return int(status or 0)
    except TierlabError as error:
        return _fail(error.line(), error.status)
    except click.UsageError as error:
        return _fail(f"{error.format_message().removesuffix('.')}{_hint(error)}", USAGE)
    except click.exceptions.Exit as error:
        return error.exit_code
    except Interrupted as error:
        return _fail(f"ended by {error}", error.status)
    except BrokenPipeError:
        # Stdout's reader has gone (`tierlab ... | head`). Print nothing more, and
        # keep Python from flushing stdout into the broken pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", SETUP)


def _hint(error: click.UsageError) -> str:
    if error.ctx is None:
        return ""
    return f"; see `{error.ctx.command_path} --help`"


def _fail(line: str, status: int) -> int:
    print(f"tierlab: {' '.join(line.split())}", file=sys.stderr)
    return status
