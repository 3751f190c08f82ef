"""Upstream tarballs from Debian's archive, checked against its signed index.

apt does the work, with a state of its own in the cache and with `deb-src` entries made
from the system's `deb` entries, so nothing of the system changes. apt fetches the
upstream tarball only: packaging files are missing in some mirrors. An archive may lack
a file that its index lists; then another entry of the same package serves, because many
versions share an upstream tarball.
"""

from __future__ import annotations

import functools
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.base.digest import file_digest
from bench.base.errors import SetupError
from bench.base.lock import locked
from bench.build.aptsources import deb_src_lines
from bench.build.command import Runner
from bench.build.upstream import Upstream, compare, upstream_version

UPDATE_SECONDS = 1800
_TARBALL = re.compile(r"^ ([0-9a-f]{64}) \d+ (\S+\.orig\.tar\.\w+)$", re.M)


@dataclass(frozen=True)
class Source:
    """One version of a source package in the index."""

    package: str
    version: str
    sha256: str
    file: str

    @property
    def upstream(self) -> str:
        """Version without Debian's parts."""
        return upstream_version(self.version)


def fetch_source(upstream: Upstream, cache: Path, runner: Runner) -> Path:
    """The newest (or preferred) acceptable tarball, downloaded and checked."""
    directory = cache / "downloads" / "sources"
    directory.mkdir(parents=True, exist_ok=True)
    with locked(cache, "apt-source"):
        kept = _kept(upstream, directory)
        if kept is not None:
            return kept
        options = list(_options(cache))
        failed = _update(cache, options, runner)
        tried = None
        for source in _candidates(upstream, options):
            target = directory / source.file
            _check_known(upstream, source)
            if target.exists() and file_digest(target) != source.sha256:
                target.unlink()
            if not target.exists():
                tried = _download(source, directory, options, runner) or tried
            if target.exists():
                return target
        raise tried or failed or SetupError(
            f"no source of {upstream.package} can be used",
            f"Debian's index has no version from {upstream.at_least} to below "
            f"{upstream.below}",
            "update the checkout, which states the versions that it accepts",
        )


def _kept(upstream: Upstream, directory: Path) -> Path | None:
    """The kept tarball: with a known sum it needs no index and no network."""
    wanted = upstream.prefer or None
    for version in sorted(
        upstream.sha256, key=functools.cmp_to_key(_order), reverse=True
    ):
        if wanted is not None and version != wanted:
            continue
        name = f"{upstream.package}_{version}.orig.tar.*"
        for path in directory.glob(name):
            if file_digest(path) == upstream.sha256[version]:
                return path
    return None


def _order(left: str, right: str) -> int:
    if left == right:
        return 0
    return 1 if compare(left, "gt", right) else -1


def _options(cache: Path) -> Iterator[str]:
    state = cache / "downloads" / "apt-source"
    for name in ("lists/partial", "archives/partial", "parts"):
        (state / name).mkdir(parents=True, exist_ok=True)
    options = {
        # as the same user: apt's own user cannot enter the cache
        "APT::Sandbox::User": "root",
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state,
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": state / "parts",
        "Acquire::Languages": "none",
        "Acquire::Retries": 3,
        "Acquire::IndexTargets::deb::Packages::DefaultEnabled": "false",
    }
    for key, value in options.items():
        yield "-o"
        yield f"{key}={value}"


def _update(cache: Path, options: list[str], runner: Runner) -> SetupError | None:
    """Read the indexes, unless that was just done.

    The error about an index is returned, as the other indexes may serve.
    """
    state = cache / "downloads" / "apt-source"
    sources = deb_src_lines()
    stamp = state / "updated"
    if (
        stamp.exists()
        and stamp.read_text(encoding="utf-8") == sources
        and 0 <= time.time() - stamp.stat().st_mtime < UPDATE_SECONDS
    ):
        return None
    (state / "sources.list").write_text(sources, encoding="utf-8")
    try:
        # Without --error-on, apt only warns of a missing network.
        runner.run(["apt-get", *options, "update", "--error-on=any"])
        stamp.write_text(sources, encoding="utf-8")
    except SetupError as error:
        return SetupError(
            "the index of Debian's sources cannot be read",
            error.why,
            f"check the network and apt's sources (see {runner.log})",
        )
    return None


def _candidates(upstream: Upstream, options: list[str]) -> list[Source]:
    """Acceptable versions, the best first."""
    command = ["apt-cache", *options, "showsrc", "--only-source"]
    shown = _query([*command, upstream.package])
    found: dict[str, Source] = {}
    for stanza in shown.split("\n\n"):
        version = re.search(r"^Version: (\S+)$", stanza, re.M)
        sums = re.search(r"^Checksums-Sha256:.*\n((?: .*\n?)+)", stanza, re.M)
        tarball = _TARBALL.search(sums.group(1)) if sums else None
        if version and tarball:
            found.setdefault(
                version.group(1),
                Source(upstream.package, version.group(1), *tarball.groups()),
            )
    usable = [s for s in found.values() if upstream.accepts(s.upstream)]
    order = functools.cmp_to_key(_order)
    usable.sort(key=lambda source: order(source.version), reverse=True)
    usable.sort(key=lambda source: source.upstream != upstream.prefer)
    return usable


def _check_known(upstream: Upstream, source: Source) -> None:
    known = upstream.sha256.get(source.upstream, source.sha256)
    if known != source.sha256:
        raise SetupError(
            f"the source of {source.package} {source.version} is not accepted",
            "its SHA-256 is not the one that the checkout states",
            "do not use this mirror, or report it",
        )


def _download(
    source: Source, directory: Path, options: list[str], runner: Runner
) -> SetupError | None:
    """Download a tarball. apt checks its sum, and so does this, by the index."""
    command = ["apt-get", *options, "source", "--download-only", "--tar-only"]
    try:
        runner.run([*command, f"{source.package}={source.version}"], cwd=directory)
    except SetupError as error:
        return SetupError(
            f"the source of {source.package} cannot be downloaded",
            error.why,
            f"check the network and run again (see {runner.log})",
        )
    target = directory / source.file
    if target.exists() and file_digest(target) != source.sha256:
        target.unlink()
        return SetupError(
            f"the download of {source.file} is damaged",
            "its SHA-256 is not that of Debian's index",
            "run again",
        )
    return None


def _query(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
