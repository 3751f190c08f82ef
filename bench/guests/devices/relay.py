"""The relay process of one boot: it starts and ends with the boot."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.base.errors import TierlabError

END_S = 10.0


@contextmanager
def running(program: Path, arguments: Sequence[str]) -> Iterator[str]:
    """Run the relay; gives the address that clients need, with its secret.

    The relay ends when its standard input ends: also when this process is killed.
    """
    try:
        process = subprocess.Popen(
            [str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C at the terminal goes to this process only.
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
    """Ask the process to end; kill it if it does not."""
    try:
        process.communicate(timeout=END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
