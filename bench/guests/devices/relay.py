"""The relay process of one boot: started with it, gone with it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.base.errors import TierlabError

END_S = 10.0


@contextmanager
def running(program: Path, arguments: Sequence[str]) -> Iterator[str]:
    """The address that its clients need, secret included.

    The relay ends when its standard input does: also when we are killed.
    """
    try:
        process = subprocess.Popen(
            [str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # The terminal's Ctrl-C is for us alone.
            start_new_session=True,
        )
    except OSError as error:
        raise TierlabError(
            "the network relay cannot be started", error.strerror or str(error)
        ) from error
    try:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        if not url:
            raise TierlabError(
                "the network relay does not start", next_step="see its message above"
            )
        yield url
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; insist if it does not."""
    try:
        process.communicate(timeout=END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
