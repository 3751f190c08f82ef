"""Packages of the npm registry: npm fetches them, and a pinned sum checks them."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from bench.base.errors import SetupError
from bench.base.lock import locked
from bench.build.command import Runner


def fetch(name: str, version: str, integrity: str, cache: Path, runner: Runner) -> Path:
    """The package's tarball; `integrity` is npm's, `sha512-BASE64`."""
    directory = cache / "downloads" / "npm"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    with locked(cache, "npm"):
        if path.exists() and _integrity(path) == integrity:
            return path
        path.unlink(missing_ok=True)
        command = ["npm", "pack", "--pack-destination", str(directory)]
        try:
            runner.run(
                [*command, f"{name}@{version}"],
                cwd=directory,
                env=_environment(cache),
            )
        except SetupError as error:
            raise SetupError(
                f"{name} {version} cannot be downloaded",
                error.why,
                f"check the network and run again (see {runner.log})",
            ) from error
        if not path.exists() or _integrity(path) != integrity:
            path.unlink(missing_ok=True)
            raise SetupError(
                f"the download of {name} {version} is damaged",
                "its SHA-512 is not the one that the checkout states",
                "run again; if that does not help, report it",
            )
        return path


def install(folder: Path, cache: Path, runner: Runner) -> None:
    """Install what package-lock.json in `folder` states, without running scripts."""
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    with locked(cache, "npm"):
        try:
            runner.run(command, cwd=folder, env=_environment(cache))
        except SetupError as error:
            raise SetupError(
                "the packages of a lock file cannot be installed",
                error.why,
                f"check the network and run again (see {runner.log})",
            ) from error


def _environment(cache: Path) -> dict[str, str]:
    settings = {
        "npm_config_cache": str(cache / "downloads" / "npm-cache"),
        "npm_config_update_notifier": "false",
        "npm_config_loglevel": "http",
    }
    return {**os.environ, **settings}


def _integrity(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    return "sha512-" + base64.b64encode(digest).decode()
