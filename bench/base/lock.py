"""Locks between processes: a lock ends when its process does."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.1


@contextmanager
def locked(
    cache: Path, name: str, waiting: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the lock `name`.

    While another process holds it, `waiting` is called now and then; to give up,
    it raises an exception.
    """
    path = cache / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        while waiting is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(POLL_SECONDS)
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
