"""Find what is missing or damaged, and build it in the right order."""

from __future__ import annotations

import graphlib
import os
import shutil
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.base.errors import SetupError, from_os_error
from bench.base.lock import locked
from bench.base.progress import Progress, StepProgress
from bench.build import manifest
from bench.build.command import Runner
from bench.build.groups import install_groups, missing_packages
from bench.build.keys import product_key
from bench.build.schedule import Schedule
from bench.build.step import Context, Step, make_scratch
from bench.build.times import record

_INSTALL_MINUTES = 1.0
ABSENT = "it is absent"


class Store:
    """The products of one checkout in one cache."""

    def __init__(
        self, steps: Mapping[str, Step], root: Path, cache: Path, console: Console
    ) -> None:
        self._steps = steps
        self._root = root
        self._cache = cache
        self._console = console
        self._keys: dict[str, str] = {}
        self._good: set[str] = set()

    def ensure(self, names: Iterable[str]) -> dict[str, Path]:
        """Directories of finished products; builds what is missing."""
        wanted = list(dict.fromkeys(names))
        try:
            todo = self.missing(wanted)
            if todo:
                self._make_all(todo)
            self.install({g for name in wanted for g in self._steps[name].uses})
        except OSError as error:
            raise from_os_error(error, "the set-up", self._cache) from error
        return {name: self.path(name) for name in wanted}

    def install(self, groups: Iterable[str]) -> None:
        """Install these groups of packages.txt, unless they are."""
        names = sorted(groups)
        if not missing_packages(self._root, names):
            return
        progress = Progress(self._console, 1)
        title = f"packages: {', '.join(names)}"
        log = self._cache / "logs" / "packages.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")
        with progress.step(title, _INSTALL_MINUTES) as shown:
            runner = Runner(title, log, self._cache)
            runner.tick = lambda: shown.tick(runner.last_line())
            waiting = partial(shown.tick, "another tierlab installs packages")
            install_groups(self._root, names, self._cache, runner, waiting)
            record(self._cache, title, shown.elapsed())

    def missing(self, names: Iterable[str]) -> list[Step]:
        """What has to be built for these products, in the order of needs."""
        wanted = list(dict.fromkeys(names))
        order = self._keyed(wanted)
        missing = self._missing(wanted)
        return [self._steps[name] for name in order if name in missing]

    def present(self, names: Iterable[str]) -> dict[str, Path]:
        """Directories of the finished ones among the products; builds nothing."""
        wanted = list(dict.fromkeys(names))
        self._keyed(wanted)
        return {name: self.path(name) for name in wanted if not self._damage(name)}

    def _keyed(self, wanted: Iterable[str]) -> list[str]:
        """The products and all that they need, in building order, with keys."""
        order = self._order(wanted)
        for name in order:
            self._keys[name] = product_key(self._steps[name], self._root, self._keys)
        return order

    def path(self, name: str) -> Path:
        """Where a product is, or will be."""
        return self._cache / "products" / f"{name}-{self._keys[name]}"

    def _order(self, wanted: Iterable[str]) -> list[str]:
        graph: dict[str, tuple[str, ...]] = {}
        stack = list(wanted)
        while stack:
            name = stack.pop()
            if name in graph:
                continue
            if name not in self._steps:
                known = ", ".join(sorted(self._steps))
                raise SetupError(
                    f"nothing makes a product {name}", "", f"there are: {known}"
                )
            graph[name] = self._steps[name].needs
            stack.extend(graph[name])
        try:
            return list(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            circle = " needs ".join(reversed(error.args[1]))
            raise SetupError("the recipes need each other", circle) from error

    def _missing(self, wanted: Iterable[str]) -> set[str]:
        """The products to build; what only a finished product needs is left out."""
        missing: set[str] = set()
        stack = list(wanted)
        while stack:
            name = stack.pop()
            if name not in missing and self._damage(name):
                missing.add(name)
                stack.extend(self._steps[name].needs)
        return missing

    def _damage(self, name: str) -> str:
        """What is wrong with a product, or an empty string."""
        if name in self._good:
            return ""
        path = self.path(name)
        wrong = manifest.damage(path, self._keys[name]) if path.is_dir() else ABSENT
        if not wrong:
            self._good.add(name)
        return wrong

    def _make_all(self, todo: list[Step]) -> None:
        progress = Progress(self._console, len(todo))
        schedule = Schedule(todo)
        minutes = schedule.minutes()
        if minutes >= 1:
            progress.say(
                f"Setting up {len(todo)} products, about {minutes:.0f} minutes, "
                f"in {self._cache}"
            )

        def make(step: Step) -> None:
            with progress.step(step.title, step.minutes) as shown:
                self._make(step, progress, shown, schedule)

        schedule.run(make)

    def _make(
        self, step: Step, progress: Progress, shown: StepProgress, schedule: Schedule
    ) -> None:
        name = self.path(step.name).name

        def waiting() -> None:
            schedule.check()
            shown.tick("another tierlab is making it")

        with locked(self._cache, name, waiting):
            # Again: somebody else may have made it while we waited.
            wrong = self._damage(step.name)
            if wrong and wrong != ABSENT:
                progress.say(
                    f"The product {step.name} is damaged ({wrong}): it is made again."
                )
                shutil.rmtree(self.path(step.name))
            if wrong:
                self._build(step, name, shown, schedule)
                record(self._cache, step.name, shown.elapsed())
                self._good.add(step.name)

    def _build(
        self, step: Step, name: str, shown: StepProgress, schedule: Schedule
    ) -> None:
        part = self._cache / "products" / f".{name}.part"
        work = self._cache / "work" / name
        log = self._cache / "logs" / f"{step.name}.log"
        if part.exists():
            shutil.rmtree(part)
        for path in (part, log.parent):
            path.mkdir(parents=True, exist_ok=True)
        make_scratch(work)
        log.write_text("", encoding="utf-8")
        runner = Runner(step.title, log, self._cache)

        def tick() -> None:
            schedule.check()
            shown.tick(runner.last_line())

        runner.tick = tick

        def waiting() -> None:
            schedule.check()
            shown.tick("another tierlab installs packages")

        install_groups(self._root, step.packages, self._cache, runner, waiting)
        context = Context(
            root=self._root,
            out=part,
            needs={need: self.path(need) for need in step.needs},
            work=work,
            cache=self._cache,
            jobs=os.process_cpu_count() or 1,
            runner=runner,
        )
        try:
            step.action(context)
            manifest.write(part, self._keys[step.name])
            part.rename(self.path(step.name))
        except OSError as error:
            raise from_os_error(error, step.title, self._cache) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
