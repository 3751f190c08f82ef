"""The store builds products once, in order, and again only when it must."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.build import Context, SetupError
from bench.build.manifest import NAME
from bench.build.step import make_scratch
from bench.build.tests.conftest import Bench


def test_builds_in_order_and_once(bench: Bench) -> None:
    steps = [bench.step("c", "b", "a"), bench.step("a"), bench.step("b", "a")]
    first = bench.store(*steps).ensure(["c"])
    assert bench.built == ["a", "b", "c"]
    assert (first["c"] / "sub" / "link").read_text().startswith("c\n")
    assert bench.store(*steps).ensure(["c", "a"])["c"] == first["c"]
    assert bench.built == ["a", "b", "c"]


def test_does_not_build_what_a_finished_product_needed(bench: Bench) -> None:
    steps = [bench.step("a"), bench.step("b", "a")]
    a = bench.store(*steps).ensure(["a", "b"])["a"]
    (a / "data").unlink()
    bench.store(*steps).ensure(["b"])
    assert bench.built == ["a", "b"]


@pytest.mark.parametrize("change", ["file", "new file", "value", "need"])
def test_changed_input_makes_another_product(bench: Bench, change: str) -> None:
    source = bench.root / "src"
    source.mkdir()
    (source / "x.c").write_text("one")

    def products(value: str = "1") -> Path:
        a = bench.step("a", values=(value if change == "need" else "",))
        b = bench.step(
            "b", "a", files=("src/*.c",), values=(value if change == "value" else "",)
        )
        return bench.store(a, b).ensure(["b"])["b"]

    before = products()
    if change == "file":
        (source / "x.c").write_text("two")
    elif change == "new file":
        (source / "y.c").write_text("")
    else:
        assert products("2") != before
        return
    assert products() != before


def test_touched_input_is_the_same_product(bench: Bench) -> None:
    (bench.root / "x.c").write_text("one")
    step = bench.step("a", files=("x.c",))
    before = bench.store(step).ensure(["a"])
    os.utime(bench.root / "x.c", (1, 1))
    assert bench.store(step).ensure(["a"]) == before
    assert bench.built == ["a"]


def test_missing_input_is_named(bench: Bench) -> None:
    step = bench.step("a", files=("gone.c",))
    with pytest.raises(SetupError, match=r"gone\.c"):
        bench.store(step).ensure(["a"])


def _truncate(product: Path) -> None:
    os.truncate(product / "data", 7)


def _change(product: Path) -> None:
    data = product / "data"
    data.write_text("x" * data.stat().st_size)


def _remove(product: Path) -> None:
    (product / "data").unlink()


def _redirect(product: Path) -> None:
    (product / "sub" / "link").unlink()
    (product / "sub" / "link").symlink_to("elsewhere")


def _truncate_manifest(product: Path) -> None:
    os.truncate(product / NAME, 20)


def _foreign_manifest(product: Path) -> None:
    content = json.loads((product / NAME).read_text())
    (product / NAME).write_text(json.dumps({**content, "key": "0" * 16}))


@pytest.mark.parametrize(
    "damage",
    [_truncate, _change, _remove, _redirect, _truncate_manifest, _foreign_manifest],
)
def test_damaged_product_is_found_and_made_again(
    bench: Bench, damage: Callable[[Path], None]
) -> None:
    step = bench.step("a")
    product = bench.store(step).ensure(["a"])["a"]
    good = (product / "data").read_bytes()
    damage(product)
    assert bench.store(step).ensure(["a"])["a"] == product
    assert bench.built == ["a", "a"]
    assert (product / "data").read_bytes() == good
    assert bench.said.getvalue().count("The product a is damaged") == 1


def test_touched_product_is_good(bench: Bench) -> None:
    step = bench.step("a")
    product = bench.store(step).ensure(["a"])["a"]
    os.utime(product / "data", (1, 1))
    bench.store(step).ensure(["a"])
    assert bench.built == ["a"]


def test_interrupted_step_leaves_no_product_and_resumes(bench: Bench) -> None:
    def action(ctx: Context) -> None:
        (ctx.out / "half").write_text("")
        half = ctx.work / "half"
        if not half.exists():
            half.write_text("")
            raise KeyboardInterrupt
        (ctx.out / "whole").write_text("")

    steps = [bench.step("a"), bench.step("b", "a", action=action)]
    with pytest.raises(KeyboardInterrupt):
        bench.store(*steps).ensure(["b"])
    left = [path.name for path in (bench.cache / "products").iterdir()]
    assert [name.partition("-")[0] for name in left] == ["a"]
    product = bench.store(*steps).ensure(["b"])["b"]
    assert sorted(p.name for p in product.iterdir()) == [NAME, "half", "whole"]
    assert bench.built == ["a", "b", "b"]
    assert not list((bench.cache / "work").iterdir())[1:]


def test_killed_step_leaves_nothing_in_the_way(bench: Bench) -> None:
    step = bench.step("a")
    store = bench.store(step)
    product = store.ensure(["a"])["a"]
    part = product.with_name(f".{product.name}.part")
    product.rename(part)
    (part / "stale").write_text("")
    again = bench.store(step).ensure(["a"])["a"]
    assert not (again / "stale").exists()
    assert not part.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_one_line_and_keeps_what_is_finished(
    bench: Bench, code: int
) -> None:
    def full(ctx: Context) -> None:
        raise OSError(code, os.strerror(code), str(ctx.out / "data"))

    steps = [bench.step("a"), bench.step("b", "a", action=full)]
    with pytest.raises(SetupError) as caught:
        bench.store(*steps).ensure(["b"])
    line = str(caught.value)
    assert "\n" not in line
    assert "making b failed: no space left on the disk of " in line
    assert str(bench.cache) in line
    bench.store(steps[0], bench.step("b", "a")).ensure(["b"])
    assert bench.built == ["a", "b", "b"]


def test_other_failure_of_the_system_is_one_line(bench: Bench) -> None:
    def action(ctx: Context) -> None:
        (ctx.root / "absent" / "file").read_text()

    with pytest.raises(SetupError, match="absent/file: No such file"):
        bench.store(bench.step("a", action=action)).ensure(["a"])


def test_recipes_that_need_each_other_are_refused(bench: Bench) -> None:
    steps = [bench.step("a", "b"), bench.step("b", "c"), bench.step("c", "a")]
    with pytest.raises(SetupError, match="need each other"):
        bench.store(*steps).ensure(["a"])
    assert bench.built == []


def test_unknown_product_names_those_there_are(bench: Bench) -> None:
    with pytest.raises(SetupError, match="nothing makes a product x; there are: a, b"):
        bench.store(bench.step("a"), bench.step("b")).ensure(["x"])


def test_two_runs_at_once_build_once(bench: Bench) -> None:
    entered, leave = threading.Event(), threading.Event()

    def action(ctx: Context) -> None:
        entered.set()
        assert leave.wait(10)
        (ctx.out / "data").write_text("")

    step = bench.step("a", action=action)
    runs = [
        threading.Thread(target=bench.store(step).ensure, args=(["a"],))
        for _ in range(2)
    ]
    for run in runs:
        run.start()
    assert entered.wait(10)
    leave.set()
    for run in runs:
        run.join()
    assert bench.built == ["a"]


def test_shared_work_outlives_the_step_and_keeps_to_its_inputs(bench: Bench) -> None:
    seen: list[bool] = []

    def action(ctx: Context) -> None:
        with ctx.shared_work("build", "flags 1") as work:
            seen.append((work / "object").exists())
            (work / "object").write_text("")
        with ctx.shared_work("build", "flags 2") as other:
            assert not (other / "object").exists()

    for value in ("1", "2"):
        step = bench.step("a", action=action, values=(value,))
        bench.store(step).ensure(["a"])
    assert seen == [False, True]


def test_scratch_of_a_moved_cache_is_emptied(tmp_path: Path) -> None:
    """Its files name the old path: ninja and meson would not find themselves."""
    old, new = tmp_path / "old", tmp_path / "new"
    make_scratch(old)
    (old / "object").write_text("")
    make_scratch(old)
    assert (old / "object").exists()
    old.rename(new)
    make_scratch(new)
    assert not (new / "object").exists()
    # Scratch that an earlier version made says no path: it may have been moved.
    (new / "made-at").unlink()
    (new / "object").write_text("")
    make_scratch(new)
    assert not (new / "object").exists()


def test_progress_counts_steps(bench: Bench) -> None:
    bench.store(bench.step("a"), bench.step("b", "a")).ensure(["b"])
    lines = bench.said.getvalue().splitlines()
    assert lines[0] == "[1/2] making a"
    assert lines[1].startswith("[1/2] making a: done in 0:0")
    assert lines[2] == "[2/2] making b"
