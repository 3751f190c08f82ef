"""Run steps beside each other where their needs allow it.

Most steps use all cores only for a part of their time: downloads, configure
scripts and linkers leave a core idle that another step can use. Few steps at
once suffice for that; more would only share the same cores and need more memory.
"""

from __future__ import annotations

import graphlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from bench.build.step import Step

# Steps at once; those that take a minute or more compile something.
LONG_AT_ONCE = 2
AT_ONCE = 4
LONG_MINUTES = 1.0


class Stopped(BaseException):
    """This step ends because another one failed, or the user interrupted."""


class Schedule:
    """Some steps in their order: each after what it needs, the longest way first."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = {step.name: step for step in steps}
        self._stop = threading.Event()
        self._graph = {
            name: [need for need in step.needs if need in self._steps]
            for name, step in self._steps.items()
        }
        self._left = self._minutes_left()

    def minutes(self) -> float:
        """About how long all of it takes."""
        long = sum(step.minutes for step in self._steps.values() if _is_long(step))
        return max([long, *self._left.values()])

    def check(self) -> None:
        """Raise Stopped if what runs shall end; running steps call it often."""
        if self._stop.is_set():
            raise Stopped

    def run(self, make: Callable[[Step], None]) -> None:
        """Make all steps; the first failure stops the others and is raised."""
        sorter = graphlib.TopologicalSorter(self._graph)
        sorter.prepare()
        ready: list[str] = []
        running: dict[Future[None], Step] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                while sorter.is_active():
                    ready += sorter.get_ready()
                    for step in self._chosen(ready, running.values()):
                        ready.remove(step.name)
                        running[pool.submit(make, step)] = step
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        step = running.pop(future)
                        future.result()
                        sorter.done(step.name)
            except BaseException:
                self._stop.set()
                raise

    def _minutes_left(self) -> dict[str, float]:
        """From the start of each step to the end of the last one that waits for it."""
        users: dict[str, list[str]] = {name: [] for name in self._graph}
        for name, needs in self._graph.items():
            for need in needs:
                users[need].append(name)
        left: dict[str, float] = {}
        order = graphlib.TopologicalSorter(self._graph).static_order()
        for name in reversed(list(order)):
            after = max((left[user] for user in users[name]), default=0.0)
            left[name] = self._steps[name].minutes + after
        return left

    def _chosen(self, ready: Iterable[str], running: Iterable[Step]) -> list[Step]:
        """Those that start now."""
        busy = list(running)
        chosen = []
        for name in sorted(ready, key=lambda name: -self._left[name]):
            step = self._steps[name]
            if len(busy) < AT_ONCE and not any(_excludes(step, busy)):
                busy.append(step)
                chosen.append(step)
        return chosen


def _is_long(step: Step) -> bool:
    return step.minutes >= LONG_MINUTES


def _excludes(step: Step, busy: Sequence[Step]) -> Iterator[bool]:
    """Reasons for which a step cannot start beside those that run."""
    yield _is_long(step) and sum(map(_is_long, busy)) >= LONG_AT_ONCE
    yield step.place != "" and any(other.place == step.place for other in busy)
