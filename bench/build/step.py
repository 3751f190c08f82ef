"""How a product is declared, and what its action may use."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.base.lock import locked
from bench.build import apt, npm
from bench.build.command import Runner
from bench.build.upstream import Upstream


@dataclass(frozen=True)
class Step:
    """One product and all that its content depends on.

    All that changes the product must be in `files` (globs relative to the checkout),
    `values` or `needs` (other products).
    """

    name: str
    title: str
    files: tuple[str, ...]
    values: tuple[str, ...]
    needs: tuple[str, ...]
    action: Callable[[Context], None]
    minutes: float
    """How long it takes on two cores, from nothing."""
    place: str = ""
    """Steps that work in the same place exclude each other."""
    packages: tuple[str, ...] = ()
    """Groups of packages.txt that making the product needs."""
    uses: tuple[str, ...] = ()
    """Groups of packages.txt that using the product needs."""


@dataclass(frozen=True)
class Context:
    """What an action gets: it fills `out`, which is renamed when it returns."""

    root: Path
    """The checkout."""
    out: Path
    """The product to be, empty."""
    needs: Mapping[str, Path]
    work: Path
    """Scratch, kept when the step fails so that the next run resumes."""
    cache: Path
    jobs: int
    runner: Runner

    def run(
        self,
        argv: Sequence[str],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        log: bool = True,
    ) -> None:
        """Run a command; if it fails, raise a SetupError that names the log."""
        self.runner.run(argv, cwd=cwd, env=env, log=log)

    def apt_source(self, upstream: Upstream) -> Path:
        """The checked upstream tarball of a Debian source package."""
        return apt.fetch_source(upstream, self.cache, self.runner)

    def npm_fetch(self, name: str, version: str, integrity: str) -> Path:
        """The checked tarball of one npm package."""
        return npm.fetch(name, version, integrity, self.cache, self.runner)

    def npm_install(self, folder: Path) -> None:
        """The packages of the folder's lock file, checked by the sums in it."""
        npm.install(folder, self.cache, self.runner)

    @contextmanager
    def shared_work(self, name: str, *inputs: str) -> Iterator[Path]:
        """Scratch that outlives the step, for builds that go on where the
        last one ended although some sources changed. If one of `inputs` changed, or
        the cache was moved, the build begins anew. One step at a time uses it.
        """
        digest = hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
        path = self.cache / "work" / f"{name}-{digest}"
        with locked(self.cache, path.name):
            make_scratch(path)
            yield path


def make_scratch(path: Path) -> None:
    """Make a folder for scratch, or keep it as the last step left it.

    Build directories name themselves by absolute paths. If the folder was made at
    another path, as when somebody moved the cache, it is emptied.
    """
    made_at = path / "made-at"
    here = str(path.resolve())
    try:
        kept = made_at.read_text(encoding="utf-8") == here
    except FileNotFoundError:
        kept = False
    if not kept and path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    made_at.write_text(here, encoding="utf-8")
