"""Tiering policies, as a program that is built from tiers/ declares them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.base.consoles import err_console
from bench.base.errors import USAGE, TierlabError
from bench.harness.products import TIERS, obtain

# This word stands for every policy, with its defaults.
EVERY = "*"


# The policy that starts from a profile (bench.harness.run.profile), and the path of a
# profile made by the harness in the engine's file system.
PROFILE = "profile"
SEEDED = "/profiles/earlier-boot"


@dataclass(frozen=True)
class Policy:
    """A policy spec in its canonical form, and its parts.

    `profile` is the host's file behind the spec's `from`, if the user named one.
    """

    spec: str
    facts: Mapping[str, Any]
    profile: Path | None = None

    @property
    def wants_seed(self) -> bool:
        """Whether the harness must boot once before, to make a profile."""
        return self.facts.get("name") == PROFILE and self.profile is None


def declared(tiers: Path) -> dict[str, Any]:
    """All that tier-list prints: policies of all kinds, and their parameters."""
    done = _tier_list(tiers)
    try:
        raw = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        raw = None
    if not isinstance(raw, dict) or not isinstance(raw.get("policies"), list):
        raise _misprints(f"status {done.returncode}")
    return raw


def check_policy(tiers: Path, spec: str, where: str = "") -> Policy:
    """The canonical form of a spec, or a usage error in the tool's words."""
    spec, profile = _place_profile(spec, where)
    done = _tier_list(tiers, "check", spec)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        said = lines[-1].removeprefix("tier-list: ") if lines else "not accepted"
        prefix = f"{where}: " if where else ""
        raise TierlabError(f"{prefix}{said}", status=USAGE)
    canonical = done.stdout.strip()
    name, _, rest = canonical.partition(":")
    pairs = (pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
    params = {key: _number(value) for key, value in pairs}
    facts = {
        "spec": canonical,
        "short": _short(tiers, name, params),
        "name": name,
        "params": params,
    }
    return Policy(canonical, facts, profile)


def _short(tiers: Path, name: str, params: Mapping[str, int | float | str]) -> str:
    """The spec without values that are the default, for tables."""
    found = (p for p in declared(tiers)["policies"] if p["name"] == name)
    policy: Mapping[str, Any] = next(found, {})
    defaults = {str(p["name"]): p["default"] for p in policy.get("params", [])}
    shown = [f"{k}={v}" for k, v in params.items() if defaults.get(k) != v]
    return f"{name}:{','.join(shown)}" if shown else name


def _place_profile(spec: str, where: str) -> tuple[str, Path | None]:
    """The spec with the engine's path in `from`, and the host's file."""
    name, _, rest = spec.partition(":")
    if name != PROFILE:
        return spec, None
    pairs = [pair for pair in rest.split(",") if pair]
    given = next((p for p in pairs if p.startswith("from=")), None)
    others = [pair for pair in pairs if pair != given]
    if given is None:
        return f"{PROFILE}:{','.join([f'from={SEEDED}', *others])}", None
    path = Path(given.removeprefix("from="))
    if not path.is_file():
        prefix = f"{where}: " if where else ""
        raise TierlabError(
            f"{prefix}there is no profile {path}",
            next_step="make one with `tierlab profile`, or leave out from=",
            status=USAGE,
        )
    return f"{PROFILE}:{','.join([f'from=/profiles/{path.name}', *others])}", path


def _misprints(why: str) -> TierlabError:
    return TierlabError(
        "tier-list does not print what it should",
        why,
        "run `tierlab build` after removing the product tiers-native",
    )


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _tier_list(tiers: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = tiers / "bin" / "tier-list"
    try:
        return subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise TierlabError(
            f"cannot run {program.name}",
            error.strerror or str(error),
            "run `tierlab build`",
        ) from error


def check_policies(specs: Iterable[str], where: str = "") -> list[Policy]:
    """The canonical policies, each once; call this before anything long is built."""
    tiers = obtain([TIERS], err_console())[TIERS]
    checked = [check_policy(tiers, s, where) for s in _expanded(tiers, specs)]
    return list({policy.spec: policy for policy in checked}.values())


def _expanded(tiers: Path, specs: Iterable[str]) -> Iterator[str]:
    """The specs, where EVERY stands for each policy with its defaults."""
    for spec in specs:
        if spec == EVERY:
            yield from (str(p["name"]) for p in declared(tiers)["policies"])
        else:
            yield spec
