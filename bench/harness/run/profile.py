"""Profiles: the executions of an earlier boot, from which a policy starts.

    tierlab-profile 1
    HASH16HEX EXECUTIONS
    ...

A profile has a line for each content hash of a TB, with the executions of equal TBs
added up, the most executed first.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.load import LoadError, unpack_tbs
from bench.base.errors import FAILED, TierlabError
from bench.base.files import make_directory, write_json, write_text
from bench.harness.run.boot import Boot, safe_name

FIRST_LINE = "tierlab-profile 1"
# Under this policy the interpreter counts every execution.
SEED_TIER = "never"

# The columns of executions, one for each tier.
_EXECUTIONS = "exec_tier"


def profile_text(result: Mapping[str, Any], where: str) -> str:
    """The profile of a boot from its result."""
    packed = (result.get("stats") or {}).get("tbs")
    if packed is None:
        raise TierlabError(
            f"{where} has no rows of TBs",
            next_step="take the result of a boot in an engine with tiers",
            status=FAILED,
        )
    try:
        columns = unpack_tbs(packed)
    except LoadError as error:
        raise TierlabError(f"{where}: {error}", status=FAILED) from error
    executed: Counter[int] = Counter()
    hashes = [int(str(text), 16) for text in columns["hash"]]
    for name in (name for name in columns if name.startswith(_EXECUTIONS)):
        for number, count in zip(hashes, columns[name], strict=True):
            executed[number] += int(count)
    ordered = sorted(executed.items(), key=lambda item: (-item[1], item[0]))
    # Hash 0 means that the hash is unknown.
    lines = [f"{number:016x} {count}" for number, count in ordered if number and count]
    return "\n".join([FIRST_LINE, *lines, ""])


def seed_path(directory: Path, boot: Boot) -> Path:
    """The path of this boot's profile; boots that run other code have other paths."""
    guest = boot.request.guest
    products = sorted((n, p.name) for n, p in boot.products.items())
    what = f"{guest.digest} {products}"
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    name = safe_name(f"{guest.name}-{boot.request.workload}")
    return directory / f"{name}-{digest}.profile"


def seed(directory: Path, boot: Boot, run: Callable[[Boot], dict[str, Any]]) -> Path:
    """The profile for this boot; if there is none yet, boot once to make it."""
    request = replace(boot.request, tier=SEED_TIER, profile=None)
    boot = replace(boot, request=request, policy=None)
    path = seed_path(directory, boot)
    if path.is_file():
        return path
    result = run(boot)
    if not result["ok"]:
        why = result["failure"]["message"]
        raise TierlabError("the boot that seeds the profile failed", why, status=FAILED)
    make_directory(directory)
    write_json(path.with_suffix(".json"), result)
    write_text(path, profile_text(result, str(path.with_suffix(".json"))))
    return path
