"""Saved machines whose root is an image or a folder: how such a machine is resumed.

The root's disk is not in the file of a saved machine, so the user gives the image or
the folder again. The command is in the saved machine's memory: a resumed machine runs
that command and no other.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.base.errors import USAGE, TierlabError
from bench.guests.disk.refusal import shown
from bench.harness.run.images import ChosenRoot, given_root
from bench.harness.snapshots.file import Snapshot


def root_to_resume(
    snapshot: Snapshot | None,
    image: str | None,
    folder: Path | None,
    words: tuple[str, ...] | None,
    *,
    interactive: bool = False,
) -> ChosenRoot | None:
    """The root of a command's options, as given_root() has it.

    With a saved machine, the command is that of the machine. A usage error if the
    machine runs another command than the given one, or if only one of machine and
    options has a root.
    """
    chosen = given_root(image, folder, words, interactive=interactive)
    if snapshot is None:
        return chosen
    root = snapshot.facts.root
    if root is None and chosen is not None:
        raise TierlabError(
            f"{snapshot.path} holds a machine without {chosen.option}",
            next_step=f"leave out {chosen.option}, or give another file",
            status=USAGE,
        )
    if root is not None and chosen is None:
        raise TierlabError(
            f"{snapshot.path} holds a machine with {option_of(root)}",
            next_step=f"name guest {own_guest(snapshot)} and add {option_of(root)}",
            status=USAGE,
        )
    if root is None or chosen is None:
        return None
    return replace(chosen, words=_command(snapshot.path, root, words))


def _command(
    path: Path, root: Mapping[str, Any], given: tuple[str, ...] | None
) -> tuple[str, ...]:
    """The saved machine's command; refuses another one."""
    saved = tuple(root["command"])
    if given not in (None, saved):
        raise TierlabError(
            f"{path} was saved to run: {shown(shlex.join(saved))}",
            next_step="leave out the command behind --, or save the machine again",
            status=USAGE,
        )
    return saved


def own_guest(snapshot: Snapshot) -> str:
    """The name of the saved machine's guest, without that of its root."""
    facts = snapshot.facts
    return facts.guest.rpartition("+")[0] if facts.root else facts.guest


def option_of(root: Mapping[str, Any]) -> str:
    """A saved machine's root as the option that gives it."""
    return shown(f"{root['option']} {root['file']}")
