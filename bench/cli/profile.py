"""`tierlab profile`: what a boot executed, for later boots to start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bench.base.consoles import out_console
from bench.base.errors import USAGE, TierlabError
from bench.base.files import write_text
from bench.harness.run.profile import profile_text


@click.command()
@click.argument("result", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The profile to write.",
)
def profile(result: Path, out: Path) -> int:
    """Make a profile from RESULT, a boot's JSON file.

    Use it with `--tier profile:from=FILE`.  Executions are complete in results
    of tier `never`, or with --counts exact.
    """
    text = profile_text(_read(result), str(result))
    write_text(out, text)
    lines = text.count("\n") - 1
    out_console().print(f"{lines} different TBs: {out}", soft_wrap=True)
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise TierlabError(f"cannot read {path}", why, status=USAGE) from error
    except ValueError as error:
        raise TierlabError(f"{path} is not JSON", str(error), status=USAGE) from error
    if not isinstance(raw, dict):
        raise TierlabError(f"{path} is no result of a boot", status=USAGE)
    return raw
