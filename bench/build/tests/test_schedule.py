"""Steps run beside each other where they may, and end together."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from bench.base.interrupt import Interrupted, raising
from bench.base.lock import locked
from bench.build import Context, SetupError, Step
from bench.build.schedule import AT_ONCE, LONG_AT_ONCE, Schedule
from bench.build.tests.conftest import Bench
from bench.build.times import FILE, recorded

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
SECONDS = 20


class Meeting:
    """Steps that wait for each other, and how many there were at once."""

    def __init__(self, parties: int = 1) -> None:
        self._barrier = threading.Barrier(parties)
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def attend(self, ctx: Context) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._barrier.wait(SECONDS)
        time.sleep(0.02)
        with self._lock:
            self._now -= 1


@pytest.fixture(autouse=True)
def quick_end() -> Iterator[None]:
    """A step that is not stopped must not look as if it were."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < SECONDS


def test_steps_that_need_nothing_of_each_other_run_at_once(bench: Bench) -> None:
    meeting = Meeting(2)
    steps = [bench.step(name, action=meeting.attend) for name in ("a", "b")]
    bench.store(*steps).ensure(["a", "b"])
    assert meeting.most == 2


@pytest.mark.parametrize(("minutes", "limit"), [(0.0, AT_ONCE), (5.0, LONG_AT_ONCE)])
def test_few_steps_at_once(bench: Bench, minutes: float, limit: int) -> None:
    meeting = Meeting()
    names = [str(n) for n in range(3 * AT_ONCE)]
    steps = [bench.step(n, action=meeting.attend, minutes=minutes) for n in names]
    bench.store(*steps).ensure(names)
    assert 1 < meeting.most <= limit


def test_steps_of_one_place_exclude_each_other(bench: Bench) -> None:
    meeting = Meeting()
    names = ["a", "b", "c"]
    steps = [bench.step(n, action=meeting.attend, place="tree") for n in names]
    bench.store(*steps).ensure(names)
    assert meeting.most == 1


def test_the_longest_way_is_begun_first() -> None:
    def step(name: str, minutes: float, *needs: str) -> Step:
        return Step(name, name, (), (), needs, lambda _: None, minutes)

    begun: list[str] = []
    schedule = Schedule(
        [step("short", 2), step("mid", 3), step("first", 1), step("long", 9, "first")]
    )
    assert schedule.minutes() == 15
    schedule.run(lambda s: begun.append(s.name))
    assert begun.index("first") < begun.index("short")
    assert begun.index("mid") < begun.index("short")


@pytest.mark.parametrize("how", ["command", "lock"])
def test_a_failure_stops_what_runs_beside_it(bench: Bench, how: str) -> None:
    running = threading.Event()

    def long(ctx: Context) -> None:
        (ctx.work / "half").write_text("")
        running.set()
        ctx.run(SLEEP)

    def fail(ctx: Context) -> None:
        assert how == "lock" or running.wait(SECONDS)
        raise SetupError("it failed")

    steps = [
        bench.step("long", action=long),
        bench.step("bad", action=fail),
        bench.step("after", "bad"),
    ]
    store = bench.store(*steps)
    store.present(["long"])
    name = store.path("long").name
    with pytest.raises(SetupError, match="it failed"):
        if how == "lock":
            # Another tierlab makes it, and does not end.
            with locked(bench.cache, name):
                store.ensure(["long", "after"])
        else:
            store.ensure(["long", "after"])
    assert "after" not in bench.built
    assert not [p for p in (bench.cache / "products").glob("*") if "long" in p.name]
    if how == "command":
        # It goes on where it was.
        assert (bench.cache / "work" / name / "half").exists()
    bench.store(bench.step("long"), bench.step("bad"), steps[2]).ensure(["after"])
    assert bench.built[-1] == "after"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_command(bench: Bench, number: signal.Signals) -> None:
    pids: list[int] = []

    def long(ctx: Context) -> None:
        pid = ctx.work / "pid"
        script = f"echo $$ >{pid}.part; mv {pid}.part {pid}; exec sleep 60"
        killer = threading.Thread(target=interrupt, args=(pid,))
        killer.start()
        ctx.run(["sh", "-c", script])

    def interrupt(pid: object) -> None:
        while len(pids) < 2 and not os.path.exists(str(pid)):
            time.sleep(0.01)
        pids.append(1)
        if len(pids) == 2:
            os.kill(os.getpid(), number)

    names = ["a", "b"]
    steps = [bench.step(name, action=long) for name in names]
    with raising(), pytest.raises(Interrupted):
        bench.store(*steps).ensure(names)
    assert threading.active_count() == 1
    assert sorted(bench.built) == names


def test_what_was_finished_beside_a_failure_is_kept(bench: Bench) -> None:
    done = threading.Event()

    def finish(ctx: Context) -> None:
        (ctx.out / "data").write_text("")

    def fail(ctx: Context) -> None:
        while not list((bench.cache / "products").glob("good-*")):
            time.sleep(0.01)
        done.set()
        raise SetupError("it failed")

    steps = [bench.step("good", action=finish), bench.step("bad", action=fail)]
    with pytest.raises(SetupError):
        bench.store(*steps).ensure(["good", "bad"])
    assert done.is_set()
    bench.store(*steps).ensure(["good"])
    assert bench.built.count("good") == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:10],
        lambda text: "[]",
        lambda text: '{"a": 1}',
    ],
)
def test_times_are_kept_and_damage_is_no_error(
    bench: Bench, damage: Callable[[str], str]
) -> None:
    before = time.time()
    bench.store(bench.step("a"), bench.step("b", "a")).ensure(["b"])
    known = recorded(bench.cache)
    assert sorted(known) == ["a", "b"]
    for taken in known.values():
        assert 0 <= taken.seconds < SECONDS
        assert before - 1 <= taken.ended <= time.time() + 1
    path = bench.cache / FILE
    path.write_text(damage(path.read_text()))
    assert recorded(bench.cache) == {}
    bench.store(bench.step("c")).ensure(["c"])
    assert sorted(recorded(bench.cache)) == ["c"]
