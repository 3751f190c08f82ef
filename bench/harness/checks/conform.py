"""Many images of one description, each under several tiers and engines.

An instruction-set test suite is hundreds of small images that all run on the same
machine.  The harness boots each image under every way to run it.  The image must pass,
and its console must be the same under all of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from analysis.schema import NO_TIER
from bench.base.errors import USAGE, TierlabError
from bench.harness.run.boot import Boot, Terminal, run_boot

ELF_MAGIC = b"\x7fELF"


@dataclass(frozen=True)
class Way:
    """How an image is run: an engine, and a tier where there are any."""

    engine: str
    tier: str | None

    def label(self) -> str:
        """The way, as tables show it."""
        return self.engine if self.tier is None else self.tier


@dataclass
class Verdict:
    """The outcome of one image."""

    image: Path
    # One line on why the run failed; None if it passed.
    failures: dict[Way, str | None] = field(default_factory=dict)
    consoles: dict[Way, str] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether the consoles of two ways differ."""
        outcomes = {failure is None for failure in self.failures.values()}
        return len(outcomes) > 1 or len(set(self.consoles.values())) > 1

    @property
    def good(self) -> bool:
        """Whether the image passed under all ways, with equal consoles."""
        return not self.differs and not any(self.failures.values())

    def lines(self) -> Iterator[str]:
        """Lines about an image that is not good."""
        for way, failure in self.failures.items():
            if failure is not None:
                yield f"{way.label()}: {failure}"
        ways = list(self.consoles)
        for way in ways[1:]:
            found = first_difference(self.consoles[ways[0]], self.consoles[way])
            if found is not None:
                yield f"{way.label()} and {ways[0].label()} differ in {found}"

    def as_json(self) -> dict[str, Any]:
        """The verdict for programs to read."""
        runs = [
            {"engine": way.engine, "tier": way.tier or NO_TIER, "failure": failure}
            for way, failure in self.failures.items()
        ]
        return {
            "image": str(self.image),
            "good": self.good,
            "differs": self.differs,
            "runs": runs,
        }


def find_images(names: Sequence[str]) -> list[Path]:
    """The named files; of a folder, the ELF files in it."""
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = [p for p in sorted(path.iterdir()) if _is_elf(p)]
            if not inside:
                raise TierlabError(f"{path}: no ELF file is in it", status=USAGE)
            found += inside
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def first_difference(one: str, other: str) -> str | None:
    """The first line in which two consoles differ, shown from both."""
    lines, others = one.splitlines(), other.splitlines()
    for number in range(max(len(lines), len(others))):
        a = lines[number] if number < len(lines) else None
        b = others[number] if number < len(others) else None
        if a != b:
            return f"line {number + 1}: {_shown(b)} and {_shown(a)}"
    return None


def run_all(
    jobs: Mapping[Path, Mapping[Way, Boot]],
    shared: Mapping[str, Any],
    at_once: int,
    done: Callable[[Verdict], None],
) -> list[Verdict]:
    """Run all jobs, some at a time; report each image after its last run."""
    verdicts = {image: Verdict(image) for image in jobs}
    running = _Running()
    with ThreadPoolExecutor(at_once) as pool:
        futures: dict[Future[dict[str, Any]], tuple[Path, Way]] = {}
        for image, ways in jobs.items():
            for way, boot in ways.items():
                futures[pool.submit(running.boot, boot, shared)] = (image, way)
        try:
            for future in as_completed(futures):
                image, way = futures[future]
                verdict = verdicts[image]
                _note(verdict, way, future.result())
                if len(verdict.failures) == len(jobs[image]):
                    _in_order(verdict, jobs[image])
                    done(verdict)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            running.kill()
            raise
    return list(verdicts.values())


class _Running:
    """The engines' processes, which must end when this process does."""

    def __init__(self) -> None:
        self._pids: set[int] = set()
        self._lock = Lock()
        self._ended = False

    def boot(self, boot: Boot, shared: Mapping[str, Any]) -> dict[str, Any]:
        """One boot, in a thread of the pool."""
        mine: list[int] = []

        def started(pid: int) -> None:
            mine.append(pid)
            with self._lock:
                self._pids.add(pid)
                if self._ended:
                    os.killpg(pid, signal.SIGKILL)

        try:
            return run_boot(boot, shared, Terminal(started=started))
        finally:
            with self._lock:
                self._pids.difference_update(mine)

    def kill(self) -> None:
        """End all processes."""
        with self._lock:
            self._ended = True
            for pid in self._pids:
                os.killpg(pid, signal.SIGKILL)


def _note(verdict: Verdict, way: Way, result: Mapping[str, Any]) -> None:
    failure = result["failure"]
    verdict.failures[way] = failure and f"{failure['kind']}: {failure['message']}"
    # A run that reached its time limit ended at an arbitrary point, so its console is
    # not compared.
    if not failure or failure["kind"] != "timeout":
        verdict.consoles[way] = result["console"]["text"]


def _in_order(verdict: Verdict, ways: Mapping[Way, Boot]) -> None:
    """Sort a verdict's runs by the order of `ways`, in place of the order of ends."""
    verdict.failures = {way: verdict.failures[way] for way in ways}
    verdict.consoles = {w: verdict.consoles[w] for w in ways if w in verdict.consoles}


def _is_elf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(ELF_MAGIC)) == ELF_MAGIC
    except OSError:
        return False


def _shown(line: str | None) -> str:
    return "its end" if line is None else f"'{line.strip()}'"
